//! T48: what a token is presented as (RFC 8693 section 3).

use serde_json::{Value, json};

use crate::bed::{denied, exchange, instance};
use crate::liar::Liar;

fn urn(name: &str) -> Value {
    json!({ "subject_token_type": format!("urn:ietf:params:oauth:token-type:{name}") })
}

#[tokio::test]
async fn t48_id_tokens_are_for_the_client_and_access_tokens_are_not_id_tokens() {
    let liar = Liar::start().await;
    let settings = liar.settings(json!({ "client_id": "web", "audiences": ["us", "web"] }));
    let oauth = instance(settings).await;
    let id_token = liar.token(
        json!({}),
        json!({ "aud": "web", "at_hash": "x", "nonce": "n" }),
    );
    let access = liar.token(json!({ "typ": "at+jwt" }), json!({}));
    let accepted = async |token: &str, typ: &str| {
        matches!(exchange(&oauth, token, urn(typ)).await, Ok(Some(_)))
    };
    assert!(accepted(&id_token, "id_token").await);
    assert!(accepted(&access, "access_token").await);
    assert!(accepted(&id_token, "jwt").await && accepted(&access, "jwt").await);
    assert_eq!(
        denied(exchange(&oauth, &id_token, urn("access_token")).await),
        "kind"
    );
    assert_eq!(
        denied(exchange(&oauth, &access, urn("id_token")).await),
        "typ"
    );
    // An ID token is for the client, and for nobody beside it who is not named in azp.
    for (claims, rule) in [
        (json!({ "aud": "us" }), "aud"),
        (json!({ "aud": ["web", "us"] }), "azp"),
        (json!({ "aud": ["web", "us"], "azp": "us" }), "azp"),
        (json!({ "aud": "web", "typ": "Bearer" }), "kind"),
        (json!({ "aud": "web", "typ": "Refresh" }), "kind"),
    ] {
        let token = liar.token(json!({}), claims.clone());
        let verdict = exchange(&oauth, &token, urn("id_token")).await;
        assert_eq!(denied(verdict), rule, "{claims}");
    }
}

#[tokio::test]
async fn s07_types_that_this_plugin_has_not_are_left_to_others() {
    let liar = Liar::start().await;
    let oauth = instance(liar.settings(json!({}))).await;
    let good = liar.token(json!({}), json!({}));
    for typ in ["saml2", "refresh_token", "nonsense"] {
        assert!(exchange(&oauth, &good, urn(typ)).await.unwrap().is_none());
    }
    assert_eq!(liar.asked(), 0);
}
