//! GitHub, scripted: no ID token, numeric ids, memberships that are none yet.

use countersign_oauth::OAuth;
use countersign_sdk::prelude::*;
use countersign_sdk::{Kind, LoggedIn};
use serde_json::{Value, json};

use super::{begin, finish, parameters};
use crate::bed::instance;
use crate::liar::Liar;

async fn github() -> (Liar, OAuth) {
    let liar = Liar::start().await;
    let at = |path: &str| format!("{}{path}", liar.issuer);
    let endpoints = json!({ "authorization": at("/authorize"), "token": at("/access_token"), "userinfo": at("/user") });
    let oauth = instance(json!({
        "provider": "github", "client_id": "app", "client_secret": "s", "allow_http": true,
        "endpoints": endpoints, "timeout": "1s",
    }))
    .await;
    liar.json(
        "/access_token",
        json!({ "access_token": "gho_1", "token_type": "bearer", "scope": "read:org,user:email" }),
    );
    liar.json(
        "/user",
        json!({ "id": 583_231, "login": "Octocat", "name": "Mona", "email": "shown@evil.test" }),
    );
    liar.json(
        "/user/emails",
        json!([
            { "email": "old@example.test", "primary": false, "verified": true },
            { "email": "mona@example.test", "primary": true, "verified": true },
        ]),
    );
    liar.json(
        "/user/memberships/orgs",
        json!([
            { "state": "active", "organization": { "login": "Acme" } },
            { "state": "pending", "organization": { "login": "bank" } },
        ]),
    );
    liar.json(
        "/user/teams",
        json!([
            { "slug": "crew", "organization": { "login": "acme" } },
            { "slug": "vault", "organization": { "login": "bank" } },
        ]),
    );
    (liar, oauth)
}

async fn login(oauth: &OAuth) -> Result<LoggedIn> {
    let (_, private) = begin(oauth).await;
    finish(oauth, &parameters(&[("code", "c1")]), &private).await
}

#[tokio::test]
async fn o18_subject_is_the_number_and_pending_memberships_do_not_count() {
    let (liar, oauth) = github().await;
    let user = login(&oauth).await.unwrap().user;
    assert_eq!(user.id, "583231@github.com");
    assert_eq!(user.email, "mona@example.test");
    assert_eq!(user.groups, ["acme", "acme/crew"]);
    liar.json("/user", json!({ "id": 583_231, "login": "renamed" }));
    assert_eq!(login(&oauth).await.unwrap().user.id, user.id);
}

#[tokio::test]
async fn address_that_is_not_the_verified_primary_is_none() {
    let (liar, oauth) = github().await;
    for emails in [
        json!([]),
        json!([{ "email": "a@b.test", "primary": true, "verified": false }]),
    ] {
        liar.json("/user/emails", emails);
        assert_eq!(login(&oauth).await.unwrap().user.email, "");
    }
}

#[tokio::test]
async fn lists_without_end_or_of_another_kind_are_an_outage() {
    let (liar, oauth) = github().await;
    let page: Vec<Value> = (0..100)
        .map(|n| json!({ "slug": n.to_string(), "organization": { "login": "acme" } }))
        .collect();
    liar.json("/user/teams", page.into());
    assert_eq!(login(&oauth).await.unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(liar.requests("/user/teams").len(), 10);
    liar.says("/user/teams", "403 No", "application/json", b"{}");
    let refused = login(&oauth).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Unavailable);
    assert!(
        refused.detail().contains("scopes") && !refused.detail().contains("gho_1"),
        "{refused}"
    );
    liar.json("/user", json!({ "login": "nobody" }));
    assert_eq!(login(&oauth).await.unwrap_err().kind(), Kind::Unavailable);
}

#[tokio::test]
async fn bad_code_that_github_answers_with_200_is_denied() {
    let (liar, oauth) = github().await;
    liar.json(
        "/access_token",
        json!({ "error": "bad_verification_code", "error_description": "expired" }),
    );
    assert_eq!(login(&oauth).await.unwrap_err().kind(), Kind::Denied);
}
