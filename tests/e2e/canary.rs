//! No credential in any log, error, page or command output. Every place where a
//! secret goes in gets a canary; every place where text comes out is searched.

use countersign_tests::{Folder, Server, artifacts, countersign, get, post_json, send};

use crate::run;
use crate::traces::{Collector, holds};

const CANARY: &str = "canary-7f3a";

#[test]
fn c07_secrets_come_out_nowhere() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    folder.plugin(&artifacts::fixture("panics_in_create_token"), "panics");
    folder.write("secret", format!("{CANARY}-file\n"));
    let config = format!(
        "plugins: {{ directories: [plugins] }}\nbackends:\n  users: {{ plugin: db, config: {{ url: \"sqlite://{{state}}/users.db\" }} }}\n  door: {{ plugin: template, config: {{ password: {CANARY}-config }} }}\n  file: {{ plugin: template, config: {{ password: {{ file: secret }} }} }}\n  bad: {{ plugin: panics, config: {{}} }}\n"
    );
    folder.plugin(&artifacts::plugin("db"), "db");
    let variables = [("RUST_LOG", "trace")];
    let server = Server::with(&folder, &config, &variables);
    let mut seen = String::new();
    let body = |name: &str| {
        format!(r#"{{"username":"{name}","password":"{CANARY}-typed","note":"{CANARY}-note"}}"#)
    };
    for path in [
        "/auth/token",
        "/auth/token/cli",
        "/auth/users/token",
        "/auth/door/token",
        "/auth/bad/token",
        "/nowhere",
        "/auth/token?password=canary-7f3a-query",
        "/nowhere?password=canary-7f3a-query",
    ] {
        for name in ["admin", "boom", "nobody"] {
            seen += &format!("{:?}", post_json(server.address, path, &body(name)));
        }
    }
    for (kind, text) in [
        ("text/plain", body("a")),
        (
            "application/x-www-form-urlencoded",
            format!("password={CANARY}"),
        ),
        ("application/json", format!("{{\"password\":\"{CANARY}\"")),
        ("application/json", format!("\"{CANARY}\"")),
    ] {
        let headers = [
            ("content-type", kind),
            ("authorization", "Bearer canary-7f3a-bearer"),
            ("cookie", "a=canary-7f3a-cookie"),
        ];
        seen += &format!(
            "{:?}",
            send(
                server.address,
                "POST",
                "/auth/token",
                &headers,
                text.as_bytes()
            )
        );
    }
    let environment = [
        ("COUNTERSIGN_STATE", server.state.to_str().unwrap()),
        ("COUNTERSIGN_CONFIG", "config.yaml"),
    ];
    for arguments in [
        &["users", "add", "eve", "--password-stdin"][..],
        &["users", "add", "eve", "--role", "None", "--password-stdin"],
        &["users", "list"],
        &["check"],
        &["config", "show"],
        &["config", "show", "--origin"],
        &["config", "show", "--json"],
        &["config", "schema"],
        &["config", "explain", "backends.door.config.password"],
    ] {
        seen += &format!(
            "{:?}",
            countersign(
                folder.path(),
                arguments,
                &environment,
                &format!("{CANARY}-stdin\n")
            )
        );
    }
    // Once more than the throttle lets through.
    for _ in 0..11 {
        seen += &format!(
            "{:?}",
            post_json(server.address, "/auth/token", &body("admin"))
        );
    }
    for path in ["/readyz", "/metrics"] {
        seen += &format!("{:?}", get(server.admin, path));
    }
    seen += &format!("{:?}", get(server.address, "/openapi.json"));
    assert!(
        seen.contains("Too Many Requests"),
        "the throttle has spoken"
    );
    let (code, log) = server.stop();
    assert_eq!(code, 0);
    assert!(
        log.contains("\"target\":\"audit\""),
        "the log has something to search"
    );
    for (what, text) in [("an answer or a command", &seen), ("the log", &log)] {
        let place = text
            .find(CANARY)
            .map(|at| &text[at.saturating_sub(300)..(at + 60).min(text.len())]);
        assert_eq!(place, None, "a secret came out in {what}");
    }
}

#[test]
fn c07_no_outcome_tells_what_was_sent_or_issued_in_log_metric_or_trace() {
    let collector = Collector::start();
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("answers"), "answers");
    folder.plugin(&artifacts::fixture("panics_in_create_token"), "panics");
    let config = "server: { throttle: { user: 2, address: 0 }, trusted_proxies: [127.0.0.1] }\nplugins: { directories: [plugins] }\nbackends:\n  first: { plugin: answers, config: {}, on_denied: next, on_unavailable: next }\n  bad: { plugin: panics, config: {}, match: { username: boom } }\n";
    let endpoint = format!("http://{}", collector.address);
    let variables = [
        ("RUST_LOG", "trace"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
    ];
    let server = Server::with(&folder, config, &variables);
    let headers = [
        ("content-type", "application/json"),
        ("cookie", "a=canary-7f3a-cookie"),
        ("x-api-key", "canary-7f3a-key"),
        ("proxy-authorization", "Basic canary-7f3a-proxy"),
        ("tracestate", "a=canary-7f3a-state"),
        ("baggage", "a=canary-7f3a-baggage"),
        ("traceparent", "canary-7f3a-parent"),
        ("x-forwarded-for", "canary-7f3a-address"),
        ("x-request-id", "canary 7f3a id"),
    ];
    let (mut tokens, mut statuses, mut seen) = (Vec::new(), Vec::new(), String::new());
    for bearer in ["Bearer canary-7f3a-bearer", "Basic canary-7f3a-basic"] {
        let headers = [&headers[..], &[("authorization", bearer)]].concat();
        for name in [
            "ada",
            "denied",
            "denied",
            "denied",
            "invalid",
            "unavailable",
            "fault",
            "empty",
            "nobody",
            "boom",
            "",
        ] {
            for path in ["/auth/token", "/auth/first/token", "/auth/bad/token"] {
                let path = format!("{path}?access_token={CANARY}-query");
                let body = format!(r#"{{"username":"{name}","password":"{CANARY}-typed"}}"#);
                let answer = send(server.address, "POST", &path, &headers, body.as_bytes());
                statuses.push(answer.status);
                match answer.status {
                    201 => {
                        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
                        tokens.push(token.rsplit_once('.').unwrap().1.to_owned());
                    }
                    _ => seen += &format!("{answer:?}"),
                }
            }
        }
    }
    for status in [201, 400, 401, 429, 500, 503] {
        assert!(statuses.contains(&status), "{status} in {statuses:?}");
    }
    seen += &run(&folder, &["reload"], &[]).stdout;
    for path in ["/readyz", "/metrics"] {
        seen += &get(server.admin, path).body;
    }
    let (code, log) = server.stop();
    assert_eq!(code, 0);
    let sent = collector.all();
    assert!(holds(&sent, "backend first"), "there are spans to search");
    assert!(log.contains(r#""message":"answered""#), "and access lines");
    for secret in tokens.iter().map(String::as_str).chain([CANARY]) {
        assert!(!seen.contains(secret), "{seen}");
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None);
        assert!(!holds(&sent, secret), "{}", String::from_utf8_lossy(&sent));
    }
}

#[test]
fn h08_control_characters_of_a_username_stay_escaped_in_the_log() {
    let folder = Folder::new();
    let server = crate::template(&folder);
    let name = "a\\n{\\\"level\\\":\\\"forged\\\"}\\u001b[31m";
    post_json(
        server.address,
        "/auth/token",
        &format!(r#"{{"username":"{name}","password":"no"}}"#),
    );
    let (_, log) = server.stop();
    assert!(
        log.lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "each line is one JSON object:\n{log}"
    );
    assert!(!log.contains('\u{1b}'));
}
