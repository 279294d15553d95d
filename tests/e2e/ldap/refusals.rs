//! Who gets none, why, and what that leaves behind.

use std::time::{Duration, Instant};

use countersign_tests::{Folder, get};

use super::*;

#[test]
fn wrong_passwords_count_in_the_throttle_and_those_of_others_do_not() {
    let slapd = shared();
    add(slapd, "guessed", &[]);
    let folder = Folder::new();
    let config = corp(&slapd.url, &service(), "");
    let server = Server::start(
        &folder,
        &format!("server: {{ throttle: {{ user: 3 }} }}\n{config}"),
    );
    for name in ["guessed", "Guessed", " guessed"] {
        let answer = server.login(name, "wrong");
        assert_eq!(
            (answer.status, &*answer.body),
            (401, r#"{"detail":"Invalid credentials"}"#)
        );
    }
    let answer = server.login("guessed", "alice-pw");
    assert_eq!(answer.status, 429, "{answer:?}");
    assert!(answer.header("retry-after").is_some());
    server.token("alice", "alice-pw");
}

#[test]
fn l01_empty_passwords_and_ones_with_a_nul_never_reach_the_directory() {
    let slapd = shared();
    add(slapd, "emptied", &[]);
    let folder = Folder::new();
    let server = start(&folder, slapd, "");
    // This slapd lets a name with an empty password in as nobody, as Active Directory does.
    for (password, status) in [("", 400), ("\0", 401), ("\0\0", 401), ("alice-pw\0", 401)] {
        let answer = direct(&server, "corp", "emptied", password);
        assert_eq!(answer.status, status, "{password:?}: {answer:?}");
    }
    assert_eq!(slapd.count("BIND dn=\"uid=emptied,"), 0, "{}", slapd.log());
    server.token("emptied", "alice-pw");
    assert!(slapd.count("BIND dn=\"uid=emptied,") > 0);
}

#[test]
fn client_reads_the_same_for_every_refusal_and_the_audit_log_says_which() {
    let folder = Folder::new();
    let server = start(&folder, shared(), "");
    let cases = [
        ("alice", "neither", "denied", "password"),
        ("nobody-at-all", "x", "not_applicable", ""),
        ("nopw", "x", "denied", ""),
        (
            "dup",
            "dup1-pw",
            "denied",
            "2 entries|more than one|several",
        ),
        ("locked", "locked-pw", "denied", "locked"),
        ("expired", "expired-pw", "denied", "expired"),
        ("reset", "reset-pw", "denied", "must change|changed"),
        ("dave", "dave-pw", "not_applicable", ""), // where the service account sees nobody
    ];
    for (name, password, ..) in cases {
        let answer = server.login(name, password);
        assert_eq!(
            (answer.status, &*answer.body),
            (401, r#"{"detail":"Invalid credentials"}"#),
            "{name}"
        );
        assert!(answer.header("retry-after").is_none(), "{name}");
    }
    let (_, log) = server.stop();
    let lines = audit(&log);
    for ((name, _, outcome, reasons), line) in cases.iter().zip(&lines) {
        assert_eq!(
            (&line["user"], &line["outcome"]),
            (&json!(name), &json!(outcome)),
            "{line}"
        );
        let reason = line["reason"].as_str().unwrap().to_lowercase();
        assert!(
            reasons.split('|').any(|text| reason.contains(text)),
            "{name}: {line}"
        );
    }
    let loud = log
        .lines()
        .any(|line| line.contains("\"ERROR\"") && line.contains("dup"));
    assert!(
        loud,
        "two entries of one name are an error of the directory's: {log}"
    );
}

#[test]
fn metrics_tell_binds_searches_servers_and_connections() {
    let slapd = shared();
    let folder = Folder::new();
    let server = start(&folder, slapd, "");
    server.token("alice", "alice-pw");
    server.login("nobody-counts", "x");
    let page = || get(server.admin, "/metrics").body;
    let begun = Instant::now();
    for (series, least) in [
        ("connections{backend=\"corp\",result=\"success\"", 2), // the service account's, the user's
        ("binds{backend=\"corp\",result=\"success\"", 2),
        ("searches{backend=\"corp\",result=\"success\"", 2),
        ("search_seconds_count{backend=\"corp\"", 2),
        ("pool_in_use{backend=\"corp\"", 0),
        ("pool_idle{backend=\"corp\"", 0),
    ] {
        // Gauges are set when connections are looked through.
        let value = loop {
            let page = page();
            let series = format!(
                "countersign_plugin_ldap_{series},server=\"{}\"}} ",
                slapd.url
            );
            let value = page.lines().find_map(|line| line.strip_prefix(&series));
            if let Some(value) = value {
                break value.parse::<f64>().unwrap();
            }
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{series} is missing in\n{page}"
            );
            std::thread::yield_now();
        };
        assert!(value >= f64::from(least), "{series} {value}");
    }
    let page = page();
    // H12: names of users make no series.
    assert!(
        !page.contains("alice") && !page.contains("nobody-counts"),
        "{page}"
    );
}
