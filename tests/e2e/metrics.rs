//! `/metrics`: what is counted, and that a client cannot make new series.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;

use countersign_tests::{Folder, Server, artifacts, get, post_json, send};

use crate::{answers, run};

fn page(server: &Server) -> String {
    let answer = get(server.admin, "/metrics");
    assert_eq!(answer.status, 200);
    let kind = answer.header("content-type").unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    answer.body
}

/// The value of a series.
fn value(page: &str, series: &str) -> f64 {
    let line = page.lines().find_map(|line| line.strip_prefix(series));
    let line = line.unwrap_or_else(|| panic!("{series} is missing in\n{page}"));
    line.trim().parse().unwrap()
}

/// Names and labels, without values.
fn series(page: &str) -> BTreeSet<String> {
    let samples = page
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    samples
        .map(|line| line.rsplit_once(' ').unwrap().0.to_owned())
        .collect()
}

#[test]
fn requests_decisions_tokens_and_reloads_are_counted() {
    let folder = Folder::new();
    let server = answers(&folder, "");
    for name in ["ada", "bob", "denied", "unavailable", "fault", "nobody"] {
        server.login(name, "x");
    }
    for _ in 0..11 {
        server.login("eve", "x");
        server.login("denied", "x");
    }
    post_json(server.address, "/auth/token", "[");
    get(server.address, "/nowhere");
    send(server.address, "BREW", "/auth/token", &[], b"");
    assert_eq!(run(&folder, &["reload"], &[]).code, 0);
    let page = page(&server);
    let requests = |route: &str, method: &str, status: u16| {
        let series = format!(
            "countersign_http_requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}"
        );
        value(&page, &series)
    };
    assert_eq!(requests("/auth/token", "POST", 201), 13.0);
    assert_eq!(
        requests("/auth/token", "POST", 401),
        11.0,
        "10 denied, 1 nobody"
    );
    assert_eq!(requests("/auth/token", "POST", 429), 2.0);
    assert_eq!(requests("/auth/token", "POST", 503), 1.0);
    assert_eq!(requests("/auth/token", "POST", 422), 1.0);
    assert_eq!(requests("/auth/token", "other", 405), 1.0);
    assert_eq!(requests("unmatched", "GET", 404), 1.0);
    for (series, expected) in [
        (
            "countersign_decisions_total{backend=\"first\",outcome=\"authenticated\"}",
            13.0,
        ),
        (
            "countersign_decisions_total{backend=\"first\",outcome=\"denied\"}",
            10.0,
        ),
        (
            "countersign_decisions_total{backend=\"\",outcome=\"throttled\"}",
            2.0,
        ),
        (
            "countersign_decisions_total{backend=\"\",outcome=\"malformed\"}",
            1.0,
        ),
        (
            "countersign_tokens_issued_total{audience=\"apache-airflow\",algorithm=\"RS256\",backend=\"first\"}",
            13.0,
        ),
        ("countersign_throttled_total{scope=\"user\"}", 2.0),
        ("countersign_reloads_total{result=\"reloaded\"}", 1.0),
        ("countersign_keys{state=\"active\"}", 1.0),
        ("countersign_keys{state=\"next\"}", 1.0),
        (
            "countersign_signing_seconds_count{algorithm=\"RS256\"}",
            13.0,
        ),
        ("countersign_build_info{version=\"0.1.0\"}", 1.0),
    ] {
        assert_eq!(value(&page, series), expected, "{series}");
    }
    assert!(value(&page, "countersign_throttle_entries") >= 2.0);
    assert!(value(&page, "process_start_time_seconds") > 1.7e9);
    assert!(value(&page, "process_resident_memory_bytes") > 1e6);
    assert!(value(&page, "process_open_fds") > 3.0);
    let slow = "countersign_http_request_seconds_bucket{route=\"/auth/token\",le=\"+Inf\"}";
    assert!(value(&page, slow) >= 13.0);
    // Each family says what it means: a breaker's 2 explains itself to nobody.
    for line in page.lines().filter(|line| line.starts_with("# TYPE ")) {
        let family = line.split(' ').nth(2).unwrap();
        assert!(page.contains(&format!("# HELP {family} ")), "{family}");
    }
    assert!(page.contains("# TYPE countersign_signing_seconds histogram"));
}

#[test]
fn every_histogram_has_buckets_and_rare_counters_are_there_from_the_start() {
    let folder = Folder::new();
    let server = answers(&folder, "");
    server.login("ada", "x");
    server.login("denied", "x");
    let page = page(&server);
    let families: Vec<(&str, &str)> = page
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect();
    for (name, kind) in &families {
        assert_ne!(*kind, "summary", "{name} has no buckets");
    }
    for histogram in [
        "countersign_http_request_seconds",
        "countersign_signing_seconds",
        "countersign_backend_call_seconds",
    ] {
        assert!(families.contains(&(histogram, "histogram")), "{histogram}");
        let buckets = page.matches(&format!("{histogram}_bucket{{")).count();
        assert!(buckets > 10, "{histogram}: {buckets}\n{page}");
    }
    // What has not happened yet is there, too: an alert needs its first step.
    for never in [
        "countersign_connections_refused_total",
        "countersign_tls_handshakes_failed_total",
        "countersign_panics_total",
    ] {
        assert_eq!(value(&page, never), 0.0, "{never}");
    }
}

#[test]
fn h12_ten_thousand_random_names_paths_and_methods_make_no_new_series() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let server = Server::start(
        &folder,
        "server: { throttle: { user: 0, address: 0 } }\nplugins: { directories: [plugins] }\nbackends:\n  door: { plugin: template, config: { password: door } }\n",
    );
    let flood = |from: u32, to: u32| {
        for begin in (from..to).step_by(500) {
            pipelined(&server, begin, 500);
        }
    };
    flood(0, 500);
    let before = series(&page(&server));
    flood(500, 10_500);
    let after = series(&page(&server));
    assert_eq!(before, after);
    assert!(
        !after.iter().any(|series| series.contains("user")),
        "{after:?}"
    );
}

/// Requests on one connection, none like the other, one after the other without waiting.
fn pipelined(server: &Server, begin: u32, requests: u32) {
    let mut client = TcpStream::connect(server.address).unwrap();
    let mut writer = client.try_clone().unwrap();
    let text: String = (begin..begin + requests).map(request).collect();
    let writing = std::thread::spawn(move || writer.write_all(text.as_bytes()).unwrap());
    let (mut seen, mut buffer, mut tail) = (0, [0; 65_536], Vec::new());
    while seen < requests as usize {
        let read = client.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "{seen} of {requests} answers");
        tail.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&tail);
        seen += text.matches("HTTP/1.1 ").count();
        // A status line that is cut in two is counted with the next piece.
        let keep = text.rfind('\n').map_or(0, |at| at + 1);
        let keep = if tail[keep..].starts_with(b"HTTP/1.1 ") {
            tail.len()
        } else {
            keep
        };
        tail.drain(..keep);
    }
    writing.join().unwrap();
}

/// A refused login, an unknown backend, an unknown path with an unknown method, in turn.
fn request(n: u32) -> String {
    let name = format!("user{:x}", n.wrapping_mul(2_654_435_761));
    let body = format!(r#"{{"username":"{name}","password":"no"}}"#);
    let (method, path) = match n % 4 {
        0 | 1 => ("POST".to_owned(), "/auth/token".to_owned()),
        2 => ("POST".to_owned(), format!("/auth/{name}/token")),
        _ => (format!("M{n}"), format!("/{name}")),
    };
    format!(
        "{method} {path} HTTP/1.1\r\nhost: a\r\nx-request-id: {name}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}
