//! What the provider says of itself.

use serde_json::{Value, json};

use crate::bed::{bearer, denied, instance, open, outage};
use crate::liar::Liar;

const DOCUMENT: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn configuring_asks_nobody_and_many_at_once_ask_once() {
    let liar = Liar::start().await;
    let oauth = std::sync::Arc::new(instance(liar.settings(json!({}))).await);
    assert_eq!(liar.asked(), 0);
    let mut many = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (oauth, token) = (
            std::sync::Arc::clone(&oauth),
            liar.token(json!({}), json!({})),
        );
        many.spawn(async move { bearer(&oauth, &token).await.unwrap().is_some() });
    }
    assert!(many.join_all().await.into_iter().all(|accepted| accepted));
    assert_eq!(
        (liar.requests(DOCUMENT).len(), liar.requests("/jwks").len()),
        (1, 1)
    );
}

#[tokio::test]
async fn k19_document_of_another_issuer_is_refused_and_both_are_named() {
    let liar = Liar::start().await;
    for other in [
        "https://evil.example".to_owned(),
        format!("{}/", liar.issuer),
    ] {
        liar.json(DOCUMENT, liar.document(json!({ "issuer": other })));
        let oauth = instance(liar.settings(json!({}))).await;
        let told = outage(bearer(&oauth, &liar.token(json!({}), json!({}))).await);
        assert!(told.contains(&format!("{other:?}")), "{told}");
        assert!(told.contains(&format!("{:?}", liar.issuer)), "{told}");
        assert!(
            liar.requests("/jwks").is_empty(),
            "its keys are not asked for"
        );
    }
}

#[tokio::test]
async fn documents_that_are_none_are_outages_and_no_verdict() {
    let liar = Liar::start().await;
    let token = liar.token(json!({}), json!({}));
    for (document, expected) in [
        (json!({ "issuer": null }), "names no issuer"),
        (json!({ "jwks_uri": null }), "jwks_uri"),
        (json!({ "jwks_uri": 1 }), "jwks_uri that is no text"),
        (json!({ "jwks_uri": "nowhere" }), "jwks_uri that is no URL"),
        (
            json!({ "jwks_uri": "file:///etc/passwd" }),
            "jwks_uri that is not https://",
        ),
        (
            json!({ "token_endpoint": "ftp://x/" }),
            "token_endpoint that is not https://",
        ),
    ] {
        liar.json(DOCUMENT, liar.document(document));
        let oauth = instance(liar.settings(json!({}))).await;
        let told = outage(bearer(&oauth, &token).await);
        assert!(told.contains(expected), "{told}");
    }
    let twice = format!(
        r#"{{"issuer":"https://evil.example","issuer":"{}"}}"#,
        liar.issuer
    );
    liar.says(DOCUMENT, "200 OK", "application/json", twice.as_bytes());
    let oauth = instance(liar.settings(json!({}))).await;
    assert!(outage(bearer(&oauth, &token).await).contains("twice"));
}

#[tokio::test]
async fn document_of_rfc8414_is_found_where_openid_has_none() {
    let liar = Liar::start().await;
    liar.says(DOCUMENT, "404 Not Found", "text/html", b"");
    let document = liar.document(json!({}));
    liar.json("/.well-known/oauth-authorization-server", document);
    let oauth = instance(liar.settings(json!({}))).await;
    let token = liar.token(json!({}), json!({}));
    assert!(bearer(&oauth, &token).await.unwrap().is_some());
}

#[tokio::test]
async fn what_is_configured_is_never_discovered() {
    let liar = Liar::start().await;
    liar.hang(DOCUMENT);
    let keys = format!("{}/jwks", liar.issuer);
    let explicit = liar.settings(json!({ "endpoints": { "jwks": keys } }));
    let oauth = instance(explicit).await;
    let token = liar.token(json!({}), json!({}));
    assert!(bearer(&oauth, &token).await.unwrap().is_some());
    assert!(liar.requests(DOCUMENT).is_empty());
}

#[tokio::test]
async fn keys_that_moved_are_found_and_those_left_behind_no_longer_count() {
    let liar = Liar::start().await;
    let other = Liar::start().await;
    let cache = json!({ "cache": { "refetch": "1ms", "fresh": "1ms", "stale": "1h" } });
    let oauth = instance(liar.settings(cache)).await;
    let old = liar.token(json!({}), json!({}));
    assert!(bearer(&oauth, &old).await.unwrap().is_some());
    liar.json("/moved", json!({ "keys": [other.jwk("k")] }));
    let moved = format!("{}/moved", liar.issuer);
    liar.json(DOCUMENT, liar.document(json!({ "jwks_uri": moved })));
    assert_eq!(denied(bearer(&oauth, &old).await), "signature");
    let new = other.token(json!({}), json!({ "iss": liar.issuer }));
    assert!(bearer(&oauth, &new).await.unwrap().is_some());
}

#[tokio::test]
async fn o12_plain_http_is_refused_when_the_backend_is_configured() {
    for settings in [
        json!({ "issuer": "http://sso.example" }),
        json!({ "issuer": "http://127.0.0.1:1" }),
        json!({ "issuer": "https://sso.example", "endpoints": { "jwks": "http://sso.example/k" } }),
        json!({ "issuer": "https://sso.example", "endpoints": { "introspection": "http://sso.example/i" } }),
    ] {
        let mut all: Value = json!({ "audiences": ["us"], "algorithms": ["RS256"] });
        crate::bed::put_over(&mut all, settings.clone());
        let refused = open(all).await.map(|_| ()).unwrap_err();
        assert!(refused.detail().contains("http"), "{settings}: {refused}");
    }
}
