//! What a token of ours for one of the provider's is held against: a bare axum handler that verifies the one
//! and signs the other inline, with the keys in its memory and no other check than those that it must make.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::bare::{Signer, listen};

/// `bare-bearer KEYFILE JWKSFILE ISSUER AUDIENCE`: serves until killed; prints its address.
pub(crate) fn serve(arguments: &[String]) {
    let [key, keys, issuer, audience] = arguments else {
        panic!("bare-bearer KEYFILE JWKSFILE ISSUER AUDIENCE")
    };
    let set: JwkSet = serde_json::from_slice(&std::fs::read(keys).unwrap()).unwrap();
    let keys = set.keys.iter().filter_map(|key| {
        let id = key.common.key_id.clone()?;
        Some((id, DecodingKey::from_jwk(key).ok()?))
    });
    let mut checks = Validation::new(Algorithm::RS256);
    checks.set_issuer(&[issuer]);
    checks.set_audience(&[audience]);
    checks.validate_nbf = true;
    let shared = Arc::new(Shared {
        signer: Signer::open("EdDSA", key),
        keys: keys.collect(),
        checks,
    });
    listen(
        Router::new()
            .route("/auth/token", post(token))
            .with_state(shared),
    );
}

struct Shared {
    signer: Signer,
    keys: std::collections::HashMap<String, DecodingKey>,
    checks: Validation,
}

async fn token(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> impl IntoResponse {
    let json = [(header::CONTENT_TYPE, "application/json")];
    let name = verified(&shared, &headers);
    match name {
        Some(name) => (StatusCode::CREATED, json, shared.signer.answer(&name)),
        None => (StatusCode::UNAUTHORIZED, json, String::new()),
    }
}

fn verified(shared: &Shared, headers: &HeaderMap) -> Option<String> {
    let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let token = authorization.strip_prefix("Bearer ")?;
    let key = shared.keys.get(&decode_header(token).ok()?.kid?)?;
    let decoded = decode::<Value>(token, key, &shared.checks).ok()?;
    Some(decoded.claims["preferred_username"].as_str()?.to_owned())
}
