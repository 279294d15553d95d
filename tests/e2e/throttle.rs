//! The brake on guessing passwords, as a client meets it.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use countersign_tests::{Answer, Folder, Server, artifacts, send};

use crate::{TEMPLATE, run, template};

const TOO_MANY: &str = r#"{"detail":"Too Many Requests"}"#;

/// A server with the template plugin and these settings of `server`.
fn server(folder: &Folder, settings: &str) -> Server {
    folder.plugin(&artifacts::plugin("template"), "template");
    Server::start(folder, &format!("server: {{ {settings} }}\n{TEMPLATE}"))
}

/// A login that comes through a proxy from `address`.
fn from(server: &Server, address: &str, username: &str, password: &str) -> Answer {
    let body = serde_json::json!({ "username": username, "password": password }).to_string();
    let headers = [
        ("content-type", "application/json"),
        ("x-forwarded-for", address),
    ];
    send(
        server.address,
        "POST",
        "/auth/token",
        &headers,
        body.as_bytes(),
    )
}

#[test]
fn eleventh_failure_is_429_with_retry_after_before_any_backend_is_asked() {
    let folder = Folder::new();
    let server = template(&folder);
    for _ in 0..10 {
        assert_eq!(server.login("ada", "wrong").status, 401);
    }
    let answer = server.login(" ADA", "door");
    assert_eq!((answer.status, answer.body.as_str()), (429, TOO_MANY));
    let pause: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&pause), "{pause}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(server.login("bob", "door").status, 201);
    let (_, log) = server.stop();
    let line = log.lines().find(|line| line.contains("throttled")).unwrap();
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["target"], "audit");
    assert_eq!(line["user"], " ADA");
    assert!(line["backend"].is_null(), "no backend was asked: {line}");
}

#[test]
fn d11_a_victim_logs_in_from_elsewhere_and_forged_addresses_do_not_help() {
    let folder = Folder::new();
    let server = server(
        &folder,
        "trusted_proxies: [127.0.0.1], throttle: { user: 3, address: 5 }",
    );
    for _ in 0..3 {
        assert_eq!(from(&server, "192.0.2.1", "ada", "no").status, 401);
    }
    assert_eq!(from(&server, "192.0.2.1", "ada", "door").status, 429);
    assert_eq!(from(&server, "192.0.2.2", "ada", "door").status, 201);
    // What stands left of the proxy's own word is the attacker's.
    let forged = from(&server, "192.0.2.2, 192.0.2.1", "ada", "door");
    assert_eq!(forged.status, 429);
    for name in ["eve", "mallory"] {
        assert_eq!(from(&server, "192.0.2.1", name, "no").status, 401);
    }
    assert_eq!(from(&server, "192.0.2.1", "trent", "door").status, 429);
}

#[test]
fn forwarded_addresses_of_a_stranger_do_not_make_new_allowances() {
    let folder = Folder::new();
    let server = server(&folder, "throttle: { user: 3 }");
    for host in 1..=3 {
        let address = format!("192.0.2.{host}");
        assert_eq!(from(&server, &address, "ada", "no").status, 401);
    }
    assert_eq!(from(&server, "192.0.2.9", "ada", "door").status, 429);
}

#[test]
fn outages_faults_and_malformed_requests_never_count() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("answers"), "answers");
    let server = Server::start(
        &folder,
        "server: { throttle: { user: 2, address: 4 } }\nplugins: { directories: [plugins] }\nbackends:\n  first: { plugin: answers, config: {} }\n",
    );
    for (name, status) in [
        ("unavailable", 503),
        ("fault", 500),
        ("empty", 500),
        ("invalid", 400),
        ("", 400),
    ] {
        for _ in 0..6 {
            assert_eq!(server.login(name, "x").status, status, "{name}");
        }
    }
    for status in [401, 401, 429] {
        assert_eq!(server.login("denied", "x").status, status);
    }
    // The subject that the plugin names is counted, and so is a name that nobody knows.
    for status in [401, 401, 429] {
        assert_eq!(server.login("nobody", "x").status, status);
    }
    assert_eq!(server.login("ada", "x").status, 429, "4 from this address");
}

#[test]
fn refusal_counts_whatever_becomes_of_the_request_at_later_backends() {
    for (later, status) in [("unavailable", 503), ("fault", 500), ("invalid", 400)] {
        let folder = Folder::new();
        folder.plugin(&artifacts::fixture("answers"), "answers");
        let server = Server::start(
            &folder,
            "server: { throttle: { user: 2 } }\nplugins: { directories: [plugins] }\ntokens: { subject_backend: first }\nbackends:\n  first: { plugin: answers, config: { place: 0 }, on_denied: next }\n  second: { plugin: answers, config: { place: 1 } }\n",
        );
        let name = format!("denied+{later}");
        for expected in [status, status, 429] {
            assert_eq!(server.login(&name, "x").status, expected, "{name}");
        }
        // Whoever the second backend knows has failed nowhere.
        for _ in 0..4 {
            assert_eq!(server.login("denied+ada", "x").status, 201);
        }
    }
}

#[test]
fn outage_after_somebody_knew_the_user_does_not_make_earlier_refusals_count() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("answers"), "answers");
    folder.plugin(&artifacts::fixture("provisions"), "provisions");
    let server = Server::start(
        &folder,
        "server: { throttle: { user: 2 } }\nplugins: { directories: [plugins] }\ntokens: { subject_backend: rows }\nbackends:\n  first: { plugin: answers, config: { place: 0 }, on_denied: next }\n  second: { plugin: answers, config: { place: 1 }, provision: rows, registration: true }\n  rows: { plugin: provisions, config: {}, login: false }\n",
    );
    for _ in 0..4 {
        assert_eq!(server.login("denied+unavailable-row", "x").status, 503);
    }
}

#[test]
fn refusal_counts_although_the_client_hangs_up_before_a_later_backend_answers() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    folder.plugin(&artifacts::fixture("hangs"), "hangs");
    let server = Server::start(
        &folder,
        "server: { throttle: { user: 2 } }\nplugins: { directories: [plugins] }\nbackends:\n  door: { plugin: template, config: { password: door }, on_denied: next }\n  slow: { plugin: hangs, config: {} }\n",
    );
    let body = r#"{"username":"forever","password":"guess"}"#;
    let request = format!(
        "POST /auth/token HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let lines = |what: &str| server.log().matches(what).count();
    let begun = Instant::now();
    for guess in 1..=2 {
        let mut client = TcpStream::connect(server.address).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        while lines("passed over") < guess {
            assert!(begun.elapsed() < Duration::from_secs(20));
            std::thread::yield_now();
        }
        drop(client);
        while lines("abandoned") < guess {
            assert!(begun.elapsed() < Duration::from_secs(20));
            std::thread::yield_now();
        }
    }
    assert_eq!(server.login("forever", "door").status, 429);
}

#[test]
fn success_resets_the_pair() {
    let folder = Folder::new();
    let server = server(&folder, "throttle: { user: 3 }");
    for _ in 0..4 {
        for _ in 0..2 {
            assert_eq!(server.login("ada", "wrong").status, 401);
        }
        assert_eq!(server.login("ada", "door").status, 201);
    }
}

#[test]
fn window_forgives_after_retry_after() {
    let folder = Folder::new();
    let server = server(&folder, "throttle: { user: 2, window: 1s }");
    for _ in 0..2 {
        server.login("ada", "wrong");
    }
    let begun = Instant::now();
    while server.login("ada", "door").status != 201 {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn zero_is_no_limit() {
    let folder = Folder::new();
    let server = server(&folder, "throttle: { user: 0, address: 0 }");
    for _ in 0..120 {
        assert_eq!(server.login("ada", "wrong").status, 401);
    }
}

#[test]
fn counts_survive_a_reload_and_limits_follow_it() {
    let folder = Folder::new();
    let mut server = server(&folder, "throttle: { user: 2 }");
    for _ in 0..2 {
        assert_eq!(server.login("ada", "wrong").status, 401);
    }
    let reload = |folder: &Folder| {
        let done = run(folder, &["reload"], &[]);
        assert_eq!(done.code, 0, "{done:?}");
    };
    reload(&folder);
    assert_eq!(server.login("ada", "door").status, 429);
    folder.write(
        "config.yaml",
        format!("server: {{ throttle: {{ user: 3 }} }}\n{TEMPLATE}"),
    );
    reload(&folder);
    assert_eq!(server.login("ada", "door").status, 201);
    assert!(server.is_running());
}
