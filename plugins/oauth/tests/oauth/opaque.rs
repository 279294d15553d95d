//! Tokens that are no JWT (case O16).

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::bed::{bearer, bed, exchange, instance, outage};
use crate::liar::Liar;

const TOKEN: &str = "opaque-canary_1";

/// Introspection at a server that lies, with changes of the settings.
fn asking(liar: &Liar, more: Value) -> Value {
    let mut settings =
        liar.settings(json!({ "client_id": "me", "client_secret": "s3cret canary" }));
    crate::bed::put_over(&mut settings, more);
    settings
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

#[tokio::test]
async fn token_of_the_real_provider_is_introspected() {
    let oauth = instance(bed().introspecting(json!({}))).await;
    let tokens = bed().login("bob", &[]);
    let token = tokens["access_token"].as_str().unwrap();
    let user = bearer(&oauth, token).await.unwrap().unwrap();
    assert_eq!(user.id, format!("bob@{}", bed().issuer()));
    let unknown = bearer(&oauth, "unknown-to-everybody").await.unwrap_err();
    assert!(unknown.detail().contains("not active"), "{unknown}");
    let elsewhere =
        instance(bed().introspecting(json!({ "audiences": [crate::bed::AUDIENCE] }))).await;
    let foreign = bearer(&elsewhere, token).await.unwrap_err();
    assert!(foreign.detail().contains("another client"), "{foreign}");
}

#[tokio::test]
async fn token_of_the_real_provider_is_looked_up_in_userinfo_only_when_told_so() {
    let tokens = bed().login("bob", &[]);
    let token = tokens["access_token"].as_str().unwrap();
    let silent = instance(bed().settings(json!({}))).await;
    assert!(bearer(&silent, token).await.unwrap().is_none());
    let oauth = instance(bed().settings(json!({ "opaque": "userinfo" }))).await;
    let user = bearer(&oauth, token).await.unwrap().unwrap();
    assert_eq!(user.id, format!("bob@{}", bed().issuer()));
    let refused = bearer(&oauth, "unknown").await.unwrap_err();
    assert!(refused.detail().contains("userinfo refuses"), "{refused}");
}

#[tokio::test]
async fn o16_answers_that_do_not_say_yes_for_us_are_denied() {
    let liar = Liar::start().await;
    let oauth = instance(asking(&liar, json!({}))).await;
    let good = json!({ "active": true, "sub": "ada", "aud": "us" });
    for (change, good_still) in [
        (json!({}), true),
        (json!({ "active": false }), false),
        (json!({ "active": null }), false),
        (json!({ "active": "true" }), false),
        (json!({ "active": 1 }), false),
        (json!({ "aud": ["them", "us"] }), true),
        (json!({ "aud": "them", "client_id": "me" }), false),
        (json!({ "aud": [] }), false),
        (json!({ "aud": 1 }), false),
        (json!({ "aud": null }), false),
        (json!({ "aud": null, "client_id": "me" }), true),
        (json!({ "aud": null, "client_id": "us" }), true),
        (json!({ "aud": null, "client_id": "them" }), false),
        (json!({ "iss": liar.issuer }), true),
        (json!({ "iss": "https://evil.example" }), false),
        (json!({ "iss": 1 }), false),
        (json!({ "exp": now() + 60 }), true),
        (json!({ "exp": now() - 60 }), false),
        (json!({ "exp": "soon" }), false),
        (json!({ "nbf": now() + 90 }), false),
        (json!({ "sub": null }), false),
        (json!({ "sub": "" }), false),
        (json!({ "token_type": "bearer" }), true),
        (json!({ "token_type": "DPoP" }), false),
        (json!({ "cnf": { "jkt": "x" } }), false),
        (json!({ "typ": "Refresh" }), false),
    ] {
        let mut answer = good.clone();
        crate::bed::put_over(&mut answer, change.clone());
        liar.json("/introspect", answer);
        match bearer(&oauth, TOKEN).await {
            Ok(user) => assert!(user.is_some() && good_still, "{change}"),
            Err(error) => {
                assert_eq!(error.kind(), countersign_sdk::Kind::Denied, "{error}");
                assert!(!good_still, "{change}: {error}");
                assert!(!error.detail().contains("canary"), "{error}");
            }
        }
    }
    let twice = br#"{"active":false,"active":true,"sub":"ada","aud":"us"}"#;
    liar.says("/introspect", "200 OK", "application/json", twice);
    assert!(outage(bearer(&oauth, TOKEN).await).contains("twice"));
}

#[tokio::test]
async fn token_and_secret_are_sent_as_rfc7662_and_rfc6749_have_it() {
    let liar = Liar::start().await;
    liar.json(
        "/introspect",
        json!({ "active": true, "sub": "ada", "aud": "us" }),
    );
    let basic = instance(asking(&liar, json!({}))).await;
    let in_body = json!({ "client_authentication": "client_secret_post" });
    let in_body = instance(asking(&liar, in_body)).await;
    for oauth in [&basic, &in_body] {
        assert!(bearer(oauth, TOKEN).await.unwrap().is_some());
    }
    let asked = liar.requests("/introspect");
    for request in &asked {
        assert!(request.starts_with("POST /introspect HTTP"), "{request}");
        assert!(request.contains(&format!("token={TOKEN}&token_type_hint=access_token")));
    }
    // base64 of me:s3cret+canary
    assert!(
        asked[0].contains("authorization: Basic bWU6czNjcmV0K2NhbmFyeQ=="),
        "{}",
        asked[0]
    );
    assert!(!asked[0].contains("client_secret"));
    assert!(asked[1].contains("client_id=me&client_secret=s3cret+canary"));
    assert!(!asked[1].contains("authorization"));
}

#[tokio::test]
async fn o09_o16_provider_that_cannot_be_asked_is_an_outage_without_secrets() {
    let liar = Liar::start().await;
    let keyed = format!("{}/introspect?key=canary", liar.issuer);
    let keyed = json!({ "endpoints": { "introspection": keyed } });
    let oauth = instance(asking(&liar, keyed)).await;
    for (status, expected) in [
        ("401 Unauthorized", "`client_secret`"),
        ("403 Forbidden", "`client_secret`"),
        ("500 Oops", "status 500"),
        (
            "302 Found\r\nlocation: https://evil.example/",
            "redirects are not followed",
        ),
        ("400 Bad Request", "status 400"),
    ] {
        liar.says("/introspect", status, "application/json", b"{}");
        let told = outage(bearer(&oauth, TOKEN).await);
        assert!(
            told.contains(expected) && !told.contains("canary"),
            "{told}"
        );
    }
    liar.says(
        "/introspect",
        "200 OK",
        "text/html",
        br#"{"active":true,"sub":"a","aud":"us"}"#,
    );
    assert!(outage(bearer(&oauth, TOKEN).await).contains("text/html"));
    liar.hang("/introspect");
    assert!(outage(bearer(&oauth, TOKEN).await).contains("in time"));
}

#[tokio::test]
async fn provider_without_the_endpoint_is_not_asked() {
    let liar = Liar::start().await;
    let document = liar.document(json!({ "introspection_endpoint": null }));
    liar.json("/.well-known/openid-configuration", document);
    let oauth = instance(asking(&liar, json!({}))).await;
    assert!(bearer(&oauth, TOKEN).await.unwrap().is_none());
}

#[tokio::test]
async fn answers_are_asked_for_each_time_unless_a_cache_is_configured() {
    let liar = Liar::start().await;
    liar.json(
        "/introspect",
        json!({ "active": true, "sub": "ada", "aud": "us" }),
    );
    let forgetful = instance(asking(&liar, json!({}))).await;
    let remembering = instance(asking(&liar, json!({ "cache": { "opaque": "1m" } }))).await;
    for (oauth, expected) in [(&forgetful, 2), (&remembering, 3)] {
        for _ in 0..2 {
            assert!(bearer(oauth, TOKEN).await.unwrap().is_some());
        }
        assert_eq!(liar.requests("/introspect").len(), expected);
    }
    liar.json("/introspect", json!({ "active": false }));
    assert!(bearer(&forgetful, TOKEN).await.is_err());
    assert!(bearer(&remembering, TOKEN).await.unwrap().is_some());
    for _ in 0..2 {
        assert!(
            bearer(&remembering, "another").await.is_err(),
            "refusals are not remembered"
        );
    }
    assert_eq!(liar.requests("/introspect").len(), 6);
}

#[tokio::test]
async fn jwts_are_never_asked_about_and_encrypted_ones_are() {
    let liar = Liar::start().await;
    liar.json(
        "/introspect",
        json!({ "active": true, "sub": "ada", "aud": "us" }),
    );
    let oauth = instance(asking(&liar, json!({}))).await;
    let unsigned = "eyJhbGciOiJub25lIn0.e30.";
    assert!(!matches!(bearer(&oauth, unsigned).await, Ok(Some(_))));
    let typ = json!({ "subject_token_type": "urn:ietf:params:oauth:token-type:id_token" });
    assert!(exchange(&oauth, TOKEN, typ).await.unwrap().is_none());
    assert!(liar.requests("/introspect").is_empty());
    let encrypted = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.AAAA.AAAA";
    assert!(bearer(&oauth, encrypted).await.unwrap().is_some());
}
