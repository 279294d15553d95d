//! The provider itself: what the other tests take for granted.

use countersign_tests::oidc::{Oidc, Options};
use countersign_tests::token;
use serde_json::json;

#[test]
fn provider_signs_forges_and_rotates() {
    let provider = Oidc::start();
    assert!(provider.issuer.starts_with("http://127.0.0.1:"));
    assert!(provider.issuer.ends_with("/realms/test"));
    let jwt = provider.token("amelia");
    let claims = token::claims(&jwt);
    assert_eq!(claims["iss"], provider.issuer.as_str());
    assert_eq!(
        claims["resource_access"]["airflow"]["roles"],
        json!(["airflow_admin", "offline_access", "Viewer"])
    );
    let unsigned = provider.forge(&json!({ "user": "amelia", "alg": "none" }));
    assert!(unsigned.ends_with('.'));
    provider.rotate("replace");
    let later = provider.token("amelia");
    assert_ne!(token::header(&jwt)["kid"], token::header(&later)["kid"]);
    assert_eq!(provider.count("/jwks"), 0);
}

#[test]
fn stopped_provider_starts_again_with_its_keys() {
    let provider = Oidc::down(Options::default());
    provider.again();
    let before = provider.token("bob");
    provider.stop();
    provider.again();
    let after = provider.token("bob");
    assert_eq!(token::header(&before)["kid"], token::header(&after)["kid"]);
    assert!(std::net::TcpStream::connect(provider.address()).is_ok());
}

#[test]
fn users_log_in_without_a_browser_by_https_too() {
    for provider in [Oidc::start(), Oidc::secure()] {
        let jwt = provider.login("oscar", &["--resource", Oidc::AUDIENCE]);
        let access = token::claims(jwt["access_token"].as_str().unwrap());
        assert_eq!(access["preferred_username"], "oscar");
        assert_eq!(access["aud"], Oidc::AUDIENCE);
        assert!(!provider.opaque("oscar").contains('.'));
    }
}
