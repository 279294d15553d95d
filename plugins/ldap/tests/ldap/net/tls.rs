//! L08: whom we speak to is certain before anything is said.

use std::net::TcpListener;

use countersign_ldap::Ldap;
use countersign_sdk::Kind;
use serde_json::{Value, json};

use crate::bed::{Bed, bed, instance, logged, login};

/// The same server by LDAPS and by StartTLS, each trusting this authority.
fn both(bed: &Bed, ca: &str) -> [Value; 2] {
    [
        bed.settings(json!({ "url": bed.ldaps(), "tls": { "ca": ca } })),
        bed.settings(json!({ "start_tls": true, "tls": { "ca": ca } })),
    ]
}

async fn comes_in(ldap: &Ldap) {
    let user = login(ldap, "alice", "alice-pw").await.unwrap();
    assert_eq!(user.unwrap().username, "alice");
    let wrong = login(ldap, "alice", "canary").await.unwrap_err();
    assert_eq!(wrong.kind(), Kind::Denied);
}

async fn is_unavailable(ldap: &Ldap, says: &str) {
    let error = login(ldap, "alice", "alice-canary").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.detail().contains(says), "{error}");
    assert!(!error.detail().contains("canary"), "{error}");
}

#[tokio::test]
async fn users_come_in_by_ldaps_and_by_start_tls() {
    for settings in both(bed(), bed().ca()) {
        comes_in(&instance(settings).await).await;
    }
    let by_name = bed().ldaps().replace("127.0.0.1", "localhost");
    let settings = bed().settings(json!({ "url": by_name, "tls": { "ca": bed().ca() } }));
    comes_in(&instance(settings).await).await;
}

#[tokio::test]
async fn server_that_demands_tls_gets_it() {
    let strict = Bed::start(&[("SECURITY", "ssf=128")]);
    for settings in both(&strict, strict.ca()) {
        comes_in(&instance(settings).await).await;
    }
    let plain = instance(strict.settings(json!({}))).await;
    let error = login(&plain, "alice", "alice-pw").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    strict.stop();
}

#[tokio::test]
async fn l08_wrong_certificates_are_outages_and_get_no_password() {
    for (certificate, says) in [
        ("expired", "expired"),
        ("wronghost", "not valid for name"),
        ("untrusted", "UnknownIssuer"),
        ("selfsigned", "certificate"),
    ] {
        let bad = Bed::start(&[("CERT", certificate)]);
        for settings in both(&bad, bad.ca()) {
            is_unavailable(&instance(settings).await, says).await;
        }
        assert!(!bad.log().contains("BIND dn=\"cn=svc"), "{certificate}");
        bad.stop();
    }
}

#[tokio::test]
async fn own_authority_stands_instead_of_the_systems() {
    let other = bed().certificate("other-ca.pem");
    for settings in both(bed(), other.to_str().unwrap()) {
        is_unavailable(&instance(settings).await, "UnknownIssuer").await;
    }
}

#[tokio::test]
async fn verification_that_is_off_is_loud() {
    let bad = Bed::start(&[("CERT", "selfsigned")]);
    let settings = json!({ "url": bad.ldaps(), "tls": { "verify": false } });
    let (ldap, log) = logged(instance(bad.settings(settings))).await;
    assert!(log.contains("WARN") && log.contains("tls.verify"), "{log}");
    comes_in(&ldap).await;
    bad.stop();
}

#[tokio::test]
async fn certificate_is_checked_for_an_ipv6_address() {
    if TcpListener::bind("[::1]:0").is_err() {
        return; // a machine without IPv6
    }
    for (certificate, is_good) in [
        ("server", true),
        ("wronghost", false),
        ("selfsigned", false),
    ] {
        let six = Bed::start(&[("LISTEN", "[::1]"), ("CERT", certificate)]);
        assert!(six.ldaps().contains("[::1]"));
        for settings in both(&six, six.ca()) {
            let ldap = instance(settings).await;
            match is_good {
                true => comes_in(&ldap).await,
                false => is_unavailable(&ldap, "certificate").await,
            }
        }
        six.stop();
    }
}
