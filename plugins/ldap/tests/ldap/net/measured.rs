//! What the plugin counts, from its own file as the host loads it.

use countersign_sdk::testing::{self, Measurement, Metric, Plugin};
use serde_json::json;

use crate::bed::{Bed, bed};

fn sum(all: &[Measurement], name: &str, labels: serde_json::Value) -> f64 {
    let those = all
        .iter()
        .filter(|one| one.name == name && one.labels == labels);
    those.map(|one| one.value).sum()
}

#[test]
fn connections_binds_searches_and_failovers_are_counted_by_server() {
    let gone = Bed::start(&[]);
    let dead = gone.url().to_owned();
    gone.stop();
    let plugin = Plugin::built().unwrap();
    let settings = bed().settings(json!({ "url": [dead, bed().url()] }));
    let instance = plugin.configure(settings).unwrap();
    let levels = |all: &[Measurement]| {
        let those = all.iter().filter(|one| one.name.starts_with("ldap_pool_"));
        let here = those.filter(|one| one.labels == json!({ "server": bed().url() }));
        here.map(|one| (one.kind, one.value)).collect::<Vec<_>>()
    };
    let none = (Metric::Gauge, 0.0);
    assert_eq!(
        levels(&instance.metrics())[..2],
        [none, none],
        "before any login"
    );
    instance
        .create_token(testing::login("alice", "alice-pw"))
        .unwrap();
    instance
        .create_token(testing::login("alice", "canary"))
        .unwrap_err();
    let all = instance.metrics();
    let of = |name, server: &str, result: &str| {
        sum(&all, name, json!({ "server": server, "result": result }))
    };
    assert_eq!(of("ldap_connections", &dead, "unavailable"), 1.0);
    assert_eq!(of("ldap_connections", bed().url(), "success"), 2.0);
    assert_eq!(sum(&all, "ldap_failovers", json!({ "server": dead })), 1.0);
    assert_eq!(
        of("ldap_binds", bed().url(), "success"),
        2.0,
        "the account and alice"
    );
    assert_eq!(of("ldap_binds", bed().url(), "refused"), 1.0);
    assert!(of("ldap_searches", bed().url(), "success") >= 2.0);
    let seconds = all
        .iter()
        .find(|one| one.name == "ldap_search_seconds")
        .unwrap();
    assert_eq!(seconds.kind, Metric::Histogram);
    assert!(!format!("{all:?}").contains("canary"));
}
