//! The endpoint without a server: what is asked, and where the answer goes.
#![allow(clippy::unwrap_used)]
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use http_body_util::BodyExt;

use super::*;
use crate::http::admin::tests::serving;
use crate::http::oauth2::native;

const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const TO: &str = "http://127.0.0.1:4711/callback";

/// A good request with changes: an empty value leaves a parameter out.
pub(super) fn query(changes: &[(&str, &str)]) -> String {
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", native::CLIENT),
        ("redirect_uri", TO),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("state", "s t"),
    ];
    for (name, value) in changes {
        parameters.retain(|(known, _)| known != name);
        parameters.push((name, value));
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    query.finish()
}

async fn get(query: &str) -> (StatusCode, String, String) {
    let request = HttpRequest::get(format!("{AUTHORIZE}?{query}"));
    let (head, ()) = request.body(()).unwrap().into_parts();
    let visit = Visit {
        serving: &serving(),
        head: &head,
        id: String::new(),
        now: clock::unix_now(),
    };
    let response = visit.ask();
    let (head, body) = response.into_parts();
    assert_eq!(head.headers[CACHE_CONTROL], "no-store");
    let to = head.headers.get(LOCATION);
    let to = to.map_or("", |to| to.to_str().unwrap()).to_owned();
    let body = body.collect().await.unwrap().to_bytes();
    (head.status, to, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn without_a_session_the_browser_is_sent_to_the_login_and_back() {
    let query = query(&[]);
    let (status, to, _) = get(&query).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    let back = to.strip_prefix("/login?return_to=").unwrap();
    let back = form_urlencoded::parse(back.as_bytes()).next().unwrap().0;
    assert_eq!(back, format!("{AUTHORIZE}?{query}"));
}

#[tokio::test]
async fn o06_wrong_client_or_redirect_is_told_on_a_page_and_never_redirected() {
    let twice = format!("{}&state=x", query(&[]));
    let long = query(&[("scope", &"x".repeat(LONGEST))]);
    for query in [
        query(&[("client_id", "")]),
        query(&[("client_id", "other")]),
        query(&[("redirect_uri", "")]),
        query(&[("redirect_uri", "http://localhost:4711/callback")]),
        query(&[("redirect_uri", "https://evil.example/callback")]),
        // Whatever else is wrong: nothing is sent to an address that was not checked.
        query(&[("redirect_uri", "https://evil.example/"), ("state", "")]),
        twice,
        long,
        String::new(),
    ] {
        let (status, to, body) = get(&query).await;
        assert_eq!(
            (status, to.as_str()),
            (StatusCode::BAD_REQUEST, ""),
            "{query}"
        );
        assert!(body.contains("No token was given"), "{body}");
        assert!(!body.contains("evil"), "{body}");
    }
}

#[tokio::test]
async fn other_mistakes_are_told_to_the_client_with_state_and_issuer() {
    for (name, value, error) in [
        ("response_type", "", "invalid_request"),
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("response_mode", "fragment", "invalid_request"),
        ("audience", "nobody", "invalid_target"),
        ("resource", "https://nobody.example", "invalid_target"),
        ("backend", "nobody", "invalid_request"),
        ("backend", "../x", "invalid_request"),
        ("state", "", "invalid_request"),
    ] {
        let (status, to, _) = get(&query(&[(name, value)])).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let told = to.strip_prefix(TO).unwrap().strip_prefix('?').unwrap();
        let told: Vec<(String, String)> = form_urlencoded::parse(told.as_bytes())
            .into_owned()
            .collect();
        let find = |name: &str| {
            let found = told.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(find("error"), Some(error), "{name}={value}");
        let state = (name != "state").then_some("s t");
        assert_eq!(find("state"), state);
        assert_eq!(find("iss"), Some("http://127.0.0.1:8090"));
        assert_eq!(find("code"), None);
    }
}
