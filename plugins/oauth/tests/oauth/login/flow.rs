//! Whole logins at the real provider.

use countersign_sdk::prelude::*;
use countersign_sdk::{Kind, Logout};
use serde_json::{Value, json};

use super::{begin, finish, follow, parameters};
use crate::bed::{Bed, bed, instance};

/// The test bed's confidential client.
fn web(bed: &Bed, more: Value) -> Value {
    let mut settings = bed.settings(json!({
        "audiences": ["web"], "client_id": "web", "client_secret": "web-secret",
        "scopes": ["openid", "profile", "email", "groups", "roles"],
        "claims": { "groups": "resource_access.airflow.roles" },
    }));
    crate::bed::put_over(&mut settings, more);
    settings
}

#[tokio::test]
async fn login_there_and_back_is_the_user_with_his_roles() {
    let oauth = instance(web(bed(), json!({}))).await;
    assert!(oauth.capabilities().browser);
    let (url, private) = begin(&oauth).await;
    let back = follow(&url, "alice").await;
    assert_eq!(back["state"], "state-1");
    let logged_in = finish(&oauth, &back, &private).await.unwrap();
    assert_eq!(logged_in.user.id, format!("alice@{}", bed().issuer()));
    assert_eq!(logged_in.user.username, "alice");
    assert_eq!(logged_in.user.email, "alice@example.test");
    assert_eq!(logged_in.user.groups, ["Admin", "Op"]);

    let mut logout = Logout::default();
    logout.return_to = "https://sign.example/login".into();
    logout.private = logged_in.private;
    let url = oauth.logout_url(logout).await.unwrap().unwrap();
    let url = url::Url::parse(&url).unwrap();
    assert!(url.path().ends_with("/session/end"), "{url}");
    let query: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(query["client_id"], "web");
    assert_eq!(
        query["post_logout_redirect_uri"],
        "https://sign.example/login"
    );
    assert_eq!(query["id_token_hint"].split('.').count(), 3);
}

#[tokio::test]
async fn public_client_logs_in_by_pkce_alone() {
    let public = json!({ "client_id": "native", "client_secret": null, "audiences": ["native"] });
    let oauth = instance(web(bed(), public)).await;
    let (url, private) = begin(&oauth).await;
    let back = follow(&url, "alice").await;
    let user = finish(&oauth, &back, &private).await.unwrap().user;
    assert_eq!(user.username, "alice");
}

#[tokio::test]
async fn roles_that_only_the_access_token_has_are_found_there() {
    let settings = json!({
        "scopes": ["openid", "profile", "email"],
        "parameters": { "resource": "urn:testbed:api" },
    });
    let oauth = instance(web(bed(), settings)).await;
    let (url, private) = begin(&oauth).await;
    let back = follow(&url, "alice").await;
    let user = finish(&oauth, &back, &private).await.unwrap().user;
    assert_eq!(user.groups, ["Admin", "Op"]);
}

#[tokio::test]
async fn userinfo_is_asked_only_for_what_was_not_found() {
    let provider = Bed::start(&[]);
    let oauth = instance(web(&provider, json!({}))).await;
    let (url, private) = begin(&oauth).await;
    let back = follow(&url, "alice").await;
    finish(&oauth, &back, &private).await.unwrap();
    assert_eq!(provider.count("/me").await, 0);

    let lacking = json!({ "claims": { "last_name": "nick" } });
    let oauth = instance(web(&provider, lacking)).await;
    let (url, private) = begin(&oauth).await;
    let back = follow(&url, "alice").await;
    finish(&oauth, &back, &private).await.unwrap();
    assert_eq!(provider.count("/me").await, 1);
}

#[tokio::test]
async fn o05_code_is_good_once_and_with_its_own_verifier_and_redirect() {
    let oauth = instance(web(bed(), json!({}))).await;
    let (url, private) = begin(&oauth).await;
    let back = follow(&url, "bob").await;
    finish(&oauth, &back, &private).await.unwrap();
    let again = finish(&oauth, &back, &private).await.unwrap_err();
    assert_eq!(again.kind(), Kind::Denied, "{again}");
    assert!(again.detail().contains("invalid_grant") && !again.detail().contains(&back["code"]));

    for (key, value) in [
        ("verifier", "0123456789012345678901234567890123456789012"),
        ("redirect_uri", "http://127.0.0.1:1/callback/"),
    ] {
        let (url, mut private) = begin(&oauth).await;
        let back = follow(&url, "bob").await;
        private[key] = value.into();
        let refused = finish(&oauth, &back, &private).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Denied, "{key}: {refused}");
        assert!(!refused.detail().contains(&back["code"]));
    }
}

#[tokio::test]
async fn o05_code_of_another_client_is_denied() {
    let oauth = instance(web(bed(), json!({}))).await;
    let (url, private) = begin(&oauth).await;
    // Everything else is this login's: challenge, state, redirect, user.
    let others = url.as_str().replace("client_id=web", "client_id=native");
    assert_ne!(others, url.as_str());
    let others = others.parse().unwrap();
    let back = follow(&others, "bob").await;
    let refused = finish(&oauth, &back, &private).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Denied, "{refused}");
    assert!(refused.detail().contains("invalid_grant"), "{refused}");
}

#[tokio::test]
async fn o03_nonce_of_another_login_is_denied() {
    let oauth = instance(web(bed(), json!({}))).await;
    let (url, mut private) = begin(&oauth).await;
    let back = follow(&url, "bob").await;
    private["nonce"] = "nonce-2".into();
    let refused = finish(&oauth, &back, &private).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Denied);
    assert!(refused.detail().contains("nonce"), "{refused}");
}

#[tokio::test]
async fn callback_of_another_provider_is_denied_and_its_code_stays_unused() {
    let oauth = instance(web(bed(), json!({}))).await;
    let (url, private) = begin(&oauth).await;
    let back = follow(&url, "bob").await;
    for iss in [Some("https://evil.example"), None] {
        let mut mixed = back.clone();
        mixed.remove("iss");
        mixed.extend(iss.map(|iss| ("iss".to_owned(), iss.to_owned())));
        let refused = finish(&oauth, &mixed, &private).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Denied);
        assert!(refused.detail().contains("RFC 9207"), "{refused}");
    }
    finish(&oauth, &back, &private).await.unwrap();
}

#[tokio::test]
async fn keys_that_rotate_during_a_login_do_not_fail_it() {
    let provider = Bed::start(&[]);
    let oauth = instance(web(&provider, json!({ "cache": { "refetch": "1ms" } }))).await;
    let (url, private) = begin(&oauth).await;
    let back = follow(&url, "alice").await;
    finish(&oauth, &back, &private).await.unwrap();
    let (url, private) = begin(&oauth).await;
    provider.rotate("replace").await;
    let back = follow(&url, "alice").await;
    finish(&oauth, &back, &private).await.unwrap();
}

#[tokio::test]
async fn o09_wrong_client_secret_is_the_operators_and_is_not_told() {
    let wrong = json!({ "client_secret": "canary-secret" });
    let oauth = instance(web(bed(), wrong)).await;
    let (url, private) = begin(&oauth).await;
    let back = follow(&url, "bob").await;
    let refused = finish(&oauth, &back, &private).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Fault, "{refused}");
    assert!(refused.detail().contains("client_secret"), "{refused}");
    for secret in [
        "canary-secret",
        &back["code"],
        private["verifier"].as_str().unwrap(),
    ] {
        assert!(!refused.detail().contains(secret));
    }
}

#[tokio::test]
async fn o09_provider_in_trouble_is_unavailable_and_says_when_to_come_again() {
    let provider = Bed::start(&[]);
    let oauth = instance(web(&provider, json!({ "timeout": "1s" }))).await;
    let (_, private) = begin(&oauth).await;
    let iss = provider.issuer();
    let back = parameters(&[("code", "canary-code"), ("iss", iss)]);
    for fault in [
        json!({ "status": 503, "headers": { "retry-after": "7" } }),
        json!({ "status": 429, "headers": { "retry-after": "7" } }),
        json!({ "status": 302, "headers": { "location": "https://evil.example/" } }),
        json!({ "status": 200, "body": "<html>", "headers": { "content-type": "text/html" } }),
        json!({ "status": 200, "body": "{\"access_token\":" }),
        json!({ "status": 400, "body": "canary-code" }),
        json!({ "status": 200, "body": "x".repeat(2 << 20) }),
        json!({ "delay_ms": 3000 }),
        json!({ "hangup": true }),
    ] {
        let mut whole = json!({ "path": "/token" });
        crate::bed::put_over(&mut whole, fault.clone());
        provider.fault(whole).await;
        let refused = finish(&oauth, &back, &private).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Unavailable, "{fault}: {refused}");
        let detail = refused.detail();
        assert!(detail.contains("/token"), "{detail}");
        assert!(
            !detail.contains("canary") && !detail.contains("evil"),
            "{detail}"
        );
    }
}
