//! Providers whose opaque tokens have an endpoint of their own, played by a server that lies.

use serde_json::{Value, json};

use crate::bed::{bearer, instance};
use crate::liar::Liar;

const TOKEN: &str = "gho_canary";

fn of(liar: &Liar, provider: &str, more: Value) -> Value {
    let mut settings = json!({
        "provider": provider, "issuer": liar.issuer, "allow_http": true, "timeout": "500ms",
        "client_id": "app", "client_secret": "pw",
    });
    crate::bed::put_over(&mut settings, more);
    settings
}

#[tokio::test]
async fn o18_github_token_of_our_application_is_its_user_by_number() {
    let liar = Liar::start().await;
    let check = "/api/v3/applications/app/token";
    let user = json!({ "id": 583_231, "login": "octocat" });
    liar.json(
        check,
        json!({ "app": { "client_id": "app" }, "user": user }),
    );
    liar.json("/api/v3/user", user.clone());
    let oauth = instance(of(&liar, "github", json!({}))).await;
    let found = bearer(&oauth, TOKEN).await.unwrap().unwrap();
    assert_eq!(found.id, format!("583231@{}", liar.issuer));
    assert_eq!(found.username, "octocat");
    let asked = &liar.requests(check)[0];
    assert!(asked.starts_with("POST ") && asked.contains("authorization: Basic YXBwOnB3"));
    liar.json(
        check,
        json!({ "app": { "client_id": "other" }, "user": user }),
    );
    assert!(
        bearer(&oauth, TOKEN)
            .await
            .unwrap_err()
            .detail()
            .contains("another")
    );
    liar.says(check, "404 Not Found", "application/json", b"{}");
    assert!(
        bearer(&oauth, TOKEN)
            .await
            .unwrap_err()
            .detail()
            .contains("no token of")
    );
}

#[tokio::test]
async fn o18_gitlab_token_of_our_application_is_its_user_by_number() {
    let liar = Liar::start().await;
    liar.json(
        "/oauth/token/info",
        json!({ "resource_owner_id": 7, "application": { "uid": "app" } }),
    );
    liar.json(
        "/userinfo",
        json!({ "sub": "7", "preferred_username": "tanuki" }),
    );
    let oauth = instance(of(&liar, "gitlab", json!({}))).await;
    let found = bearer(&oauth, TOKEN).await.unwrap().unwrap();
    assert_eq!(found.id, format!("7@{}", liar.issuer));
    liar.json("/userinfo", json!({ "sub": "8" }));
    assert!(
        bearer(&oauth, TOKEN)
            .await
            .unwrap_err()
            .detail()
            .contains("two users")
    );
    liar.json(
        "/oauth/token/info",
        json!({ "resource_owner_id": 7, "application": { "uid": "other" } }),
    );
    assert!(
        bearer(&oauth, TOKEN)
            .await
            .unwrap_err()
            .detail()
            .contains("another")
    );
}

#[tokio::test]
async fn google_access_token_is_for_our_client_or_refused() {
    let liar = Liar::start().await;
    let info = format!("{}/tokeninfo", liar.issuer);
    liar.json("/tokeninfo", json!({ "aud": "app", "sub": "1" }));
    liar.json(
        "/userinfo",
        json!({ "sub": "1", "email": "ada@example.test", "email_verified": true }),
    );
    let oauth = instance(of(
        &liar,
        "google",
        json!({ "opaque": "introspection", "endpoints": { "introspection": info } }),
    ))
    .await;
    let found = bearer(&oauth, TOKEN).await.unwrap().unwrap();
    assert_eq!(found.id, format!("1@{}", liar.issuer));
    let asked = &liar.requests("/tokeninfo")[0];
    assert!(
        asked.starts_with("POST /tokeninfo HTTP"),
        "the token is in no URL"
    );
    liar.json("/tokeninfo", json!({ "aud": "other", "sub": "1" }));
    assert!(
        bearer(&oauth, TOKEN)
            .await
            .unwrap_err()
            .detail()
            .contains("another client")
    );
}
