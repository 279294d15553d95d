//! A host that does not see the store goes on for a while, and says so.

use std::time::Duration;

use countersign_tests::fault::Way;
use countersign_tests::postgres::Postgres;
use countersign_tests::{Folder, Server, artifacts, get};
use serde_json::Value;

use super::{behind_a_network, verify, wait};
use crate::run;

const LONG: Duration = Duration::from_secs(30);

fn config(url: &str, outage: &str) -> String {
    format!(
        "plugins: {{ directories: [plugins] }}\nstore: {{ url: \"{url}\", outage: {outage} }}\nbackends:\n  door: {{ plugin: template, config: {{ password: door }} }}\n"
    )
}

fn ready(host: &Server) -> (u16, Value) {
    let answer = get(host.admin, "/readyz");
    (answer.status, answer.json())
}

fn metric(host: &Server, name: &str) -> f64 {
    let page = get(host.admin, "/metrics").body;
    let line = page
        .lines()
        .find(|line| line.split(' ').next() == Some(name));
    line.and_then(|line| line.split(' ').nth(1))
        .unwrap_or_else(|| panic!("no {name} in {page}"))
        .parse()
        .unwrap()
}

#[test]
fn host_without_its_store_mints_within_the_bound_and_says_so() {
    let server = Postgres::start();
    let (network, url) = behind_a_network(&server);
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let host = Server::start(&folder, &config(&url, "10s"));
    let token = host.token("ada", "door");
    assert_eq!(verify(&host, &token), 200);
    let (status, report) = ready(&host);
    assert_eq!(status, 200);
    let fine = serde_json::json!({ "kind": "postgresql", "state": "ready" });
    assert_eq!(report["store"], fine);
    assert_eq!(metric(&host, "countersign_store_up"), 1.0);

    network.set(Way::Refuse);
    wait(LONG, "out of sight", || {
        ready(&host).1["store"]["state"] == "unreachable"
    });
    let (status, report) = ready(&host);
    assert_eq!(status, 200, "{report}");
    let left = report["store"]["minting_ends_in_seconds"].as_u64().unwrap();
    assert!(left < 10, "{report}");
    let reason = report["store"]["reason"].as_str().unwrap();
    assert!(reason.contains("refused"), "{report}");
    assert!(!reason.contains("testbed-pw"), "{report}");
    assert_eq!(host.login("ada", "door").status, 201, "within the bound");
    assert_eq!(verify(&host, &token), 200);
    assert_eq!(metric(&host, "countersign_store_up"), 0.0);
    assert!(metric(&host, "countersign_store_unseen_seconds") > 2.0);

    wait(LONG, "the bound", || ready(&host).0 == 503);
    let report = ready(&host).1;
    let reason = report["reason"].as_str().unwrap();
    assert!(reason.contains("longer than store.outage"), "{report}");
    let answer = host.login("ada", "door");
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(
        verify(&host, &token),
        503,
        "whether it was revoked nobody knows"
    );
    assert_eq!(get(host.admin, "/healthz").status, 200);

    network.set(Way::Open);
    wait(LONG, "in sight again", || ready(&host).0 == 200);
    assert_eq!(host.login("ada", "door").status, 201);
    assert_eq!(verify(&host, &token), 200);
    assert_eq!(metric(&host, "countersign_store_regained_total"), 1.0);
    let (code, log) = host.stop();
    assert_eq!(code, 0, "{log}");
    let lines = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(lines("the store is out of sight"), 1, "told once: {log}");
    assert_eq!(lines("the store is in sight again"), 1, "{log}");
    let said = lines("longer than store.outage\"");
    assert_eq!(said, 1, "in the audit log: {log}");
    assert!(!log.contains("testbed-pw"), "{log}");
}

#[test]
fn host_that_ends_without_its_store_ends_in_time() {
    let server = Postgres::start();
    let (network, url) = behind_a_network(&server);
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let host = Server::start(&folder, &config(&url, "1h"));
    network.set(Way::BlackHole);
    let begun = std::time::Instant::now();
    let (code, log) = host.stop();
    assert_eq!(code, 0, "{log}");
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn store_that_cannot_be_reached_at_start_is_told_with_its_reason() {
    let server = Postgres::start();
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let nowhere = "postgres://testbed:testbed-pw@127.0.0.1:1/testbed";
    let wrong = server.url.replace("testbed-pw", "other-pw");
    let (there, _) = server.url.rsplit_once('/').unwrap();
    let missing = format!("{there}/nothing");
    // What comes by itself is tried again by who starts us, and a mistake is not.
    for (url, reason, code) in [
        (nowhere, "Connection refused", 70),
        (wrong.as_str(), "password authentication failed", 78),
        (missing.as_str(), "database \"nothing\" does not exist", 78),
    ] {
        folder.write("config.yaml", config(url, "1h"));
        for command in ["serve", "check"] {
            let environment = [
                ("COUNTERSIGN_SERVER__LISTEN", "127.0.0.1:0"),
                ("COUNTERSIGN_ADMIN__LISTEN", "127.0.0.1:0"),
            ];
            let done = run(&folder, &[command], &environment);
            let text = format!("{}{}", done.stdout, done.stderr);
            assert_eq!(done.code, code, "{command}: {text}");
            assert!(text.contains(reason), "{command}: {text}");
            assert!(text.contains("PostgreSQL 127.0.0.1:"), "{text}");
            assert!(!text.contains("-pw"), "{text}");
            assert!(!text.contains("pool timed out"), "{text}");
        }
    }
}
