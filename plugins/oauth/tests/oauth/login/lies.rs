//! Logins at a provider that lies: what no real one answers.

use countersign_oauth::OAuth;
use countersign_sdk::prelude::*;
use countersign_sdk::{Kind, LoggedIn};
use serde_json::{Value, json};

use super::{begin, finish, parameters};
use crate::bed::instance;
use crate::liar::Liar;

async fn liar() -> (Liar, OAuth) {
    let liar = Liar::start().await;
    let at = |path: &str| format!("{}{path}", liar.issuer);
    let more = json!({ "authorization_endpoint": at("/auth"), "token_endpoint": at("/token") });
    liar.json("/.well-known/openid-configuration", liar.document(more));
    let settings = json!({ "client_id": "us", "client_secret": "canary-secret",
        "claims": { "username": "sub", "email": "email", "first_name": "sub", "last_name": "sub", "groups": "groups" } });
    let oauth = instance(liar.settings(settings)).await;
    (liar, oauth)
}

/// A login whose ID token has these claims besides the good ones.
async fn login(liar: &Liar, oauth: &OAuth, claims: Value) -> Result<LoggedIn> {
    let (_, private) = begin(oauth).await;
    let mut good = json!({ "nonce": "nonce-1", "email": "ada@example.test", "groups": [] });
    crate::bed::put_over(&mut good, claims);
    let id_token = liar.token(json!({}), good);
    let tokens = json!({ "access_token": "opaque", "token_type": "bearer", "expires_in": "3600", "id_token": id_token });
    liar.json("/token", tokens);
    finish(oauth, &parameters(&[("code", "c1")]), &private).await
}

#[tokio::test]
async fn request_has_the_secret_in_its_header_and_the_verifier_of_this_login() {
    let (liar, oauth) = liar().await;
    login(&liar, &oauth, json!({})).await.unwrap();
    let request = liar.requests("/token").remove(0);
    assert!(request.to_lowercase().contains("authorization: basic "));
    assert!(!request.contains("client_secret"));
    for part in [
        "grant_type=authorization_code",
        "code=c1",
        "code_verifier=",
        "redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback",
    ] {
        assert!(request.contains(part), "{part}");
    }
}

#[tokio::test]
async fn o07_at_hash_of_another_access_token_is_denied() {
    let (liar, oauth) = liar().await;
    // The left half of SHA-512("opaque"), as Ed25519 has it.
    let good = {
        use base64::Engine as _;
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, b"opaque");
        base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..32])
    };
    login(&liar, &oauth, json!({ "at_hash": good }))
        .await
        .unwrap();
    for wrong in [json!("77QmUPtjPfzWtF2AnpK9RQ"), json!(1), json!("")] {
        let refused = login(&liar, &oauth, json!({ "at_hash": wrong }))
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), Kind::Denied);
        assert!(refused.detail().contains("at_hash"), "{refused}");
    }
}

#[tokio::test]
async fn id_token_of_another_login_client_or_issuer_is_denied() {
    let (liar, oauth) = liar().await;
    for claims in [
        json!({ "nonce": null }),
        json!({ "nonce": "nonce-2" }),
        json!({ "aud": "them" }),
        json!({ "aud": ["us", "them"] }),
        json!({ "azp": "them" }),
        json!({ "iss": "https://evil.example" }),
        json!({ "exp": 1 }),
    ] {
        let refused = login(&liar, &oauth, claims.clone()).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Denied, "{claims}: {refused}");
    }
}

#[tokio::test]
async fn userinfo_of_another_user_is_denied_and_its_outage_no_refusal() {
    let (liar, oauth) = liar().await;
    let lacking = json!({ "groups": null });
    liar.json("/userinfo", json!({ "sub": "ada", "groups": ["dev"] }));
    let user = login(&liar, &oauth, lacking.clone()).await.unwrap().user;
    assert_eq!(user.groups, ["dev"]);
    liar.json("/userinfo", json!({ "sub": "eve", "groups": ["admins"] }));
    let refused = login(&liar, &oauth, lacking.clone()).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Denied);
    liar.says("/userinfo", "503 Busy", "application/json", b"{}");
    let refused = login(&liar, &oauth, lacking).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Unavailable);
    assert!(!refused.detail().contains("opaque"));
}

#[tokio::test]
async fn access_token_of_another_user_or_client_is_not_read() {
    let (liar, oauth) = liar().await;
    liar.json("/userinfo", json!({ "sub": "ada", "groups": ["userinfo"] }));
    for (claims, groups) in [
        (json!({ "azp": "us" }), "token"),
        (json!({ "client_id": "us" }), "token"),
        (json!({ "azp": "us", "sub": "eve" }), "userinfo"),
        (json!({ "azp": "them", "client_id": "us" }), "userinfo"),
        (json!({}), "userinfo"),
    ] {
        let mut access = json!({ "aud": "account", "groups": ["token"] });
        crate::bed::put_over(&mut access, claims.clone());
        let access = liar.token(json!({}), access);
        let id_token = json!({ "nonce": "nonce-1", "email": "ada@example.test" });
        let id_token = liar.token(json!({}), id_token);
        let (_, private) = begin(&oauth).await;
        let tokens =
            json!({ "access_token": access, "token_type": "Bearer", "id_token": id_token });
        liar.json("/token", tokens);
        let logged_in = finish(&oauth, &parameters(&[("code", "c1")]), &private).await;
        assert_eq!(logged_in.unwrap().user.groups, [groups], "{claims}");
    }
}

#[tokio::test]
async fn description_that_repeats_our_secrets_is_blotted_out() {
    let (liar, oauth) = liar().await;
    let (_, private) = begin(&oauth).await;
    let verifier = private["verifier"].as_str().unwrap();
    for (error, kind) in [
        ("invalid_grant", Kind::Denied),
        ("temporarily_unavailable", Kind::Unavailable),
        ("invalid_client", Kind::Fault),
        ("unauthorized_client", Kind::Fault),
    ] {
        let said = format!("canary-code with {verifier} of canary-secret");
        let body = json!({ "error": error, "error_description": said });
        liar.says(
            "/token",
            "400 Bad",
            "application/json",
            body.to_string().as_bytes(),
        );
        let back = parameters(&[("code", "canary-code")]);
        let refused = finish(&oauth, &back, &private).await.unwrap_err();
        assert_eq!(refused.kind(), kind);
        let detail = refused.detail();
        assert!(detail.contains(error));
        assert!(
            !detail.contains("canary") && !detail.contains(verifier),
            "{detail}"
        );
    }
}
