//! A provider that is down, slow or broken: never a failed login, and never a flood.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_sdk::prelude::*;
use serde_json::{Value, json};

use crate::bed::{Bed, bearer, denied, instance, outage};
use crate::liar::Liar;

#[tokio::test]
async fn o09_k14_answers_that_are_none_are_outages_with_their_reason() {
    let large = vec![b' '; (1 << 20) + 1];
    for (status, content, body, expected) in [
        ("500 Oops", "application/json", &b"{}"[..], "status 500"),
        (
            "302 Found\r\nlocation: https://evil.example/",
            "text/html",
            b"",
            "redirect",
        ),
        ("200 OK", "text/html", b"<html>log in</html>", ""),
        ("200 OK", "application/json", b"[]", ""),
        ("200 OK", "application/json", b"{", ""),
        ("200 OK", "application/json", &large, "1 MiB"),
    ] {
        for path in ["/.well-known/openid-configuration", "/jwks"] {
            let liar = Liar::start().await;
            liar.says(path, status, content, body);
            let oauth = instance(liar.settings(json!({}))).await;
            let told = outage(bearer(&oauth, &liar.token(json!({}), json!({}))).await);
            assert!(told.contains(expected), "{path} {status}: {told}");
            let asked = liar.asked();
            let again = bearer(&oauth, &liar.token(json!({}), json!({}))).await;
            assert!(!outage(again).is_empty());
            assert_eq!(liar.asked(), asked, "not for every token");
            assert!(oauth.health().await.is_err());
        }
    }
}

#[tokio::test]
async fn o09_a_compressed_answer_is_not_unpacked() {
    let liar = Liar::start().await;
    let body = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03";
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-encoding: gzip\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n";
    liar.raw(
        "/.well-known/openid-configuration",
        [head.as_bytes(), body].concat(),
    );
    let oauth = instance(liar.settings(json!({}))).await;
    let told = outage(bearer(&oauth, &liar.token(json!({}), json!({}))).await);
    assert!(told.contains("not JSON"), "{told}");
    assert!(!liar.requests("/.well-known/openid-configuration")[0].contains("gzip"));
}

#[tokio::test]
async fn k14_body_that_never_ends_is_given_up_in_time() {
    let liar = Liar::start().await;
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"
        .to_vec();
    for path in ["/.well-known/openid-configuration", "/jwks"] {
        liar.raw(path, head.clone());
        let oauth = instance(liar.settings(json!({}))).await;
        let started = Instant::now();
        let told = outage(bearer(&oauth, &liar.token(json!({}), json!({}))).await);
        assert!(started.elapsed() < Duration::from_secs(5), "{told}");
        liar.json(
            "/.well-known/openid-configuration",
            liar.document(json!({})),
        );
    }
}

#[tokio::test]
async fn provider_that_stops_serves_on_from_the_cache_within_the_bound() {
    let bed = Bed::start(&[]);
    let oauth = instance(
        bed.settings(json!({ "cache": { "refetch": "1ms", "fresh": "1ms", "stale": "1h" } })),
    )
    .await;
    let bounded = instance(
        bed.settings(json!({ "cache": { "refetch": "1ms", "fresh": "1ms", "stale": "1ms" } })),
    )
    .await;
    let token = bed.forge(json!({})).await;
    for oauth in [&oauth, &bounded] {
        assert!(bearer(oauth, &token).await.unwrap().is_some());
        oauth.health().await.unwrap();
    }
    bed.stop();
    assert!(bearer(&oauth, &token).await.unwrap().is_some());
    assert!(outage(bearer(&bounded, &token).await).contains("cannot be"));
    assert!(bounded.health().await.is_err());
}

#[tokio::test]
async fn k15_flood_of_unknown_kids_is_one_fetch_and_good_tokens_go_on() {
    let liar = Liar::start().await;
    let oauth = Arc::new(instance(liar.settings(json!({}))).await);
    let good = liar.token(json!({}), json!({}));
    assert!(bearer(&oauth, &good).await.unwrap().is_some());
    let before = liar.requests("/jwks").len();
    let mut flood = tokio::task::JoinSet::new();
    for n in 0..2_000 {
        let token = liar.token(json!({ "kid": format!("x{n}") }), json!({}));
        let (oauth, good) = (Arc::clone(&oauth), good.clone());
        flood.spawn(async move {
            assert_eq!(denied(bearer(&oauth, &token).await), "kid");
            assert!(bearer(&oauth, &good).await.unwrap().is_some());
        });
    }
    while let Some(done) = flood.join_next().await {
        done.unwrap();
    }
    assert_eq!(liar.requests("/jwks").len(), before + 1);
}

#[tokio::test]
async fn rotated_keys_are_found_at_once_and_withdrawn_ones_with_the_next_set() {
    let bed = Bed::start(&[]);
    let oauth = instance(bed.settings(json!({}))).await;
    let old = bed.forge(json!({})).await;
    assert!(bearer(&oauth, &old).await.unwrap().is_some());
    bed.rotate("replace").await;
    let new = bed.forge(json!({})).await;
    assert!(bearer(&oauth, &new).await.unwrap().is_some());
    assert_eq!(denied(bearer(&oauth, &old).await), "kid");
    assert_eq!(bed.count("/jwks").await, 2);
}

#[tokio::test]
async fn key_that_nobody_can_be_asked_about_is_an_outage_until_the_keys_are_found_again() {
    let liar = Liar::start().await;
    let cache = json!({ "cache": { "refetch": "1ms" } });
    let oauth = instance(liar.settings(cache)).await;
    let old = liar.token(json!({}), json!({}));
    assert!(bearer(&oauth, &old).await.unwrap().is_some());
    // New keys at a new address, and nothing at the old one.
    liar.says("/jwks", "404 Not Found", "text/plain", b"");
    liar.json("/keys", json!({ "keys": [liar.jwk("new")] }));
    let moved = json!({ "jwks_uri": format!("{}/keys", liar.issuer) });
    let new = liar.token(json!({ "kid": "new" }), json!({}));
    assert!(outage(bearer(&oauth, &new).await).contains("404"));
    assert!(bearer(&oauth, &old).await.unwrap().is_some());
    liar.json("/.well-known/openid-configuration", liar.document(moved));
    // The address is asked for again as soon as that may be.
    let begun = Instant::now();
    while bearer(&oauth, &new).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn unknown_kid_while_the_provider_is_down_takes_the_known_keys_from_nobody() {
    let liar = Liar::start().await;
    let cache = json!({ "cache": { "refetch": "1ms", "fresh": "1h", "stale": "1h" } });
    let oauth = instance(liar.settings(cache)).await;
    let good = liar.token(json!({}), json!({}));
    assert!(bearer(&oauth, &good).await.unwrap().is_some());
    for path in ["/.well-known/openid-configuration", "/jwks"] {
        liar.says(path, "500 Oops", "text/plain", b"");
    }
    for kid in ["x", "y"] {
        let forged = liar.token(json!({ "kid": kid }), json!({}));
        assert!(outage(bearer(&oauth, &forged).await).contains("500"));
        assert!(bearer(&oauth, &good).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn padded_and_zero_led_moduli_of_openmetadata_are_accepted() {
    use base64::Engine;
    use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
    let bed = crate::bed::bed();
    let set = reqwest::get(format!("{}/jwks", bed.issuer()))
        .await
        .unwrap();
    let mut set: Value = serde_json::from_slice(&set.bytes().await.unwrap()).unwrap();
    for key in set["keys"].as_array_mut().unwrap() {
        if let Some(n) = key["n"].as_str() {
            let n = URL_SAFE_NO_PAD.decode(n).unwrap();
            key["n"] = URL_SAFE.encode([&[0], &n[..]].concat()).into();
        }
    }
    let liar = Liar::start().await;
    liar.json("/jwks", set);
    let keys = format!("{}/jwks", liar.issuer);
    let oauth = instance(bed.settings(json!({ "endpoints": { "jwks": keys } }))).await;
    let token = bed.forge(json!({})).await;
    assert!(bearer(&oauth, &token).await.unwrap().is_some());
}
