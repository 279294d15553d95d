//! The device flow (RFC 8628), by hand: what the device is told, and what its user sees.

use countersign_tests::token::claims;
use countersign_tests::{Answer, Folder, Server, artifacts, get};
use serde_json::{Value, json};
use url::Url;

use super::bots::{Beside, ask, basic, error};
use crate::cli_login::browser::{Browser, Page};
use crate::template;

const CLIENT: (&str, &str) = ("client_id", "countersign-cli");

pub(super) fn begin(server: &Server) -> Value {
    let answer = ask(server, "/oauth2/device_authorization", "", &[CLIENT]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

fn poll(server: &Server, device: &Value) -> Answer {
    let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
    let code = ("device_code", device["device_code"].as_str().unwrap());
    ask(server, "/oauth2/token", "", &[grant, code, CLIENT])
}

/// Signs in on the way to the page that the device names.
pub(super) fn arrive(browser: &mut Browser, url: &str) -> Page {
    let form = browser.open(url);
    assert!(form.url.path() == "/login", "{}", form.url);
    browser.submit(&form, &[("username", "ada"), ("password", "door")])
}

#[test]
fn o14_device_waits_for_its_user_and_gets_its_tokens_once() {
    let folder = Folder::new();
    let server = template(&folder);
    let device = begin(&server);
    let code = device["user_code"].as_str().unwrap();
    let page = format!("http://{}/device", server.address);
    assert_eq!(device["verification_uri"], page);
    let complete = format!("{page}?user_code={code}");
    assert_eq!(device["verification_uri_complete"], complete);
    assert_eq!(
        (&device["expires_in"], &device["interval"]),
        (&json!(600), &json!(5))
    );
    assert_eq!(
        error(&poll(&server, &device)),
        (400, "authorization_pending".into())
    );
    assert_eq!(error(&poll(&server, &device)), (400, "slow_down".into()));

    let mut browser = Browser::default();
    let asked = arrive(&mut browser, &complete);
    let body = &asked.answer.body;
    for shown in [
        code,
        "ada",
        "apache-airflow",
        "127.0.0.1",
        "less than a minute ago",
    ] {
        assert!(body.contains(shown), "{shown}: {body}");
    }
    let policy = asked.answer.header("content-security-policy").unwrap();
    assert!(policy.contains("form-action 'self';"), "{policy}");
    let done = browser.submit(&asked, &[("answer", "allow")]);
    assert!(
        done.answer.body.contains("has its token"),
        "{:?}",
        done.answer
    );
    // Said once, it cannot be said again.
    let again = browser.submit(&asked, &[("answer", "allow")]);
    assert_eq!(again.answer.status, 400);

    let tokens = poll(&server, &device);
    assert_eq!(tokens.status, 200, "{tokens:?}");
    let tokens = tokens.json();
    let said = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!(
        (&said["sub"], &tokens["expires_in"]),
        (&json!("ada"), &json!(3_600))
    );
    assert!(tokens["refresh_token"].is_string());
    assert_eq!(
        error(&poll(&server, &device)),
        (400, "invalid_grant".into())
    );
    let (_, log) = server.stop();
    for secret in ["device_code", "refresh_token"] {
        let secret = device[secret].as_str().or(tokens[secret].as_str()).unwrap();
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn o14_user_says_no_and_the_device_is_told() {
    let folder = Folder::new();
    let server = template(&folder);
    let device = begin(&server);
    let mut browser = Browser::default();
    let url = device["verification_uri_complete"].as_str().unwrap();
    let asked = arrive(&mut browser, url);
    let done = browser.submit(&asked, &[("answer", "deny")]);
    assert!(
        done.answer.body.contains("No token was given"),
        "{:?}",
        done.answer
    );
    assert_eq!(
        error(&poll(&server, &device)),
        (400, "access_denied".into())
    );
}

#[test]
fn o14_device_whose_user_is_too_late_is_told() {
    let folder = Folder::new();
    let server = template(&folder);
    let device = begin(&server);
    let beside = Beside::of(&server);
    let past = sqlx::query("UPDATE devices SET expires_at = created_at - 1");
    let file = server.state.join("store.db");
    beside.runtime.block_on(async {
        use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
        let mut connection = SqliteConnectOptions::new()
            .filename(file)
            .connect()
            .await
            .unwrap();
        past.execute(&mut connection).await.unwrap();
    });
    assert_eq!(
        error(&poll(&server, &device)),
        (400, "expired_token".into())
    );
    let url = device["verification_uri_complete"].as_str().unwrap();
    let page = arrive(&mut Browser::default(), url);
    assert_eq!(page.answer.status, 400);
    assert!(
        page.answer.body.contains("No device waits"),
        "{:?}",
        page.answer
    );
}

#[test]
fn code_is_typed_as_people_type_and_guesses_are_slowed_down() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let more = "server: { throttle: { user: 3, address: 100 } }\n";
    let server = Server::start(&folder, &format!("{}{more}", crate::TEMPLATE));
    let device = begin(&server);
    let mut browser = Browser::default();
    let page = format!("http://{}/device", server.address);
    let form = arrive(&mut browser, &page);
    assert!(
        form.answer.body.contains("name=\"user_code\""),
        "{:?}",
        form.answer
    );
    let code = device["user_code"].as_str().unwrap().to_owned();
    let typed = code.to_lowercase().replace('-', "+");
    let asked = browser.open(&format!("{page}?user_code={typed}"));
    assert!(asked.answer.body.contains(&code), "{:?}", asked.answer);
    for wrong in ["BCDF-GHJ", "AAAA-AAAA", "1", "%00", "<script>"] {
        let answer = browser.open(&format!("{page}?user_code={wrong}")).answer;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(!answer.body.contains("<script>"), "{answer:?}");
    }
    for _ in 0..3 {
        let answer = browser.open(&format!("{page}?user_code=BBBB-BBBB")).answer;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    let answer = browser.open(&format!("{page}?user_code={code}")).answer;
    assert_eq!(answer.status, 429, "{answer:?}");
    assert!(answer.header("retry-after").is_some());
}

#[test]
fn answer_counts_only_from_the_page_and_the_session_that_it_was_shown_to() {
    let folder = Folder::new();
    let server = template(&folder);
    let device = begin(&server);
    let url = device["verification_uri_complete"].as_str().unwrap();
    let mut browser = Browser::default();
    let asked = arrive(&mut browser, url);
    let mut other = Browser::default();
    arrive(&mut other, url);
    for stranger in [&mut other, &mut Browser::default()] {
        let page = stranger.submit(&asked, &[("answer", "allow")]);
        assert_eq!(page.answer.status, 400, "{:?}", page.answer);
    }
    let to = Url::parse(&format!("http://{}/device", server.address)).unwrap();
    for (headers, body) in [
        ([("origin", "https://evil.example")], "answer=allow"),
        ([("sec-fetch-site", "cross-site")], "answer=allow&request=x"),
    ] {
        let page = browser.go("POST", to.clone(), &headers, body);
        assert_eq!(page.answer.status, 400, "{:?}", page.answer);
    }
    assert_eq!(
        error(&poll(&server, &device)),
        (400, "authorization_pending".into())
    );
}

#[test]
fn only_the_terminal_has_devices_and_only_where_somebody_signs_in() {
    let folder = Folder::new();
    let server = template(&folder);
    let begin = "/oauth2/device_authorization";
    let (_, secret) = Beside::of(&server).client("reports");
    let bot = basic("reports", &secret);
    for (authorization, form, expected) in [
        ("", vec![], "invalid_request"),
        ("", vec![("client_id", "another")], "unauthorized_client"),
        (bot.as_str(), vec![], "unauthorized_client"),
        ("", vec![CLIENT, ("audience", "nobody")], "invalid_target"),
    ] {
        let answer = ask(&server, begin, authorization, &form);
        assert_eq!(error(&answer), (400, expected.into()));
    }
    assert_eq!(get(server.address, begin).status, 405);
    let elsewhere = Folder::new();
    let server = super::server(&elsewhere, "");
    assert_eq!(ask(&server, begin, "", &[CLIENT]).status, 400);
    assert_eq!(get(server.address, "/device").status, 404);
}

#[test]
fn devices_of_one_address_are_bounded() {
    let folder = Folder::new();
    let server = template(&folder);
    for _ in 0..50 {
        begin(&server);
    }
    let answer = ask(&server, "/oauth2/device_authorization", "", &[CLIENT]);
    assert_eq!(error(&answer), (429, "temporarily_unavailable".into()));
    assert!(answer.header("retry-after").is_some());
}
