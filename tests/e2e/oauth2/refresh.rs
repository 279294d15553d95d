//! Refresh tokens: each is used once, and what a second use means.

use countersign::accounts::opaque;
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
