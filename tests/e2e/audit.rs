//! The audit log: one line for each decision, with all that it needs and nothing else.

use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;

use countersign_tests::token::claims;
use countersign_tests::{Answer, Folder, Server, artifacts, post_json, send};
use serde_json::Value;

use crate::answers;

/// Lines of the audit log.
fn audit(log: &str) -> Vec<Value> {
    log.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")))
        .filter(|line| line["target"] == "audit")
        .collect()
}

fn login(server: &Server, path: &str, name: &str, agent: &str) -> Answer {
    let body = serde_json::json!({ "username": name, "password": "x" }).to_string();
    let headers = [("content-type", "application/json"), ("user-agent", agent)];
    send(server.address, "POST", path, &headers, body.as_bytes())
}

#[test]
fn h09_issued_token_is_audited_with_who_where_and_its_ids() {
    let folder = Folder::new();
    let server = answers(&folder, "");
    let answer = login(&server, "/auth/token/cli", "ada", "curl/8");
    let token = claims(answer.json()["access_token"].as_str().unwrap());
    let id = answer.header("x-request-id").unwrap().to_owned();
    let (_, log) = server.stop();
    let lines = audit(&log);
    assert_eq!(lines.len(), 1, "{log}");
    let line = &lines[0];
    for (key, value) in [
        ("request", id.as_str()),
        ("path", "/auth/token/cli"),
        ("outcome", "authenticated"),
        ("backend", "first"),
        ("user", "ada"),
        ("sub", token["sub"].as_str().unwrap()),
        ("jti", token["jti"].as_str().unwrap()),
        ("address", "127.0.0.1"),
        ("agent", "curl/8"),
    ] {
        assert_eq!(line[key], value, "{key}");
    }
    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
}

#[test]
fn m01_reserved_names_that_a_plugin_returns_are_audited_and_have_no_effect() {
    let folder = Folder::new();
    let server = answers(
        &folder,
        "tokens: { issuer: \"http://me.example\", claims: { all: \"{attributes.iss}\" } }\n",
    );
    let answer = login(&server, "/auth/token", "ada", "x");
    let token = claims(answer.json()["access_token"].as_str().unwrap());
    assert_eq!(token["iss"], "http://me.example");
    assert!(token["exp"].as_u64().unwrap() > 1);
    let (_, log) = server.stop();
    assert_eq!(audit(&log)[0]["reserved"], "iss,exp");
}

#[test]
fn h09_each_refusal_is_audited_with_the_precise_reason() {
    let folder = Folder::new();
    let server = answers(&folder, "");
    let cases = [
        ("denied", "denied", "the-subject", "private reason", "first"),
        ("nobody", "not_applicable", "nobody", "no backend knows", ""),
        ("invalid", "invalid", "invalid", "public words", "first"),
        (
            "unavailable",
            "unavailable",
            "unavailable",
            "private outage",
            "first",
        ),
        ("fault", "fault", "fault", "private fault", "first"),
        ("empty", "fault", "empty", "empty id", "first"),
    ];
    let ids = cases.map(|(name, ..)| {
        let answer = login(&server, "/auth/token", name, "x");
        answer.header("x-request-id").unwrap().to_owned()
    });
    post_json(server.address, "/auth/first/token", "{}");
    post_json(server.address, "/auth/first/token", "[");
    let (_, log) = server.stop();
    let lines = audit(&log);
    assert_eq!(lines.len(), cases.len() + 2, "{log}");
    for ((name, outcome, user, reason, backend), (line, id)) in
        cases.into_iter().zip(lines.iter().zip(ids))
    {
        assert_eq!(line["request"], id.as_str(), "{name}");
        assert_eq!(
            (&line["outcome"], &line["user"]),
            (&outcome.into(), &user.into())
        );
        assert!(line["reason"].as_str().unwrap().contains(reason), "{line}");
        assert_eq!(line["backend"].as_str().unwrap_or_default(), backend);
        assert_eq!(line["level"], "WARN");
    }
    let rest = &lines[cases.len()..];
    assert_eq!(rest[0]["path"], "/auth/{backend}/token");
    assert!(rest[0]["reason"].as_str().unwrap().contains("no username"));
    assert_eq!(rest[1]["outcome"], "malformed");
    assert!(rest[1]["reason"].as_str().unwrap().contains("422"));
}

#[test]
fn h09_backends_that_were_passed_over_are_audited_before_the_decision() {
    let folder = Folder::new();
    let server = answers(
        &folder,
        "    on_denied: next\n  second: { plugin: answers, config: {} }\n",
    );
    let answer = login(&server, "/auth/token", "denied", "x");
    let (_, log) = server.stop();
    let lines = audit(&log);
    let passed = &lines[0];
    assert_eq!(passed["message"], "passed over");
    assert_eq!(passed["request"], answer.header("x-request-id").unwrap());
    assert_eq!(passed["backend"], "first");
    assert_eq!(passed["reason"], "private reason");
    assert_eq!(lines.last().unwrap()["message"], "no token");
}

#[test]
fn h08_names_and_agents_cannot_forge_or_hide_a_line() {
    let folder = Folder::new();
    let server = answers(&folder, "");
    let name = "a\r\n{\"level\":\"forged\"}\u{1b}[31m\u{202e}\u{9b}\u{2028}";
    login(&server, "/auth/token", name, "agent\u{9b}\" x=\"y");
    login(
        &server,
        "/auth/token",
        &"n".repeat(5_000),
        &"u".repeat(5_000),
    );
    let (_, log) = server.stop();
    let lines = audit(&log);
    assert_eq!(lines.len(), 2);
    for hidden in ['\u{1b}', '\u{202e}', '\u{9b}', '\u{2028}'] {
        assert!(!log.contains(hidden), "{hidden:?}");
    }
    let user = lines[0]["user"].as_str().unwrap();
    assert!(user.starts_with("a\\u{d}\\u{a}{\"level\""), "{user}");
    for key in ["user", "agent"] {
        assert_eq!(lines[1][key].as_str().unwrap().len(), 256, "{key}");
    }
}

#[test]
fn client_that_goes_away_is_audited_as_abandoned() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("hangs"), "hangs");
    let server = Server::start(
        &folder,
        "plugins: { directories: [plugins] }\nbackends:\n  slow: { plugin: hangs, config: {} }\n",
    );
    let body = r#"{"username":"forever","password":"x"}"#;
    let mut client = TcpStream::connect(server.address).unwrap();
    let head = "POST /auth/token HTTP/1.1\r\nhost: a\r\ncontent-type: application/json";
    write!(
        client,
        "{head}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    // Another request goes all the way, so that the first one is on its way, too.
    assert_eq!(server.login("ada", "x").status, 201);
    drop(client);
    let begun = Instant::now();
    while !server.log().contains("abandoned") {
        assert!(begun.elapsed().as_secs() < 9, "{}", server.log());
        std::thread::yield_now();
    }
}
