//! Metadata of the issuer: RFC 8414 and OpenID Connect Discovery 1.0, of exactly what
//! is enabled. Only an issuer that is an http(s) URL has any: nobody could find another.
//!
//! An issuer with a path, `https://host/tenant`, is found in the form that each standard
//! prescribes (RFC 8414 section 3.1: between host and path; OpenID: after the path), and
//! at the root, where it arrives behind a proxy that takes the path away.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri};
use axum::routing::any;
use countersign_verify::Algorithm;
use serde_json::{Value, json};

use super::oauth2::{self, authorize, client, code, device, introspect, revoke};
use super::{Face, Serving, error};

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// Consumers ask once and go on with `jwks_uri`.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// The routes of this face; those below an issuer's path are in [`or_not_found`].
pub fn routes() -> Router<Face> {
    Router::new()
        .route(OPENID, any(document))
        .route(OAUTH, any(document))
}

/// The documents of an issuer that has a path, which only the issuer's name tells; 404 for
/// every other address.
pub async fn or_not_found(State(face): State<Face>, method: Method, uri: Uri) -> Response<Body> {
    answer(&face, &method, |issuer| {
        !issuer.is_empty() && is_document(uri.path(), issuer)
    })
}

async fn document(State(face): State<Face>, method: Method) -> Response<Body> {
    answer(&face, &method, |_| true)
}

/// The document, if the issuer has one, and has it here: `here` is given the issuer's path.
fn answer(face: &Face, method: &Method, here: impl Fn(&str) -> bool) -> Response<Body> {
    let serving = face.latest();
    if !path(serving.tokens.issuer.name()).is_some_and(here) {
        return error::detail(StatusCode::NOT_FOUND, "Not Found");
    }
    if method != Method::GET && method != Method::HEAD {
        return error::method_not_allowed("GET, HEAD");
    }
    let mut response = error::answer(StatusCode::OK, &metadata(&serving));
    response.headers_mut().insert(CACHE_CONTROL, CACHE);
    response
}

/// One document for both standards. Lists that they require, or whose absence would mean a
/// default, are there even if they are empty.
fn metadata(serving: &Serving) -> Value {
    let (tokens, url) = (&serving.tokens, &serving.browser.public_url);
    let (grants, codes) = (oauth2::grants(serving), code::is_enabled(serving));
    let mut document = json!({
        "issuer": tokens.issuer.name(),
        "jwks_uri": tokens.issuer.jwks_uri(),
        "response_types_supported": [],
        "grant_types_supported": grants,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": tokens.keys.load().shared().algorithms(),
        "claims_supported": tokens.issuer.claim_names(),
    });
    if !grants.is_empty() {
        document["token_endpoint"] = format!("{url}{}", oauth2::TOKEN).into();
        document["token_endpoint_auth_methods_supported"] = json!(["none"]);
        document["dpop_signing_alg_values_supported"] = json!(Algorithm::ALL.map(Algorithm::name));
    }
    if oauth2::has_clients(serving) {
        let algorithms = Algorithm::ALL.map(Algorithm::name);
        let endpoints = [
            ("token", oauth2::TOKEN, &client::METHODS[..]),
            ("revocation", revoke::REVOKE, &client::METHODS),
            (
                "introspection",
                introspect::INTROSPECT,
                &client::METHODS_OF_BOTS,
            ),
        ];
        for (name, path, methods) in endpoints {
            let endpoint = format!("{name}_endpoint");
            document[format!("{endpoint}_auth_methods_supported")] = json!(methods);
            document[format!("{endpoint}_auth_signing_alg_values_supported")] = json!(algorithms);
            document[endpoint] = format!("{url}{path}").into();
        }
    }
    if device::is_enabled(serving) {
        let endpoint = format!("{url}{}", device::AUTHORIZATION);
        document["device_authorization_endpoint"] = endpoint.into();
    }
    if codes {
        document["authorization_endpoint"] = format!("{url}{}", authorize::AUTHORIZE).into();
        document["response_types_supported"] = json!(["code"]);
        document["response_modes_supported"] = json!(["query"]);
        document["code_challenge_methods_supported"] = json!(["S256"]);
        document["authorization_response_iss_parameter_supported"] = true.into();
    }
    document
}

fn is_document(asked: &str, issuer: &str) -> bool {
    let within = |known: &str| asked.strip_prefix(known) == Some(issuer);
    within(OAUTH) || within(OPENID) || asked.strip_suffix(OPENID) == Some(issuer)
}

/// The path of an issuer that is an http(s) URL, without the slash at its end. A query or a
/// fragment makes it no issuer (RFC 8414 section 2).
fn path(issuer: &str) -> Option<&str> {
    let url: Uri = issuer.parse().ok()?;
    let scheme = url.scheme_str()?;
    let plain = !issuer.contains(['?', '#']) && (scheme == "https" || scheme == "http");
    let authority = url.authority().filter(|_| plain)?.as_str();
    let (_, path) = issuer
        .split_once("://")?
        .1
        .split_at_checked(authority.len())?;
    Some(path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_urls_have_documents() {
        for (issuer, expected) in [
            ("https://a.example", Some("")),
            ("https://a.example/", Some("")),
            ("http://127.0.0.1:8090", Some("")),
            ("HTTPS://a.example", Some("")),
            ("https://a.example/t/u/", Some("/t/u")),
            ("open-metadata.org", None),
            ("a.example/t", None),
            ("urn:example:issuer", None),
            ("ftp://a.example", None),
            ("https://a.example?x=1", None),
            ("https://a.example/t#f", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(path(issuer), expected, "{issuer}");
        }
    }

    #[test]
    fn documents_below_a_path_stand_where_each_standard_says() {
        for (asked, found) in [
            ("/.well-known/oauth-authorization-server/t", true),
            ("/.well-known/openid-configuration/t", true),
            ("/t/.well-known/openid-configuration", true),
            ("/t/.well-known/oauth-authorization-server", false),
            ("/.well-known/oauth-authorization-server/u", false),
            ("/u/.well-known/openid-configuration", false),
            ("/t/t/.well-known/openid-configuration", false),
            ("/t", false),
        ] {
            assert_eq!(is_document(asked, "/t"), found, "{asked}");
        }
    }
}
