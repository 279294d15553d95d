//! A directory that is down, slow or half dead is nobody's wrong password.

use std::time::{Duration, Instant};

use countersign_tests::fault::{Fault, Way};
use countersign_tests::{Answer, Folder, get};

use super::*;

/// 503, when to come again, and nothing of ours.
fn is_outage(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer:?}");
    let pause: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&pause), "{answer:?}");
    for detail in ["127.0.0.1", "ldap", "refused"] {
        assert!(!answer.body.contains(detail), "{answer:?}");
    }
}

#[test]
fn l11_outage_is_503_counts_nowhere_and_is_over_when_the_directory_is_back() {
    let slapd = Slapd::start();
    let folder = Folder::new();
    let config = corp(&slapd.url, &service(), "");
    let server = Server::start(
        &folder,
        &format!("server: {{ throttle: {{ user: 3, address: 5 }} }}\n{config}"),
    );
    server.token("alice", "alice-pw");
    slapd.stop();
    for turn in 0..12 {
        let password = ["alice-pw", "wrong"][turn % 2];
        is_outage(&server.login("alice", password));
    }
    slapd.again();
    server.token("alice", "alice-pw");
    assert_eq!(server.login("alice", "wrong").status, 401);
    // Connections that were open when it fell are told from live ones.
    slapd.stop();
    slapd.again();
    server.token("alice", "alice-pw");
    let (_, log) = server.stop();
    let outages = audit(&log);
    let outages = outages
        .iter()
        .filter(|line| line["outcome"] == "unavailable");
    assert_eq!(outages.count(), 12, "{log}");
}

#[test]
fn directory_that_is_down_at_start_is_no_reason_not_to_serve() {
    let slapd = Slapd::start();
    slapd.stop();
    let folder = Folder::new();
    let server = start(&folder, &slapd, "");
    is_outage(&server.login("alice", "alice-pw"));
    assert_eq!(get(server.admin, "/healthz").status, 200);
    slapd.again();
    server.token("alice", "alice-pw");
}

#[test]
fn l11_network_that_loses_refuses_or_cuts_is_an_outage_and_a_slow_one_is_not() {
    let fault = Fault::before(shared().address());
    let folder = Folder::new();
    let config = format!(
        "{}, timeouts: {{ connect: 500ms, operation: 500ms }}",
        service()
    );
    let server = Server::start(
        &folder,
        &corp(&format!("ldap://{}", fault.address), &config, ""),
    );
    for way in [
        Way::BlackHole,
        Way::Refuse,
        Way::CutAfter(5),
        Way::CutAfter(40),
    ] {
        fault.set(way);
        let begun = Instant::now();
        is_outage(&server.login("alice", "alice-pw"));
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{way:?} took {:?}",
            begun.elapsed()
        );
        fault.set(Way::Open);
        server.token("alice", "alice-pw");
    }
    fault.set(Way::Latency(Duration::from_millis(60)));
    server.token("alice", "alice-pw");
}

#[test]
fn l08_certificate_that_is_not_the_servers_is_an_outage_and_no_password_is_sent() {
    for bad in ["expired", "wronghost", "untrusted", "selfsigned"] {
        let slapd = Slapd::with(&[("CERT", bad)]);
        let tls = format!("{}, tls: {{ ca: \"{}\" }}", service(), slapd.ca.display());
        for (url, config) in [
            (&slapd.secure_url, tls.clone()),
            (&slapd.url, format!("{tls}, start_tls: true")),
        ] {
            let folder = Folder::new();
            let server = Server::start(&folder, &corp(url, &config, ""));
            is_outage(&server.login("alice", "alice-pw"));
        }
        assert_eq!(
            slapd.count(" BIND dn=\"cn=svc"),
            0,
            "{bad}: {}",
            slapd.log()
        );
    }
}

#[test]
fn l09_second_server_answers_while_the_first_is_a_black_hole_which_is_then_left_alone() {
    let slapd = shared();
    let first = Fault::before(slapd.address());
    first.set(Way::BlackHole);
    let folder = Folder::new();
    let url = format!("[\"ldap://{}\", \"{}\"]", first.address, slapd.url);
    let config = format!("{}, timeouts: {{ connect: 1s, operation: 1s }}", service());
    let server = Server::start(&folder, &corp(&url, &config, ""));
    server.token("alice", "alice-pw");
    let tried = first.accepted();
    let begun = Instant::now();
    for _ in 0..10 {
        server.token("alice", "alice-pw");
    }
    assert!(
        begun.elapsed() < Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(first.accepted(), tried);
    let page = get(server.admin, "/metrics").body;
    let failovers = "countersign_plugin_ldap_failovers{backend=\"corp\",server=";
    assert!(page.contains(failovers), "{page}");
}
