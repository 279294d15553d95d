//! What each outcome of a backend becomes for the client.

use countersign_tests::{Folder, Server, artifacts, get, post_json, send};

use crate::answers;

#[test]
fn each_outcome_has_its_status_and_no_private_detail() {
    let folder = Folder::new();
    let server = answers(&folder, "");
    for (username, status, detail) in [
        ("denied", 401, "Invalid credentials"),
        ("nobody", 401, "Invalid credentials"),
        ("invalid", 400, "public words"),
        ("unavailable", 503, "Service Unavailable"),
        ("fault", 500, "Internal Server Error"),
        ("empty", 500, "Internal Server Error"),
    ] {
        let answer = server.login(username, "x");
        assert_eq!(
            (answer.status, answer.json()["detail"].as_str()),
            (status, Some(detail)),
            "{username}"
        );
        assert!(!answer.body.contains("private"), "{}", answer.body);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
    assert_eq!(
        server.login("unavailable", "x").header("retry-after"),
        Some("7")
    );
    assert!(server.login("fault", "x").json()["request_id"].is_string());
    let (_, log) = server.stop();
    for private in [
        "private reason",
        "private outage",
        "private fault",
        "the-subject",
    ] {
        assert!(log.contains(private), "the audit log lacks {private:?}");
    }
}

#[test]
fn chain_passes_over_what_it_is_told_to_and_stops_otherwise() {
    let folder = Folder::new();
    let server = answers(
        &folder,
        "    on_denied: next\n    on_unavailable: next\n  second: { plugin: answers, config: {} }\n",
    );
    // The first passes; the second says the same and is the last word.
    for (username, status) in [
        ("denied", 401),
        ("unavailable", 503),
        ("nobody", 401),
        ("invalid", 400),
        ("fault", 500),
    ] {
        assert_eq!(server.login(username, "x").status, status, "{username}");
    }
}

#[test]
fn chain_asks_only_backends_that_match() {
    let folder = Folder::new();
    let more = "    match: { username: \".*@corp\", header: x-team }\n  second: { plugin: answers, config: {} }\ntokens: { subject_backend: first }\n";
    let server = answers(&folder, more);
    let sub = |name: &str, headers: &[(&str, &str)]| {
        let body = format!(r#"{{"username":"{name}","password":"x"}}"#);
        let answer = send(
            server.address,
            "POST",
            "/auth/token",
            &[&[("content-type", "application/json")], headers].concat(),
            body.as_bytes(),
        );
        countersign_tests::token::claims(answer.json()["access_token"].as_str().unwrap())["sub"]
            .clone()
    };
    assert_eq!(sub("a@corp", &[("X-Team", "1")]), "id-a@corp");
    assert_eq!(sub("a@corp", &[]), "second:id-a@corp");
    assert_eq!(
        sub("a@corp.evil", &[("X-Team", "1")]),
        "second:id-a@corp.evil"
    );
}

#[test]
fn direct_path_of_an_unknown_or_closed_backend_is_404() {
    let folder = Folder::new();
    let server = answers(
        &folder,
        "    direct: false\n  second: { plugin: answers, config: {} }\n  third: { plugin: answers, config: {}, login: false }\n",
    );
    let body = r#"{"username":"ada","password":"x"}"#;
    assert_eq!(
        post_json(server.address, "/auth/second/token", body).status,
        201
    );
    for closed in ["first", "third", "nowhere", "..", "%2e%2e"] {
        assert_eq!(
            post_json(server.address, &format!("/auth/{closed}/token"), body).status,
            404,
            "{closed}"
        );
    }
}

#[test]
fn p09_call_past_its_deadline_is_503_and_the_server_lives_on() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("hangs"), "hangs");
    let config = "plugins: { directories: [plugins] }\nbackends:\n  slow: { plugin: hangs, config: {}, timeout: 200ms, concurrency: 2 }\n";
    let server = Server::start(&folder, config);
    let answer = server.login("forever", "x");
    assert_eq!(answer.status, 503);
    assert!(answer.header("retry-after").is_some());
    assert_eq!(server.login("ada", "x").status, 201);
    // Aborted calls give their permits back. One more in a row would open the breaker.
    for _ in 0..4 {
        assert_eq!(server.login("forever", "x").status, 503);
    }
    assert_eq!(server.login("ada", "x").status, 201);
}

#[test]
fn p06_panic_is_a_500_of_that_request_alone() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("panics_in_create_token"), "panics");
    let server = Server::start(
        &folder,
        "plugins: { directories: [plugins] }\nbackends:\n  bad: { plugin: panics, config: {} }\n",
    );
    for _ in 0..3 {
        let answer = server.login("boom", "x");
        assert_eq!(
            (answer.status, answer.json()["detail"].as_str()),
            (500, Some("Internal Server Error"))
        );
        assert!(!answer.body.contains("own words"));
        assert_eq!(server.login("ada", "x").status, 201);
    }
    let (_, log) = server.stop();
    assert!(
        log.contains("the plugin's own words"),
        "the panic's text belongs in the log"
    );
}

#[test]
fn probes_answer_on_the_admin_listener_only() {
    let folder = Folder::new();
    let server = crate::template(&folder);
    assert_eq!(get(server.admin, "/healthz").status, 200);
    assert_eq!(get(server.admin, "/readyz").status, 200);
    assert_eq!(get(server.address, "/readyz").status, 404);
    assert_eq!(post_json(server.admin, "/auth/token", "{}").status, 404);
}

#[test]
fn sigterm_ends_the_server_with_success_and_no_socket_is_left() {
    let folder = Folder::new();
    let server = crate::template(&folder);
    let socket = server.state.join("admin.sock");
    assert!(socket.exists());
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    assert!(!socket.exists());
}

#[test]
fn d10_full_hash_queue_is_503_with_retry_after_and_the_rest_stays_up() {
    let folder = Folder::new();
    let config = "server: { throttle: { user: 0, address: 0 } }\nbackends:\n  users: { plugin: db, config: { url: \"sqlite://{state}/users.db\" } }\n";
    let server = Server::start(&folder, config);
    // More than the queue holds; each costs a whole scrypt.
    let logins = std::thread::available_parallelism().unwrap().get() * 64 + 100;
    let statuses: Vec<(u16, bool)> = std::thread::scope(|scope| {
        let login = || {
            let answer = server.login("admin", "wrong");
            (answer.status, answer.header("retry-after").is_some())
        };
        let threads: Vec<_> = (0..logins).map(|_| scope.spawn(login)).collect();
        assert_eq!(get(server.address, "/.well-known/jwks.json").status, 200);
        assert_eq!(get(server.admin, "/readyz").status, 200);
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(statuses.contains(&(503, true)), "{statuses:?}");
    assert!(statuses.contains(&(401, false)), "{statuses:?}");
    assert!(
        statuses
            .iter()
            .all(|seen| [(503, true), (401, false)].contains(seen)),
        "{statuses:?}"
    );
}

#[test]
fn subject_that_borrows_another_backends_name_is_a_fault() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let config = "plugins: { directories: [plugins] }\ntokens: { subject_backend: door }\nbackends:\n  door: { plugin: template, config: { password: door } }\n  users: { plugin: template, config: { password: other } }\n";
    let server = Server::start(&folder, config);
    assert_eq!(server.login("users:1", "door").status, 500);
    assert_eq!(server.login("nobody:1", "door").status, 201);
    let (_, log) = server.stop();
    assert!(log.contains("begins with"), "{log}");
}

#[test]
fn chain_takes_the_next_backends_word_when_it_passes_over() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("answers"), "answers");
    folder.plugin(&artifacts::plugin("template"), "template");
    let config = |more: &str| {
        format!(
            "plugins: {{ directories: [plugins] }}\ntokens: {{ subject_backend: second }}\nbackends:\n  first: {{ plugin: answers, config: {{}}{more} }}\n  second: {{ plugin: template, config: {{ password: door }} }}\n"
        )
    };
    let server = Server::start(&folder, &config(", on_denied: next, on_unavailable: next"));
    for (username, password, status) in [
        ("denied", "door", 201),
        ("unavailable", "door", 201),
        ("nobody", "door", 201),
        ("denied", "wrong", 401),
        ("unavailable", "wrong", 401),
        ("nobody", "wrong", 401),
        ("invalid", "door", 400),
        ("fault", "door", 500),
    ] {
        assert_eq!(
            server.login(username, password).status,
            status,
            "{username} {password}"
        );
    }
    drop(server);
    let server = Server::start(&folder, &config(""));
    for (username, status) in [("denied", 401), ("unavailable", 503), ("nobody", 201)] {
        assert_eq!(server.login(username, "door").status, status, "{username}");
    }
}

#[test]
fn h09_every_refusal_has_an_audit_line_and_a_request_id() {
    let folder = Folder::new();
    let server = crate::template(&folder);
    let kinds = [
        ("application/json", "{"),
        ("application/x-www-form-urlencoded", "a=b"),
        ("application/json", "[]"),
        ("application/json", "{}"),
    ];
    let ids = kinds.map(|(kind, body)| {
        let answer = send(
            server.address,
            "POST",
            "/auth/token",
            &[("content-type", kind)],
            body.as_bytes(),
        );
        answer.header("x-request-id").unwrap().to_owned()
    });
    let (_, log) = server.stop();
    for id in ids {
        assert!(
            log.lines()
                .any(|line| line.contains("\"audit\"") && line.contains(&id)),
            "{id} is missing in:\n{log}"
        );
    }
}

#[test]
fn second_signal_ends_the_server_at_once() {
    use std::io::Write;
    let folder = Folder::new();
    let server = crate::template(&folder);
    // A request whose body never ends holds the drain.
    let mut slow = std::net::TcpStream::connect(server.address).unwrap();
    slow.write_all(b"POST /auth/token HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n{")
        .unwrap();
    assert_eq!(server.login("ada", "door").status, 201);
    let begun = std::time::Instant::now();
    server.signal();
    // Signals that come together are one: the second waits until the first is told.
    while !server.log().contains("stopping:") {
        assert!(begun.elapsed().as_secs() < 8, "{}", server.log());
        std::thread::yield_now();
    }
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    assert!(
        log.contains("stopping now") && begun.elapsed().as_secs() < 8,
        "{log}"
    );
}
