#![allow(clippy::unwrap_used)]

use std::time::Duration;

use serde_json::{Map, json};

use super::http::{self as web, Http};
use super::{Metadata, discovery};
use crate::check;
use crate::settings::Settings;

const ISSUER: &str = "https://sso.example/realms/main";

fn settings() -> Settings {
    let config = json!({ "issuer": ISSUER, "audiences": ["us"], "algorithms": ["RS256"] });
    check::settings(serde_json::from_value(config).unwrap()).unwrap()
}

#[test]
fn o09_pause_of_429_and_503_is_read_and_bounded() {
    let url = "https://sso.example/token?secret=canary".parse().unwrap();
    let pause = |status: u16, after: &str| {
        let response = http::Response::builder().status(status);
        let response = response.header("retry-after", after).body(Vec::new());
        let trouble = web::status(&url, &response.unwrap());
        assert!(!trouble.what.contains("canary"), "{trouble}");
        trouble.retry_after
    };
    assert_eq!(pause(429, "7"), Some(Duration::from_secs(7)));
    assert_eq!(pause(503, " 7 "), Some(Duration::from_secs(7)));
    assert_eq!(pause(503, "99999999"), Some(Duration::from_secs(300)));
    assert_eq!(pause(500, "7"), None);
    assert_eq!(pause(429, "Wed, 21 Oct 2026 07:28:00 GMT"), None);
    assert_eq!(pause(429, "-1"), None);
}

#[test]
fn types_that_are_no_json_are_refused_and_those_of_json_are_read() {
    let url = "https://sso.example/".parse().unwrap();
    let good = |content: &str| {
        let response = http::Response::builder().header("content-type", content);
        web::object(&url, &response.body(b"{}".to_vec()).unwrap()).is_ok()
    };
    assert!(good("application/json") && good("Application/JSON; charset=utf-8"));
    assert!(good("application/token-introspection+json"));
    for other in [
        "text/html",
        "application/jwt",
        "text/plain; application/json",
        "",
    ] {
        assert!(!good(other), "{other}");
    }
    let untyped = http::Response::new(b"{}".to_vec());
    assert!(web::object(&url, &untyped).is_ok());
}

/// Documents of every shape: whatever is read, nothing but https comes out, and nothing at
/// all under another issuer.
#[test]
fn any_document_is_read_without_a_panic_and_names_https_alone() {
    let names = [
        "issuer",
        "jwks_uri",
        "token_endpoint",
        "userinfo_endpoint",
        "end_session_endpoint",
        "introspection_endpoint",
        "authorization_endpoint",
    ];
    let values = [
        json!(ISSUER),
        json!("https://sso.example/x"),
        json!("http://sso.example/x"),
        json!("http://127.0.0.1/x"),
        json!("file:///x"),
        json!("https://"),
        json!("\u{0}"),
        json!(null),
        json!(true),
        json!(["https://x.example"]),
        json!({}),
        json!(1e300),
    ];
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % below as u64).unwrap()
    };
    let settings = settings();
    let http = Http::new(&settings).unwrap();
    let allowed = |url: &url::Url| http.allows(url);
    let mut accepted = 0;
    for _ in 0..5_000 {
        let mut document = Map::new();
        document.insert("issuer".into(), ISSUER.into());
        for _ in 0..random(4) {
            let (name, value) = (names[random(names.len())], &values[random(values.len())]);
            document.insert(name.into(), value.clone());
        }
        let Ok(metadata) = discovery::read(&document, &settings, &allowed) else {
            continue;
        };
        accepted += 1;
        assert_eq!(document["issuer"], ISSUER);
        let Metadata {
            jwks,
            authorization,
            token,
            userinfo,
            introspection,
            end_session,
            ..
        } = metadata;
        let all = [
            jwks,
            authorization,
            token,
            userinfo,
            introspection,
            end_session,
        ];
        for url in all.into_iter().flatten() {
            assert!(url.scheme() == "https" && url.has_host(), "{url}");
        }
    }
    assert!(accepted > 500, "{accepted} are no test");
}

#[test]
fn endpoint_is_named_without_query_and_password() {
    let url = url::Url::parse("https://me:pw@idp.example/token?key=1#x").unwrap();
    assert_eq!(web::place(&url), "https://idp.example/token");
}
