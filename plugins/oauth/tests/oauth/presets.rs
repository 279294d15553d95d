//! Providers whose opaque tokens have an endpoint of their own, played by a server that lies.

use serde_json::{Value, json};

use crate::bed::{bearer, instance};
use crate::liar::Liar;

const TOKEN: &str = "gho_canary";
/// Where GitHub says whose a token is.
const CHECK: &str = "/api/v3/applications/app/token";

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
    let user = json!({ "id": 583_231, "login": "octocat" });
    let checked = |app: &str, scopes: Value| json!({ "app": { "client_id": app }, "user": user, "scopes": scopes });
    liar.json(CHECK, checked("app", json!(["read:org", "user:email"])));
    github(&liar);
    let oauth = instance(of(&liar, "github", json!({}))).await;
    let found = bearer(&oauth, TOKEN).await.unwrap().unwrap();
    assert_eq!(found.id, format!("583231@{}", liar.issuer));
    assert_eq!(found.username, "octocat");
    assert_eq!(found.email, "mona@example.test");
    assert_eq!(found.groups, ["acme", "acme/crew"]);
    let asked = &liar.requests(CHECK)[0];
    assert!(asked.starts_with("POST ") && asked.contains("authorization: Basic YXBwOnB3"));
    liar.json(CHECK, checked("other", json!([])));
    assert!(
        bearer(&oauth, TOKEN)
            .await
            .unwrap_err()
            .detail()
            .contains("another")
    );
    liar.says(CHECK, "404 Not Found", "application/json", b"{}");
    assert!(
        bearer(&oauth, TOKEN)
            .await
            .unwrap_err()
            .detail()
            .contains("no token of")
    );
}

#[tokio::test]
async fn github_token_that_cannot_see_its_groups_is_refused_where_they_are_asked_for() {
    let liar = Liar::start().await;
    let checked =
        json!({ "app": { "client_id": "app" }, "user": { "id": 583_231 }, "scopes": ["gist"] });
    liar.json(CHECK, checked);
    github(&liar);
    let oauth = instance(of(&liar, "github", json!({}))).await;
    let refused = bearer(&oauth, TOKEN).await.unwrap_err();
    assert_eq!(refused.kind(), countersign_sdk::Kind::Denied);
    assert!(refused.detail().contains("read:org"), "{refused}");
    assert!(liar.requests("/api/v3/user").is_empty());
    let groupless = json!({ "scopes": ["read:user", "user:email"] });
    let oauth = instance(of(&liar, "github", groupless)).await;
    let found = bearer(&oauth, TOKEN).await.unwrap().unwrap();
    assert_eq!((found.email.as_str(), found.groups.len()), ("", 0));
    liar.json("/api/v3/user", json!({ "id": 1, "login": "octocat" }));
    let refused = bearer(&oauth, TOKEN).await.unwrap_err();
    assert!(refused.detail().contains("two users"), "{refused}");
}

/// What GitHub's API has for the user.
fn github(liar: &Liar) {
    for (path, answer) in [
        (
            "",
            json!({ "id": 583_231, "login": "octocat", "email": "shown@evil.test" }),
        ),
        (
            "/emails",
            json!([{ "email": "mona@example.test", "primary": true, "verified": true }]),
        ),
        (
            "/memberships/orgs",
            json!([{ "state": "active", "organization": { "login": "Acme" } }]),
        ),
        (
            "/teams",
            json!([{ "slug": "crew", "organization": { "login": "acme" } }]),
        ),
    ] {
        liar.json(&format!("/api/v3/user{path}"), answer);
    }
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
