//! What is nobody's wrong password: the directory, or the settings.

use countersign_sdk::AuthPlugin;
use serde_json::{Value, json};

use super::unavailable;
use crate::bed::{BASE, Bed, bed, instance, logged, login};

/// Binds of users to entries that answer with a result of their own.
fn faults(more: Value) -> Value {
    let mut settings = bed().direct(json!({ "username_format": "cn={username},dc=fault,dc=test" }));
    for (key, value) in more.as_object().unwrap() {
        settings[key] = value.clone();
    }
    settings
}

#[tokio::test]
async fn l11_scripted_results_of_a_bind_are_outages() {
    let ldap = instance(faults(json!({}))).await;
    for (name, says) in [
        ("busy", "51"),
        ("unavailable", "52"),
        ("unwilling", "53"),
        ("other", "80"),
        ("timelimit", "3"),
        ("notice", ""),
        ("disconnect", ""),
    ] {
        let why = unavailable(&ldap, name, "x").await;
        assert!(why.contains(says), "{name}: {why}");
    }
}

#[tokio::test]
async fn l11_server_that_does_not_answer_in_time_is_an_outage() {
    let timeouts = json!({ "timeouts": { "operation": "100ms" } });
    let ldap = instance(faults(timeouts)).await;
    unavailable(&ldap, "slow", "x").await;
}

#[tokio::test]
async fn l11_server_that_is_gone_is_an_outage_and_none_when_it_is_back() {
    let own = Bed::start(&[]);
    let (indirect, direct) = (own.settings(json!({})), own.direct(json!({})));
    own.stop();
    for settings in [indirect, direct] {
        let ldap = instance(settings).await;
        unavailable(&ldap, "alice", "alice-pw").await;
        let health = ldap.health().await.unwrap_err();
        assert_eq!(health.kind(), countersign_sdk::Kind::Unavailable);
    }
}

#[tokio::test]
async fn refused_service_account_is_an_outage_that_names_its_keys() {
    // So many failures lock it: nobody else may need it.
    let own = Bed::start(&[]);
    let wrong = json!({ "bind_password": "canary-wrong" });
    let unknown = json!({ "bind_dn": "cn=nobody,dc=example,dc=test" });
    for settings in [wrong, unknown] {
        let ldap = instance(own.settings(settings)).await;
        let (why, log) = logged(unavailable(&ldap, "alice", "alice-pw")).await;
        for text in [&why, &log] {
            assert!(text.contains("`bind_dn` and `bind_password`"), "{text}");
            assert!(!text.contains("canary"), "{text}");
        }
        assert!(log.contains("ERROR"), "{log}");
        assert!(ldap.health().await.is_err());
    }
    own.stop();
}

#[tokio::test]
async fn missing_search_base_is_an_outage_that_names_its_key() {
    for base in ["ou=nowhere,dc=example,dc=test", "dc=elsewhere"] {
        let settings = json!({ "search": { "base": base } });
        let ldap = instance(bed().settings(settings)).await;
        let (why, log) = logged(unavailable(&ldap, "alice", "alice-pw")).await;
        assert!(
            why.contains("`search.base`") && log.contains("ERROR"),
            "{why} {log}"
        );
    }
}

#[tokio::test]
async fn search_that_is_referred_elsewhere_says_what_to_do() {
    let base = format!("cn=elsewhere,ou=people,{BASE}");
    let ldap = instance(bed().settings(json!({ "search": { "base": base } }))).await;
    let why = unavailable(&ldap, "alice", "alice-pw").await;
    for part in ["dc=elsewhere,dc=test", "global catalogue", "`search.base`"] {
        assert!(why.contains(part), "{why}");
    }
}

#[tokio::test]
async fn server_that_wants_tls_says_what_to_do() {
    let own = Bed::start(&[("SECURITY", "ssf=128")]);
    for settings in [own.settings(json!({})), own.direct(json!({}))] {
        let ldap = instance(settings).await;
        let why = unavailable(&ldap, "alice", "alice-pw").await;
        assert!(why.contains("`start_tls: true`"), "{why}");
    }
    own.stop();
}

#[tokio::test]
async fn format_that_makes_no_name_of_the_servers_is_told() {
    let settings = json!({ "username_format": "{username}@example.test" });
    let ldap = instance(bed().direct(settings)).await;
    let (why, log) = logged(unavailable(&ldap, "alice", "alice-pw")).await;
    assert!(
        why.contains("`username_format`") && log.contains("ERROR"),
        "{why} {log}"
    );
}

#[tokio::test]
async fn healthy_directory_says_so() {
    for settings in [bed().settings(json!({})), bed().direct(json!({}))] {
        let ldap = instance(settings).await;
        assert_eq!(ldap.health().await, Ok(()));
        assert!(login(&ldap, "alice", "alice-pw").await.unwrap().is_some());
    }
}
