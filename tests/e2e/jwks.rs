//! The published keys: what a consumer needs to verify our tokens.

use countersign_tests::{Folder, get, send, token};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::Value;

use crate::template;

const PATHS: [&str; 3] = [
    "/.well-known/jwks.json",
    "/api/v1/config/jwks",
    "/api/v1/system/config/jwks",
];

#[test]
fn token_verifies_with_the_published_keys() {
    let folder = Folder::new();
    let server = template(&folder);
    let jwt = server.token("ada", "door");
    let jwks: JwkSet = serde_json::from_str(&get(server.address, PATHS[0]).body).unwrap();
    let kid = token::header(&jwt)["kid"].as_str().unwrap().to_owned();
    let key = DecodingKey::from_jwk(jwks.find(&kid).unwrap()).unwrap();
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_audience(&["apache-airflow"]);
    rules.set_issuer(&[format!("http://{}", server.address)]);
    let claims = decode::<Value>(&jwt, &key, &rules).unwrap().claims;
    assert_eq!(claims["sub"], "ada");
}

#[test]
fn k05_set_is_the_same_on_its_three_paths_and_can_be_cached() {
    let folder = Folder::new();
    let server = template(&folder);
    let answers = PATHS.map(|path| get(server.address, path));
    for answer in &answers {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, answers[0].body);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.header("cache-control").unwrap().contains("max-age="));
    }
    let keys = answers[0].json()["keys"].as_array().unwrap().clone();
    assert_eq!(keys.len(), 2, "the active key and its standby");
    for key in keys {
        assert_eq!(
            (
                key["use"].as_str(),
                key["alg"].as_str(),
                key["kty"].as_str()
            ),
            (Some("sig"), Some("RS256"), Some("RSA"))
        );
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert_eq!(key.get(private), None);
        }
    }
    let etag = answers[0].header("etag").unwrap();
    let again = send(
        server.address,
        "GET",
        PATHS[0],
        &[("if-none-match", etag)],
        b"",
    );
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert_eq!(send(server.address, "HEAD", PATHS[0], &[], b"").body, "");
    assert_eq!(send(server.address, "POST", PATHS[0], &[], b"").status, 405);
}

#[test]
fn r10_restart_keeps_keys_and_kids() {
    let folder = Folder::new();
    let first = template(&folder);
    let (before, jwt) = (
        get(first.address, PATHS[0]).body,
        first.token("ada", "door"),
    );
    first.stop();
    let second = template(&folder);
    assert_eq!(get(second.address, PATHS[0]).body, before);
    assert_eq!(
        token::header(&second.token("ada", "door"))["kid"],
        token::header(&jwt)["kid"]
    );
}
