//! A provider that is down, slow or wrong is nobody's bad token.

use std::time::{Duration, Instant};

use countersign_tests::oidc::{Oidc, Options};
use countersign_tests::{Folder, Server, get};
use serde_json::json;

use super::*;

#[test]
fn provider_that_is_down_at_start_is_no_reason_not_to_serve() {
    let provider = Oidc::down(Options::default());
    let folder = Folder::new();
    let config = sso(&provider, ", cache: { refetch: 100ms }");
    let server = Server::start(&folder, &config);
    assert_eq!(get(server.admin, "/healthz").status, 200);
    // Signed by nobody, but of this issuer: whether it is good, nobody can say yet.
    let unknown = {
        provider.again();
        let jwt = provider.token("amelia");
        provider.stop();
        jwt
    };
    is_outage(&bearer(&server, &unknown));
    provider.again();
    until_taken(&server, &unknown);
}

#[test]
fn cached_keys_serve_while_the_provider_is_down_and_opaque_tokens_are_503() {
    let provider = Oidc::start();
    let folder = Folder::new();
    let config = opaque::introspecting(&provider, ", timeout: 500ms");
    let server = Server::start(&folder, &config);
    let known = provider.token("amelia");
    claims(&server, &known);
    let later = provider.token("bob");
    provider.stop();
    for jwt in [&known, &later] {
        claims(&server, jwt);
    }
    let begun = Instant::now();
    is_outage(&bearer(&server, "an-opaque-token-of-somebody"));
    assert!(begun.elapsed() < Duration::from_secs(3));
    // A key that is not in the cache cannot be judged while nobody answers.
    let unheard = provider_token_with_kid(&known);
    let status = bearer(&server, &unheard).status;
    assert!([401, 503].contains(&status), "{status}");
    claims(&server, &known);
}

/// The same token with another kid in its header: its signature is no longer looked at.
fn provider_token_with_kid(jwt: &str) -> String {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": "unheard-of" });
    let rest = jwt.split_once('.').unwrap().1;
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

#[test]
fn o09_wrong_answers_of_the_provider_are_an_outage_and_bounded() {
    let provider = Oidc::start();
    let paths = ["/jwks", "/.well-known/openid-configuration"];
    for fault in [
        json!({ "status": 500 }),
        json!({ "status": 429, "headers": { "retry-after": "2" } }),
        json!({ "status": 302, "headers": { "location": "http://127.0.0.1:1/" } }),
        json!({ "status": 200, "body": "<html>" }),
        json!({ "status": 200, "body": "x".repeat(3 << 20) }),
        json!({ "hangup": true }),
        json!({ "delay_ms": 5_000 }),
    ] {
        for path in paths {
            let folder = Folder::new();
            let config = sso(&provider, ", timeout: 500ms, cache: { refetch: 100ms }");
            let server = Server::start(&folder, &config);
            let mut whole = json!({ "path": path, "count": 1_000 });
            let parts = fault.as_object().unwrap().clone();
            whole.as_object_mut().unwrap().extend(parts);
            provider.fault(&whole);
            let jwt = provider.token("amelia");
            let begun = Instant::now();
            let answer = bearer(&server, &jwt);
            is_outage(&answer);
            assert!(begun.elapsed() < Duration::from_secs(4), "{whole}");
            if fault["status"] == 429 {
                assert_eq!(answer.header("retry-after"), Some("2"), "{path}");
            }
            provider.reset();
            until_taken(&server, &jwt);
        }
    }
}

#[test]
fn o11_certificate_that_is_not_the_providers_is_an_outage() {
    let provider = Oidc::secure();
    let folder = Folder::new();
    let strangers = provider.ca().with_file_name("other-ca.pem");
    for (ca, status) in [(provider.ca(), 201), (strangers, 503)] {
        let tls = format!(", tls: {{ ca: \"{}\" }}", ca.display());
        let config = sso(&provider, &tls).replace("allow_http: true", "allow_http: false");
        let server = Server::start(&folder, &config);
        assert_eq!(bearer(&server, &provider.token("bob")).status, status);
        server.stop();
    }
}

/// Asks until the provider is asked again: how soon is the cache's affair, but not for ever.
fn until_taken(server: &Server, jwt: &str) {
    let begun = Instant::now();
    loop {
        match bearer(server, jwt).status {
            201 => return,
            503 => assert!(begun.elapsed() < Duration::from_secs(30), "still 503"),
            other => panic!("{other}"),
        }
    }
}
