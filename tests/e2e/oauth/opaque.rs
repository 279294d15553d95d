//! Tokens that are no JWT are asked about at the provider (RFC 7662).

use countersign_tests::oidc::{Oidc, Options};
use countersign_tests::{Folder, Server};

use super::*;

pub(super) fn introspecting(provider: &Oidc, more: &str) -> String {
    let [id, secret] = Oidc::INTROSPECTION;
    sso(
        provider,
        &format!(", client_id: {id}, client_secret: {secret}{more}"),
    )
}

#[test]
fn opaque_token_is_asked_about_and_one_that_nobody_issued_is_401() {
    let provider = Oidc::start();
    let folder = Folder::new();
    let server = Server::start(&folder, &introspecting(&provider, ""));
    let opaque = provider.login("oscar", &["--resource", "urn:testbed:opaque"]);
    let opaque = opaque["access_token"].as_str().unwrap();
    assert!(!opaque.contains('.'), "it is opaque");
    // Its audience is urn:testbed:opaque, which this backend does not take.
    assert_eq!(bearer(&server, opaque).status, 401);

    let folder = Folder::new();
    let config = introspecting(&provider, "").replace(Oidc::AUDIENCE, "urn:testbed:opaque");
    let server = Server::start(&folder, &config);
    let ours = claims(&server, opaque);
    assert_eq!(ours["name"], "oscar");
    assert_eq!(ours["roles"], json!(["airflow_op"]));
    assert_eq!(bearer(&server, "nobody-issued-this-one").status, 401);
    assert!(provider.count("/token/introspection") >= 2);
}

#[test]
fn token_that_expired_at_the_provider_is_401() {
    let provider = Oidc::with(Options {
        access_ttl: 1,
        ..Options::default()
    });
    let folder = Folder::new();
    let config = introspecting(&provider, "").replace(Oidc::AUDIENCE, "urn:testbed:opaque");
    let server = Server::start(&folder, &config);
    let opaque = provider.login("oscar", &["--resource", "urn:testbed:opaque"]);
    let opaque = opaque["access_token"].as_str().unwrap();
    // Taken until it ends, then never again: asked again and again, no pause is guessed.
    let mut statuses: Vec<u16> = Vec::new();
    while statuses.last() != Some(&401) {
        statuses.push(bearer(&server, opaque).status);
        assert!(statuses.len() < 100_000, "it never ends");
    }
    assert!(
        statuses.iter().all(|status| [201, 401].contains(status)),
        "{statuses:?}"
    );
}
