//! Refresh tokens: each is used once, and what a second use means.

use countersign::accounts::bots::BotError;
use countersign::accounts::devices::{Begun, NewDevice, Polled};
use countersign::accounts::grants::{GRACE, Grant, Pair, Taken};
use countersign::accounts::opaque;
use countersign::accounts::store::{Location, Store};
use countersign_tests::postgres::Postgres;
use countersign_tests::token::claims;
use countersign_tests::{Answer, Folder, Server, artifacts};
use serde_json::{Value, json};

use super::bots::{Beside, ask, basic, error, in_users};
use crate::cli_login::browser::Browser;
use crate::cli_login::codes::Flow;
use crate::{run, template};

const TOKEN: &str = "/oauth2/token";
const CLIENT: (&str, &str) = ("client_id", "countersign-cli");
const GRANT: (&str, &str) = ("grant_type", "refresh_token");

/// What a terminal has after its user said yes.
fn first(server: &Server) -> Value {
    let code = Flow::new(server).code(&mut Browser::default());
    let answer = Flow::new(server).redeem(&[("code", &code)]);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn refresh(server: &Server, token: &Value) -> Answer {
    let token = token["refresh_token"].as_str().unwrap();
    ask(
        server,
        TOKEN,
        "",
        &[GRANT, CLIENT, ("refresh_token", token)],
    )
}

/// Does this server still take the token?
fn is_active(server: &Server, client: &str, token: &Value) -> bool {
    let token = token["access_token"].as_str().unwrap();
    let answer = ask(server, "/oauth2/introspect", client, &[("token", token)]);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["active"].as_bool().unwrap()
}

#[test]
fn s06_refresh_gives_new_tokens_and_the_old_one_is_used_up() {
    let folder = Folder::new();
    let server = template(&folder);
    let first = first(&server);
    let kind = opaque::kind(first["refresh_token"].as_str().unwrap());
    assert_eq!(kind, Some(opaque::Kind::Refresh));
    let second = refresh(&server, &first);
    assert_eq!(second.status, 200, "{second:?}");
    assert_eq!(second.header("cache-control"), Some("no-store"));
    let second = second.json();
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    let said = claims(second["access_token"].as_str().unwrap());
    assert_eq!(
        (&said["sub"], &second["expires_in"]),
        (&json!("ada"), &json!(3_600))
    );
    let third = refresh(&server, &second).json();
    // The first is two generations old: somebody has a copy.
    let reused = refresh(&server, &first);
    assert_eq!(error(&reused), (400, "invalid_grant".into()));
    let (_, secret) = Beside::of(&server).client("airflow");
    let client = basic("airflow", &secret);
    for tokens in [&first, &second, &third] {
        assert_eq!(refresh(&server, tokens).body, reused.body);
        assert!(!is_active(&server, &client, tokens));
    }
    let (_, log) = server.stop();
    assert!(log.contains("all that came of it is revoked"), "{log}");
    for tokens in [first, second, third] {
        assert!(!log.contains(tokens["refresh_token"].as_str().unwrap()));
    }
}

#[test]
fn s06_refreshing_twice_at_once_is_forgiven_and_whoever_comes_late_is_not() {
    let folder = Folder::new();
    let server = template(&folder);
    let first = first(&server);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| refresh(&server, &first)))
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let given: Vec<Value> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.json()
        })
        .collect();
    // One of them goes on; the others have a moment, and then nothing.
    assert_eq!(refresh(&server, &given[0]).status, 200);
    assert_eq!(refresh(&server, &given[1]).status, 200);
    assert_eq!(refresh(&server, &first).status, 400);
    assert_eq!(refresh(&server, &given[2]).status, 400);
}

#[test]
fn refresh_of_another_client_or_audience_or_with_a_scope_is_refused_and_uses_nothing_up() {
    let folder = Folder::new();
    let server = template(&folder);
    let (_, secret) = Beside::of(&server).client("reports");
    let first = first(&server);
    let token = first["refresh_token"].as_str().unwrap();
    let bot = basic("reports", &secret);
    for (authorization, changes, expected) in [
        ("", vec![("client_id", "another")], (400, "invalid_grant")),
        (bot.as_str(), vec![], (400, "invalid_grant")),
        ("", vec![], (400, "invalid_request")),
        ("", vec![CLIENT, ("scope", "admin")], (400, "invalid_scope")),
        (
            "",
            vec![CLIENT, ("audience", "countersign")],
            (400, "invalid_target"),
        ),
    ] {
        let form = [&[GRANT, ("refresh_token", token)][..], &changes].concat();
        let (status, name) = error(&ask(&server, TOKEN, authorization, &form));
        assert_eq!((status, name.as_str()), expected, "{changes:?}");
    }
    for bad in [
        "",
        "x",
        "cst_refresh_x",
        first["access_token"].as_str().unwrap(),
    ] {
        let answer = ask(&server, TOKEN, "", &[GRANT, CLIENT, ("refresh_token", bad)]);
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    assert_eq!(refresh(&server, &first).status, 200);
}

#[test]
fn refresh_of_a_backend_that_is_gone_gives_no_token() {
    let folder = Folder::new();
    let server = template(&folder);
    let first = first(&server);
    folder.write("config.yaml", crate::TEMPLATE.replace("door:", "gate:"));
    let done = run(&folder, &["reload"], &[]);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(
        error(&refresh(&server, &first)),
        (400, "invalid_grant".into())
    );
}

#[test]
fn o05_second_use_of_a_code_revokes_what_came_of_the_first() {
    let folder = Folder::new();
    let server = template(&folder);
    let (_, secret) = Beside::of(&server).client("airflow");
    let client = basic("airflow", &secret);
    let mut flow = Flow::new(&server);
    let code = flow.code(&mut Browser::default());
    let tokens = flow.redeem(&[("code", &code)]).json();
    assert!(is_active(&server, &client, &tokens));
    assert_eq!(flow.redeem(&[("code", &code)]).status, 400);
    assert!(!is_active(&server, &client, &tokens));
    assert_eq!(refresh(&server, &tokens).status, 400);
}

#[test]
fn without_refresh_tokens_a_code_gives_none_and_is_still_revoked_by_its_second_use() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let more = "tokens: { refresh: { lifetime: 0s } }\n";
    let server = Server::start(&folder, &format!("{}{more}", crate::TEMPLATE));
    let (_, secret) = Beside::of(&server).client("airflow");
    let client = basic("airflow", &secret);
    let mut flow = Flow::new(&server);
    let code = flow.code(&mut Browser::default());
    let tokens = flow.redeem(&[("code", &code)]).json();
    assert_eq!(tokens["refresh_token"], json!(null));
    assert!(is_active(&server, &client, &tokens));
    assert_eq!(flow.redeem(&[("code", &code)]).status, 400);
    assert!(!is_active(&server, &client, &tokens));
}

fn grant(id: &str, ends_at: u64) -> Grant {
    Grant {
        id: id.into(),
        client: "countersign-cli".into(),
        principal: countersign::accounts::Principal {
            backend: "door".into(),
            home: "door".into(),
            user: countersign_abi::User {
                id: "ada".into(),
                ..Default::default()
            },
        },
        audience: None,
        generation: 0,
        ends_at,
    }
}

/// What holds over every kind of store, at times of our own.
async fn suite(store: &Store) {
    const T: u64 = 1_767_225_600;
    let put = async |grant: &Grant, hash: &str, now: u64| {
        let pair = Pair {
            hash,
            expires_at: now + 100,
            access_id: hash,
            access_until: now + 50,
        };
        store.put_refresh(grant, &pair, now).await.unwrap()
    };
    let take = async |hash: &str, now| {
        store
            .take_refresh(hash, "countersign-cli", now)
            .await
            .unwrap()
    };
    let first = grant("one", T + 150);
    assert!(store.begin_grant(&first, T).await.unwrap());
    assert!(!store.begin_grant(&first, T).await.unwrap());
    assert!(put(&first, "a", T).await);
    // Too late, by either clock.
    assert!(matches!(take("a", T + 100).await, Taken::Refused(..)));
    let Taken::Next(next) = take("a", T + 99).await else {
        panic!()
    };
    assert_eq!(next.generation, 1);
    assert!(put(&next, "b", T + 99).await);
    assert!(
        matches!(take("b", T + 150).await, Taken::Refused(..)),
        "absolute"
    );
    assert!(matches!(take("b", T + 99).await, Taken::Next(_)));
    assert!(matches!(take("nobody", T).await, Taken::Unknown));

    let second = grant("two", T + 10_000);
    assert!(store.begin_grant(&second, T).await.unwrap());
    assert!(put(&second, "c", T).await);
    let Taken::Next(next) = take("c", T).await else {
        panic!()
    };
    assert!(
        matches!(take("c", T + GRACE).await, Taken::Next(same) if same.generation == next.generation)
    );
    assert!(matches!(take("c", T + GRACE + 1).await, Taken::Reused(_)));
    // Nor is it longer at a host whose clock is behind.
    assert!(matches!(take("c", T - GRACE - 1).await, Taken::Reused(_)));
    store.revoke_grant("two", T).await.unwrap();
    assert!(matches!(take("c", T).await, Taken::Refused(..)));
    assert!(!put(&next, "d", T).await, "it is over");
    assert!(store.is_revoked(countersign::accounts::store::Revocable::Token("c")));
    // One that is revoked before it begins never does.
    store.revoke_grant("three", T).await.unwrap();
    assert!(!store.begin_grant(&grant("three", T + 10), T).await.unwrap());
}

/// Devices, over every kind of store.
async fn devices(store: &Store) {
    const T: u64 = 1_767_225_600;
    fn device<'a>(hash: &'a str, user_code: &'a str) -> NewDevice<'a> {
        NewDevice {
            hash,
            user_code,
            client: "countersign-cli",
            audience: Some("lake"),
            address: "192.0.2.1",
            network: "192.0.2.1",
            expires_at: T + 600,
            pause: 5,
        }
    }
    let put = async |hash, code| store.put_device(&device(hash, code), T).await.unwrap();
    assert_eq!(put("a", "BBBBBBBB").await, Begun::Waits);
    assert_eq!(put("b", "BBBBBBBB").await, Begun::Again);
    assert_eq!(put("b", "CCCCCCCC").await, Begun::Waits);
    let poll = async |hash, now| {
        store
            .poll_device(hash, "countersign-cli", now)
            .await
            .unwrap()
    };
    assert!(matches!(poll("a", T).await, Polled::Pending));
    assert!(matches!(poll("a", T + 4).await, Polled::SlowDown));
    assert!(matches!(poll("a", T + 13).await, Polled::SlowDown));
    assert!(matches!(poll("a", T + 28).await, Polled::Pending));
    let other = store.poll_device("a", "another", T).await.unwrap();
    assert!(matches!(other, Polled::Unknown));
    let waiting = store.waiting("BBBBBBBB", T).await.unwrap().unwrap();
    assert_eq!(
        (waiting.address.as_str(), waiting.created_at),
        ("192.0.2.1", T)
    );
    assert!(store.waiting("BBBBBBBB", T + 600).await.unwrap().is_none());
    let ada = grant("x", 0).principal;
    assert!(
        !store
            .answer_device("BBBBBBBB", Some(&ada), T + 600)
            .await
            .unwrap()
    );
    assert!(
        store
            .answer_device("BBBBBBBB", Some(&ada), T)
            .await
            .unwrap()
    );
    assert!(!store.answer_device("BBBBBBBB", None, T).await.unwrap());
    let Polled::Granted(principal, audience) = poll("a", T + 30).await else {
        panic!("not granted")
    };
    assert_eq!(
        (principal.user.id.as_str(), audience.as_deref()),
        ("ada", Some("lake"))
    );
    assert!(
        matches!(poll("a", T + 31).await, Polled::Unknown),
        "told once"
    );
    assert!(store.answer_device("CCCCCCCC", None, T).await.unwrap());
    assert!(matches!(poll("b", T).await, Polled::Denied));
    assert!(matches!(poll("b", T + 600).await, Polled::Expired));
    // A customer of IPv6 has more addresses than anybody could count.
    let mut begun = Vec::new();
    for n in 0..51_u8 {
        let hash = format!("of a network {n}");
        let letters = [b'D' + n / 10, b'F' + n % 10].map(char::from);
        let user_code = String::from_iter(letters).repeat(4);
        let address = format!("2001:db8::{n:x}");
        let device = NewDevice {
            address: &address,
            network: "2001:db8::",
            ..device(&hash, &user_code)
        };
        begun.push(store.put_device(&device, T).await.unwrap());
    }
    assert_eq!(begun[..50], [Begun::Waits; 50]);
    assert_eq!(begun[50], Begun::TooMany);
    assert_eq!(put("c", "ZZZZZZZZ").await, Begun::Waits);
}

/// Names that nobody can have, over every kind of store.
async fn names(store: &Store) {
    for name in ["", "a\0b", "é", &"a".repeat(100_000)] {
        let found = store.bot(name).await;
        assert!(matches!(found, Err(BotError::NoSuchBot(_))), "{found:?}");
    }
}

#[tokio::test]
async fn s06_o14_grants_and_devices_in_sqlite_and_in_postgresql() {
    let folder = Folder::new();
    let place = Location::Sqlite(folder.join("store.db"));
    let store = Store::open(place).await.unwrap();
    suite(&store).await;
    devices(&store).await;
    names(&store).await;
    let postgres = Postgres::start();
    let place = Location::Postgres(postgres.url.clone().into());
    let store = Store::open(place).await.unwrap();
    suite(&store).await;
    devices(&store).await;
    names(&store).await;
}

#[test]
fn user_who_may_not_come_in_any_more_is_not_refreshed_and_roles_are_those_of_now() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("db"), "db");
    let config = "plugins: { directories: [plugins] }\ntokens: { claims: { roles: \"{roles}\" } }\nbackends:\n  users: { plugin: db, config: { url: \"sqlite://{state}/users.db\" } }\n";
    let server = Server::start(&folder, config);
    let arguments = ["users", "add", "ada", "--role", "Op", "--password-stdin"];
    let done = countersign_tests::countersign(
        folder.path(),
        &arguments,
        &[
            ("COUNTERSIGN_STATE", "state"),
            ("COUNTERSIGN_CONFIG", "config.yaml"),
        ],
        "door-7f3a-door\n",
    );
    assert_eq!(done.code, 0, "{done:?}");
    let change = |statement| in_users(&server, statement);
    let mut browser = Browser::default();
    let page = format!("http://{}/login", server.address);
    let form = browser.open(&page);
    browser.submit(
        &form,
        &[("username", "ada"), ("password", "door-7f3a-door")],
    );
    let mut flow = Flow::signed_in(&server);
    let code = flow.code(&mut browser);
    let tokens = flow.redeem(&[("code", &code)]).json();
    let roles = |tokens: &Value| claims(tokens["access_token"].as_str().unwrap())["roles"].clone();
    assert_eq!(roles(&tokens), json!(["Op"]));
    change(
        "UPDATE ab_user_role SET role_id = (SELECT id FROM ab_role WHERE name = 'Viewer') WHERE user_id = (SELECT id FROM ab_user WHERE username = 'ada')",
    );
    let tokens = refresh(&server, &tokens).json();
    assert_eq!(roles(&tokens), json!(["Viewer"]));
    change("UPDATE ab_user SET active = 0 WHERE username = 'ada'");
    let refused = refresh(&server, &tokens);
    assert_eq!(error(&refused), (400, "invalid_grant".into()));
    // For good: he has to sign in anew.
    change("UPDATE ab_user SET active = 1 WHERE username = 'ada'");
    assert_eq!(refresh(&server, &tokens).status, 400);
    let (_, log) = server.stop();
    assert!(log.contains("lets him in no more"), "{log}");
}
