//! What is refused at the token endpoint, with which error, and what the audit log says.

use countersign_tests::{Answer, Folder, Server, artifacts, get, send};
use serde_json::Value;

use super::{EXCHANGE, TYPE, audit, exchange, form, post, server};
use crate::template;

/// The error of an answer that has the shape of RFC 6749 section 5.2.
fn error(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(
        answer.header("cache-control"),
        Some("no-store"),
        "{answer:?}"
    );
    assert_eq!(answer.header("pragma"), Some("no-cache"), "{answer:?}");
    assert!(body["error_description"].is_string(), "{answer:?}");
    (answer.status, body["error"].as_str().unwrap().to_owned())
}

fn is(answer: &Answer, status: u16, name: &str) {
    assert_eq!(error(answer), (status, name.to_owned()), "{answer:?}");
}

#[test]
fn s07_exchange_that_cannot_be_is_refused_before_any_backend_is_asked() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let (saml, refresh) = (format!("{TYPE}saml2"), format!("{TYPE}refresh_token"));
    for (more, name) in [
        (&[("subject_token", "")][..], "invalid_request"),
        (&[("subject_token", "a b")], "invalid_request"),
        (&[("subject_token", "a\r\nx-evil: 1")], "invalid_request"),
        (&[("subject_token", "é")], "invalid_request"),
        (&[("subject_token_type", "")], "invalid_request"),
        (&[("subject_token_type", "access_token")], "invalid_request"),
        (&[("subject_token_type", &saml)], "invalid_request"),
        (&[("requested_token_type", &refresh)], "invalid_request"),
        (&[("requested_token_type", &saml)], "invalid_request"),
        (&[("actor_token", "ada")], "invalid_request"),
        (&[("actor_token_type", &saml)], "invalid_request"),
        (&[("client_id", "a\nb")], "invalid_request"),
        (&[("client_id", &"x".repeat(256))], "invalid_request"),
        (&[("scope", "admin")], "invalid_scope"),
        (&[("audience", "pond")], "invalid_target"),
        (&[("resource", "https://lake.example")], "invalid_target"),
        (
            &[("audience", "lake"), ("audience", "sea")],
            "invalid_target",
        ),
        (
            &[("audience", "lake"), ("resource", "sea")],
            "invalid_target",
        ),
        (&[("grant_type", "password")], "unsupported_grant_type"),
        (
            &[("grant_type", "authorization_code")],
            "unsupported_grant_type",
        ),
        (&[("grant_type", "")], "invalid_request"),
    ] {
        let answer = exchange(&server, "ada", more);
        is(&answer, 400, name);
    }
    let (_, log) = server.stop();
    let lines: Vec<Value> = audit(&log);
    assert_eq!(lines.len(), 21, "one line for each");
    for line in lines {
        assert_eq!(
            (&line["outcome"], &line["backend"]),
            (&"malformed".into(), &Value::Null),
            "{line}"
        );
        assert_eq!(line["path"], "/oauth2/token");
    }
}

#[test]
fn s01_what_the_backend_says_becomes_an_oauth_error() {
    let folder = Folder::new();
    let server = server(&folder, "");
    for (subject, status, name) in [
        ("denied", 400, "invalid_request"),
        ("nobody", 400, "invalid_request"),
        ("invalid", 400, "invalid_request"),
        ("unavailable", 503, "temporarily_unavailable"),
        ("fault", 500, "server_error"),
    ] {
        let answer = exchange(&server, subject, &[]);
        is(&answer, status, name);
        assert!(!answer.body.contains("private"), "{answer:?}");
        assert_eq!(answer.header("retry-after"), (status == 503).then_some("7"));
        let id = (status == 500).then(|| answer.header("x-request-id").unwrap().to_owned());
        assert_eq!(answer.json()["request_id"].as_str(), id.as_deref());
    }
    let (denied, nobody) = (
        exchange(&server, "denied", &[]),
        exchange(&server, "nobody", &[]),
    );
    assert_eq!(denied.body, nobody.body);
    let words = exchange(&server, "invalid", &[]);
    assert_eq!(words.json()["error_description"], "public ?words?");
    let (_, log) = server.stop();
    let lines = audit(&log);
    let outcomes: Vec<_> = lines
        .iter()
        .map(|line| line["outcome"].as_str().unwrap())
        .collect();
    let expected = [
        "denied",
        "not_applicable",
        "invalid",
        "unavailable",
        "fault",
    ];
    assert_eq!(outcomes[..5], expected);
    assert_eq!(
        (&lines[0]["user"], &lines[0]["reason"]),
        (&"the-subject".into(), &"private reason".into())
    );
}

#[test]
fn s02_requests_that_two_could_read_differently_are_invalid() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let good = form(&[
        ("grant_type", EXCHANGE),
        ("subject_token", "ada"),
        ("subject_token_type", &format!("{TYPE}jwt")),
    ]);
    assert_eq!(post(&server, &[], &good).status, 200);
    for bad in [
        format!("{good}&grant_type=password"),
        format!("{good}&subject_token=eve"),
        format!("{good}&subject%5Ftoken=eve"),
        format!("{good}&unknown=1&unknown=1"),
        format!("{good}&x=1&x="),
        format!("{good}&x=%00"),
        format!("{good}&x=%ff"),
        format!("{good}&x=%4"),
        format!("{good}&x=%zz"),
        String::new(),
    ] {
        is(&post(&server, &[], &bad), 400, "invalid_request");
    }
    let raw = [good.as_bytes(), b"&x=\xc3\x28"].concat();
    let kinds = [
        ("application/x-www-form-urlencoded", raw.as_slice()),
        ("application/json", br#"{"grant_type":"x"}"#.as_slice()),
        ("multipart/form-data; boundary=x", good.as_bytes()),
        ("text/plain", good.as_bytes()),
        ("", good.as_bytes()),
    ];
    for (kind, body) in kinds {
        let answer = send(
            server.address,
            "POST",
            "/oauth2/token",
            &[("content-type", kind)],
            body,
        );
        is(&answer, 400, "invalid_request");
    }
    let spelled = [(
        "content-type",
        "Application/X-WWW-Form-Urlencoded; charset=UTF-8",
    )];
    let answer = send(
        server.address,
        "POST",
        "/oauth2/token",
        &spelled,
        good.as_bytes(),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    let large = format!("{good}&x={}", "x".repeat(70_000));
    is(&post(&server, &[], &large), 413, "invalid_request");
    for method in ["GET", "PUT", "DELETE"] {
        let answer = send(server.address, method, "/oauth2/token", &[], b"");
        is(&answer, 405, "invalid_request");
        assert_eq!(answer.header("allow"), Some("POST"));
    }
}

#[test]
fn t57_token_in_the_query_is_refused_even_beside_a_good_one() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let good = form(&[
        ("grant_type", EXCHANGE),
        ("subject_token", "ada"),
        ("subject_token_type", &format!("{TYPE}jwt")),
    ]);
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    for (query, body) in [
        (good.as_str(), ""),
        ("subject_token=ada", good.as_str()),
        ("access_token=ada", good.as_str()),
        ("", good.as_str()),
    ] {
        let path = format!("/oauth2/token?{query}");
        let answer = send(server.address, "POST", &path, &kind, body.as_bytes());
        is(&answer, 400, "invalid_request");
    }
}

#[test]
fn s03_client_that_shows_a_credential_is_refused_alike_whoever_it_is() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let asked = [
        ("grant_type", EXCHANGE),
        ("subject_token", "ada"),
        ("subject_token_type", "x"),
    ];
    let of = |header: &str, more: &[(&str, &str)]| {
        let body = form(&[&asked[..], more].concat());
        let header = [("authorization", header)];
        post(
            &server,
            if header[0].1.is_empty() { &[] } else { &header },
            &body,
        )
    };
    let shown = [
        of("Basic YWRhOmRvb3I=", &[]),
        of("Basic !!", &[]),
        of("Bearer ada", &[]),
        of("", &[("client_id", "known"), ("client_secret", "bad")]),
        of("", &[("client_id", "other"), ("client_secret", "x")]),
        of(
            "",
            &[
                ("client_assertion", "a.b.c"),
                ("client_assertion_type", "x"),
            ],
        ),
    ];
    for (index, answer) in shown.iter().enumerate() {
        is(answer, 401, "invalid_client");
        assert_eq!(answer.body, shown[0].body);
        let challenge = (index < 3).then_some(r#"Basic realm="countersign""#);
        assert_eq!(answer.header("www-authenticate"), challenge, "{answer:?}");
    }
    is(
        &of("Basic YTpi", &[("client_secret", "x")]),
        400,
        "invalid_request",
    );
}

#[test]
fn s05_token_of_somebody_else_is_refused_where_no_backend_takes_any() {
    let folder = Folder::new();
    let server = template(&folder);
    is(&exchange(&server, "ada", &[]), 400, "invalid_request");
}

#[test]
fn refused_tokens_are_throttled_and_counted_under_the_endpoints_path() {
    let folder = Folder::new();
    let server = server(&folder, "server: { throttle: { address: 2 } }");
    is(&exchange(&server, "denied", &[]), 400, "invalid_request");
    is(&exchange(&server, "denied", &[]), 400, "invalid_request");
    let answer = exchange(&server, "denied", &[]);
    is(&answer, 429, "temporarily_unavailable");
    assert!(answer.header("retry-after").is_some());
    let metrics = get(server.admin, "/metrics").body;
    let counted = metrics
        .lines()
        .find(|line| line.contains("/oauth2/token") && line.contains("429"));
    assert!(counted.is_some(), "{metrics}");
}

#[test]
fn c07_nothing_that_was_sent_comes_out() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("bearers"), "bearers");
    let config = "plugins: { directories: [plugins] }\nbackends:\n  sso: { plugin: bearers, config: {}, roles: { default: [x] } }\n";
    let server = Server::with(&folder, config, &[("RUST_LOG", "trace")]);
    let mut seen = String::new();
    for parameter in [
        "subject_token",
        "actor_token",
        "client_secret",
        "client_assertion",
        "code",
        "code_verifier",
        "password",
        "refresh_token",
    ] {
        for kind in ["jwt", "canary-7f3a-type"] {
            let body = form(&[
                ("grant_type", EXCHANGE),
                ("subject_token_type", &format!("{TYPE}{kind}")),
                (parameter, "canary-7f3a"),
                ("canary-7f3a-name", "canary-7f3a"),
            ]);
            let answer = post(&server, &[], &body);
            // The fixture takes any token for a name, and a token is answered as a token.
            if answer.status != 200 {
                seen += &format!("{answer:?}");
            }
            seen += &format!(
                "{:?}",
                post(&server, &[("authorization", "Basic canary-7f3a")], &body)
            );
            let path = format!("/oauth2/token?{body}");
            seen += &format!("{:?}", send(server.address, "POST", &path, &[], b""));
        }
    }
    seen += &get(server.admin, "/metrics").body;
    let (_, log) = server.stop();
    assert!(!seen.contains("canary-7f3a"), "{seen}");
    // The user is named as the fixture named him.
    let mut lines = log.lines().filter(|line| !line.contains("token issued"));
    let found = lines.find(|line| line.contains("canary-7f3a"));
    assert_eq!(found, None);
}
