//! The service account without a password: by a certificate, or by a socket's peer.

use std::fs;

use countersign_sdk::Kind;
use serde_json::{Value, json};

use crate::bed::{bed, instance, login};

fn without_password(more: Value) -> Value {
    let mut settings = bed().settings(json!({ "bind_dn": null, "bind_password": null }));
    settings["sasl_external"] = true.into();
    for (key, value) in more.as_object().unwrap() {
        settings[key] = value.clone();
    }
    settings
}

async fn comes_in(settings: Value) {
    let user = login(&instance(settings).await, "alice", "alice-pw").await;
    assert_eq!(user.unwrap().unwrap().username, "alice");
}

fn client(certificate: &str) -> Value {
    let key = bed().certificate(certificate).with_extension("key");
    json!({
        "ca": bed().ca(),
        "certificate": bed().certificate(certificate),
        "private_key": fs::read_to_string(key).unwrap(),
    })
}

#[tokio::test]
async fn client_certificate_is_the_service_account() {
    let tls = client("client.pem");
    comes_in(without_password(
        json!({ "url": bed().ldaps(), "tls": tls }),
    ))
    .await;
    comes_in(without_password(json!({ "start_tls": true, "tls": tls }))).await;
}

#[tokio::test]
async fn certificate_that_the_server_does_not_know_is_an_outage() {
    let tls = client("untrusted.pem");
    let ldap = instance(without_password(
        json!({ "url": bed().ldaps(), "tls": tls }),
    ))
    .await;
    let error = login(&ldap, "alice", "alice-pw").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
}

#[tokio::test]
async fn peer_of_a_socket_is_the_service_account() {
    comes_in(without_password(json!({ "url": bed().ldapi() }))).await;
}

#[tokio::test]
async fn service_account_may_come_by_a_socket_with_a_password() {
    comes_in(bed().settings(json!({ "url": bed().ldapi() }))).await;
}
