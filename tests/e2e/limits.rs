//! What the public listener takes from clients, and what it does not: requests that
//! two readers could understand differently, slow clients, too many of them.

use std::fs;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use countersign_tests::client::raw;
use countersign_tests::wire::{Wire, login};
use countersign_tests::{Folder, Server, artifacts, get, send};

use crate::{TEMPLATE, template};

fn limited(folder: &Folder, limits: &str) -> Server {
    folder.plugin(&artifacts::plugin("template"), "template");
    Server::start(
        folder,
        &format!("{TEMPLATE}\nserver: {{ limits: {{ {limits} }} }}\n"),
    )
}

/// What is hidden behind each of these must never be answered.
const HIDDEN: &str = "GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n";

#[test]
fn h01_ambiguous_requests_are_refused_and_nothing_behind_them_is_read() {
    let folder = Folder::new();
    let server = template(&folder);
    let post = "POST /auth/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n";
    let many: String = (0..10_000).map(|i| format!("X-{i}: 1\r\n")).collect();
    for (name, head, status) in [
        (
            "CL.TE",
            format!("{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            400,
        ),
        (
            "TE.CL",
            format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"),
            400,
        ),
        (
            "TE.TE",
            format!(
                "{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"
            ),
            400,
        ),
        (
            "TE.TE, both chunked",
            format!(
                "{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            400,
        ),
        (
            "TE list",
            format!("{post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
            400,
        ),
        (
            "TE in disguise",
            format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
            400,
        ),
        (
            "TE with a space before its colon",
            format!("{post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
            400,
        ),
        (
            "TE in HTTP/1.0",
            "POST /auth/token HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
            400,
        ),
        (
            "two lengths",
            format!("{post}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{{}}abc"),
            400,
        ),
        (
            "a signed length",
            format!("{post}Content-Length: +2\r\n\r\n{{}}"),
            400,
        ),
        (
            "obs-fold",
            format!("{post}X-Folded: a\r\n b\r\nContent-Length: 0\r\n\r\n"),
            400,
        ),
        (
            "bare LF in the head",
            format!("{post}X: 1\nContent-Length: 0\r\n\r\n"),
            400,
        ),
        (
            "bare LF at its end",
            format!("{post}Content-Length: 0\r\n\n"),
            400,
        ),
        (
            "bare CR",
            format!("{post}X: a\rb\r\nContent-Length: 0\r\n\r\n"),
            400,
        ),
        (
            "NUL in a value",
            format!("{post}X: a\0b\r\nContent-Length: 0\r\n\r\n"),
            400,
        ),
        (
            "NUL in a name",
            format!("{post}X\0: a\r\nContent-Length: 0\r\n\r\n"),
            400,
        ),
        (
            "no Host",
            "GET /.well-known/jwks.json HTTP/1.1\r\n\r\n".to_owned(),
            400,
        ),
        (
            "two Hosts",
            "GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".to_owned(),
            400,
        ),
        (
            "chunk extension with a bare LF",
            format!("{post}Transfer-Encoding: chunked\r\n\r\n2;a\nb\r\n{{}}\r\n0\r\n\r\n"),
            400,
        ),
        (
            "1 MiB header",
            format!("{post}X: {}\r\n\r\n", "a".repeat(1 << 20)),
            431,
        ),
        ("10,000 headers", format!("{post}{many}\r\n"), 431),
    ] {
        let mut wire = Wire::to(server.address);
        wire.send(head + HIDDEN);
        let answer = wire.answer().unwrap_or_else(|| panic!("{name}: no answer"));
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        assert_eq!(wire.answer().map(|answer| answer.status), None, "{name}");
    }
    assert_eq!(server.login("ada", "door").status, 201);
}

#[test]
fn h01_chunked_body_is_read_with_its_extensions_and_nothing_behind_it() {
    let folder = Folder::new();
    let server = template(&folder);
    let body = r#"{"username":"ada","password":"door"}"#;
    let mut wire = Wire::to(server.address);
    wire.send(format!(
        "POST /auth/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x};name=\"value\"\r\n{body}\r\n0\r\n\r\n{HIDDEN}",
        body.len()
    ));
    let answer = wire.answer().unwrap();
    assert_eq!(
        (answer.status, answer.header("connection")),
        (201, Some("close"))
    );
    assert!(wire.answer().is_none());
}

#[test]
fn pipelined_requests_are_answered_in_order_and_each_is_checked() {
    let folder = Folder::new();
    let server = template(&folder);
    let mut wire = Wire::to(server.address);
    wire.send(
        login("door") + HIDDEN + &login("wrong") + "GET / HTTP/1.1\r\nHost: a\n\r\n" + HIDDEN,
    );
    let statuses: Vec<u16> = std::iter::from_fn(|| wire.answer())
        .map(|answer| answer.status)
        .collect();
    assert_eq!(statuses, [201, 200, 401, 400]);
}

#[test]
fn h03_head_that_trickles_is_cut_off() {
    let folder = Folder::new();
    let server = limited(&folder, "header_timeout: 1s, idle_timeout: 1h");
    let began = Instant::now();
    let mut wire = Wire::to(server.address);
    let mut other = Wire::to(server.address);
    wire.send("GET / HTTP/1.1\r\nHost: a\r\nX: ");
    assert!(wire.is_closed(), "half a head");
    assert!(other.is_closed(), "silence");
    assert!(
        began.elapsed() < Duration::from_secs(9),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(server.login("ada", "door").status, 201);
}

#[test]
fn h03_body_that_does_not_come_is_408() {
    let folder = Folder::new();
    let server = template(&folder);
    let request = login("door");
    let mut wire = Wire::to(server.address);
    wire.send(&request[..request.len() - 1]);
    assert_eq!(wire.answer().map(|answer| answer.status), Some(408));
    assert!(wire.is_closed());
}

#[test]
fn h03_idle_connection_is_closed_and_a_used_one_is_not() {
    let folder = Folder::new();
    let server = limited(&folder, "header_timeout: 1h, idle_timeout: 1s");
    let mut wire = Wire::to(server.address);
    for _ in 0..3 {
        assert_eq!(wire.send(login("door")).answer().unwrap().status, 201);
    }
    assert!(wire.is_closed());
}

#[test]
fn h03_thousands_of_idle_connections_cost_little_and_lock_nobody_out() {
    let folder = Folder::new();
    let server = limited(
        &folder,
        "connections: 3100, connections_per_address: 3100, header_timeout: 1m",
    );
    assert_eq!(server.login("ada", "door").status, 201);
    let before = resident(&server);
    let idle: Vec<TcpStream> = (0..3000)
        .map(|_| TcpStream::connect(server.address).unwrap())
        .collect();
    assert_eq!(server.login("ada", "door").status, 201);
    let grown = resident(&server).saturating_sub(before);
    assert!(
        grown < 96 * 1024,
        "{grown} kB for {} connections",
        idle.len()
    );
}

/// Resident memory in kB.
fn resident(server: &Server) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn connections_beyond_the_cap_wait_and_the_probes_do_not() {
    let folder = Folder::new();
    let server = limited(&folder, "connections: 2");
    let mut first = Wire::to(server.address);
    let mut second = Wire::to(server.address);
    for wire in [&mut first, &mut second] {
        assert_eq!(wire.send(login("door")).answer().unwrap().status, 201);
    }
    let mut third = Wire::to(server.address);
    third.send(login("door"));
    assert_eq!(get(server.admin, "/healthz").status, 200);
    drop(first);
    assert_eq!(third.answer().unwrap().status, 201);
}

#[test]
fn connections_beyond_an_addresss_share_are_closed_unless_it_is_a_proxy() {
    let folder = Folder::new();
    let server = limited(&folder, "connections_per_address: 1");
    let mut first = Wire::to(server.address);
    assert_eq!(first.send(login("door")).answer().unwrap().status, 201);
    assert!(Wire::to(server.address).is_closed());
    drop(server);

    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let config =
        "\nserver: { trusted_proxies: [127.0.0.1], limits: { connections_per_address: 1 } }\n";
    let server = Server::start(&folder, &format!("{TEMPLATE}{config}"));
    let mut first = Wire::to(server.address);
    assert_eq!(first.send(login("door")).answer().unwrap().status, 201);
    assert_eq!(server.login("ada", "door").status, 201);
}

#[test]
fn h04_strange_methods_and_paths_reach_nothing() {
    let folder = Folder::new();
    let server = template(&folder);
    for method in [
        "TRACE", "TRACK", "CONNECT", "PROPFIND", "OPTIONS", "post", "X-Y",
    ] {
        let answer = send(server.address, method, "/auth/token", &[], b"");
        assert!(matches!(answer.status, 404 | 405), "{method}: {answer:?}");
        assert!(!answer.body.contains(method), "{method} is not echoed");
    }
    for path in [
        "/auth/token/..;/admin",
        "/auth/token/../../healthz",
        "/auth/%2e%2e/healthz",
        "//auth/token",
        "/auth//token",
        "/AUTH/TOKEN",
        "/auth/token/",
        "/auth/token%00",
        "/auth/token;x",
        "/auth\\token",
        "/.well-known/../healthz",
        "*",
        "/manage",
        "/reload",
    ] {
        let answer = send(server.address, "POST", path, &[], b"{}");
        assert!(matches!(answer.status, 400 | 404), "{path}: {answer:?}");
    }
}

#[test]
fn h13_admin_paths_are_not_on_the_public_listener() {
    let folder = Folder::new();
    let server = template(&folder);
    for path in [
        "/healthz",
        "/readyz",
        "/metrics",
        "/debug",
        "/debug/pprof",
        "/manage",
        "/reload",
    ] {
        assert_eq!(get(server.address, path).status, 404, "{path}");
    }
    let absolute = format!(
        "GET http://{}/healthz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        server.admin, server.admin
    );
    assert_eq!(raw(server.address, absolute.as_bytes()).status, 404);
}
