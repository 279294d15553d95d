//! Every answer of `/auth/verify` about tokens of our own.

use countersign_tests::wire::Wire;
use countersign_tests::{Folder, get, post_json, send};
use serde_json::Value;

use super::{ask, ask_with, identity, refused, with_claims};
use crate::run;

#[test]
fn good_token_passes_and_every_identity_header_is_there() {
    let folder = Folder::new();
    let server = with_claims(&folder, "");
    let answer = ask(&server, "", &server.token("ada", "door"));
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (200, ""),
        "{answer:?}"
    );
    assert_eq!(
        identity(&answer),
        ["ada", "ada", "", "Op,a%2CAdmin", "https://id.example"]
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    // A name can forge neither a header nor a role.
    let answer = ask(&server, "", &server.token("a, b\u{e9}", "door"));
    assert_eq!(identity(&answer)[1], "a,%20b%C3%A9");
}

#[test]
fn token_that_says_nothing_of_a_user_leaves_nothing_of_the_clients_headers() {
    let folder = Folder::new();
    let server = crate::template(&folder);
    let bearer = format!("Bearer {}", server.token("ada", "door"));
    let spoofed = [
        ("authorization", bearer.as_str()),
        ("x-auth-user", "root"),
        ("x-auth-email", "root@example.org"),
        ("x-auth-roles", "Admin"),
    ];
    let answer = ask_with(&server, "", &spoofed);
    let issuer = format!("http://{}", server.address);
    assert_eq!(identity(&answer), ["ada", "", "", "", &issuer]);
    refused(
        &ask_with(&server, "?role=Admin", &spoofed),
        403,
        "insufficient_scope",
    );
}

#[test]
fn s17_what_is_said_of_the_original_request_decides_nothing() {
    let folder = Folder::new();
    let server = with_claims(&folder, "");
    let token = server.token("ada", "door");
    let bearer = format!("Bearer {token}");
    for (name, value) in [
        ("x-forwarded-uri", "/?audience=lake"),
        ("x-original-url", "/auth/verify?role=Op"),
        ("x-forwarded-method", "OPTIONS"),
        ("x-original-method", "OPTIONS"),
        ("x-http-method-override", "OPTIONS"),
        ("x-forwarded-user", "root"),
        ("x-forwarded-for", "127.0.0.1"),
    ] {
        refused(&ask_with(&server, "", &[(name, value)]), 401, "");
        let with = [("authorization", bearer.as_str()), (name, value)];
        refused(
            &ask_with(&server, "?role=Admin", &with),
            403,
            "insufficient_scope",
        );
        let answer = ask_with(&server, "?role=Op", &with);
        assert_eq!(
            (answer.status, identity(&answer)[1]),
            (200, "ada"),
            "{name}"
        );
    }
    // Envoy asks with the method and the path of the original request.
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let path = "/auth/verify?role=Admin&path=/jobs?role=Op&audience=lake";
        let headers = [("authorization", bearer.as_str())];
        let answer = send(server.address, method, path, &headers, b"");
        refused(&answer, 403, "insufficient_scope");
    }
    for method in ["TRACE", "BREW"] {
        let answer = send(
            server.address,
            method,
            "/auth/verify",
            &[("authorization", &bearer)],
            b"",
        );
        assert!([400, 405, 501].contains(&answer.status), "{answer:?}");
    }
}

#[test]
fn audience_and_role_are_what_the_operator_asks_for() {
    let folder = Folder::new();
    let server = with_claims(&folder, "");
    let token = server.token("ada", "door");
    for query in [
        "",
        "?audience=apache-airflow",
        "?role=Op",
        "?role=x&role=Op",
    ] {
        assert_eq!(ask(&server, query, &token).status, 200, "{query}");
    }
    for query in [
        "?audience=lake",
        "?audience=https://lake.example",
        "?audience=countersign",
    ] {
        refused(&ask(&server, query, &token), 401, "invalid_token");
    }
    for query in ["?role=Admin", "?role=op", "?role=a", "?role=Op%20"] {
        refused(&ask(&server, query, &token), 403, "insufficient_scope");
    }
    // A slip of the operator is no condition less.
    for query in [
        "?audience=sea",
        "?roles=Op",
        "?audience=",
        "?role=",
        "?access_token=x",
    ] {
        assert_eq!(ask(&server, query, &token).status, 400, "{query}");
    }
}

#[test]
fn without_exactly_one_bearer_token_nobody_passes() {
    let folder = Folder::new();
    let server = with_claims(&folder, "");
    let token = server.token("ada", "door");
    let bearer = format!("Bearer {token}");
    let basic = ("authorization", "Basic YWRhOmRvb3I=");
    let cookie = format!("token={token}; access_token={token}");
    for headers in [
        vec![],
        vec![basic],
        vec![("authorization", "Bearer")],
        vec![("authorization", token.as_str())],
        vec![("authorization", &bearer), ("authorization", &bearer)],
        vec![basic, ("authorization", &bearer)],
        vec![("cookie", &cookie)],
        vec![("x-forwarded-access-token", &token)],
    ] {
        refused(&ask_with(&server, "", &headers), 401, "");
    }
    let loose = format!("bearer  {token}");
    assert_eq!(
        ask_with(&server, "", &[("authorization", &loose)]).status,
        200
    );
}

/// A bot's opaque token.
fn opaque(folder: &Folder) -> String {
    let create = ["bots", "create", "etl"];
    let token = ["bots", "token", "etl", "--expiry", "7", "--form", "opaque"];
    assert_eq!(run(folder, &create, &[]).code, 0);
    run(folder, &token, &[]).stdout.trim().to_owned()
}

#[test]
fn token_that_breaks_a_rule_is_refused_and_audited_by_its_rule() {
    let folder = Folder::new();
    let server = with_claims(&folder, "");
    let token = server.token("ada", "door");
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let first = if signature.starts_with('A') { "B" } else { "A" };
    let none = "eyJhbGciOiJub25lIn0";
    let cases = [
        (format!("{signed}.{first}{}", &signature[1..]), "signature"),
        (format!("{none}.{payload}."), "alg"),
        (format!("{signed}."), "signature"),
        (format!("{header}.{signature}"), "segments"),
        (format!("{token}="), "base64url"),
        ("nonsense".to_owned(), "segments"),
        (opaque(&folder), "opaque"),
    ];
    for (token, _) in &cases {
        refused(&ask(&server, "", token), 401, "invalid_token");
    }
    refused(
        &ask(&server, "?role=Admin", &token),
        403,
        "insufficient_scope",
    );
    let passed = ask(&server, "", &token);
    let page = get(server.admin, "/metrics").body;
    for outcome in ["accepted", "role", "segments", "alg"] {
        let series = format!(
            r#"countersign_verifications_total{{issuer="",audience="",outcome="{outcome}"}}"#
        );
        assert!(page.contains(&series), "{series}\n{page}");
    }
    let (_, log) = server.stop();
    for part in [signature, payload, &cases[6].0] {
        assert!(!log.contains(part));
    }
    let lines = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines: Vec<_> = lines
        .filter(|line| line["target"] == "audit" && line["path"] == "/auth/verify")
        .collect();
    assert_eq!(lines.len(), cases.len() + 1, "{log}");
    for (line, (_, rule)) in lines.iter().zip(&cases) {
        let reason = line["reason"].as_str().unwrap();
        assert!(reason.starts_with(&format!("rule {rule}: ")), "{line}");
        assert_eq!(
            (&line["outcome"], &line["address"]),
            (&"denied".into(), &"127.0.0.1".into())
        );
    }
    let forbidden = lines.last().unwrap();
    assert_eq!(forbidden["outcome"], "forbidden");
    assert_eq!(
        (&forbidden["user"], &forbidden["sub"]),
        (&"ada".into(), &"ada".into())
    );
    // Whoever passes is counted; a line for each would be the traffic of all services.
    let id = passed.header("x-request-id").unwrap();
    assert!(!log.contains(id), "{log}");
}

#[test]
fn accepted_tokens_are_audited_where_it_is_configured_and_headers_have_other_names() {
    let folder = Folder::new();
    let server = with_claims(
        &folder,
        "server: { verify: { audit_accepted: true, headers: { subject: Remote-Id, user: Remote-User, email: \"\", roles: Remote-Groups, issuer: \"\" } } }",
    );
    let answer = ask(&server, "?role=Op", &server.token("ada", "door"));
    assert_eq!(answer.status, 200);
    let named = ["remote-id", "remote-user", "remote-groups"].map(|name| answer.header(name));
    assert_eq!(named, [Some("ada"), Some("ada"), Some("Op,a%2CAdmin")]);
    assert!(
        answer
            .headers
            .iter()
            .all(|(name, _)| !name.starts_with("x-auth-"))
    );
    let id = answer.header("x-request-id").unwrap().to_owned();
    let (_, log) = server.stop();
    let line = log.lines().find(|line| line.contains(&id)).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["message"], "let through");
    assert_eq!(
        (&line["user"], &line["outcome"]),
        (&"ada".into(), &"accepted".into())
    );
}

#[test]
fn connection_stays_open_over_any_mix_of_answers() {
    let folder = Folder::new();
    let server = with_claims(&folder, "");
    let token = server.token("ada", "door");
    let mut wire = Wire::to(server.address);
    for (bearer, status) in [
        (token.as_str(), 200),
        ("x", 401),
        (&token, 200),
        ("", 401),
        (&token, 200),
    ] {
        wire.send(format!(
            "GET /auth/verify HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {bearer}\r\n\r\n"
        ));
        assert_eq!(wire.answer().unwrap().status, status);
    }
}

#[test]
fn tokens_of_the_login_and_of_another_audience_know_their_door() {
    let folder = Folder::new();
    let server = with_claims(&folder, "");
    let body = r#"{"username":"ada","password":"door"}"#;
    let answer = post_json(server.address, "/auth/token/cli", body);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(ask(&server, "", &token).status, 200);
    // Minted by a server with another default audience, under the same keys and issuer.
    let (code, _) = server.stop();
    assert_eq!(code, 0);
    let config = std::fs::read_to_string(folder.join("config.yaml")).unwrap();
    let config = config.replace("audiences:\n", "audience: elsewhere\n  audiences:\n");
    let server = countersign_tests::Server::start(&folder, &config);
    refused(&ask(&server, "", &token), 401, "invalid_token");
}
