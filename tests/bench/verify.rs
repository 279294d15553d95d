//! `GET /auth/verify` as proxies ask it, against a bare axum handler that verifies the same token
//! inline with the keys in its memory; each server on one core, the client on another.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use countersign_tests::{Folder, Server, get as fetch, send, token};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::bare::{self, Bare};
use crate::load;
use crate::mint::{config, key, pin, processor_time, unpin};
use crate::sample::median;
use crate::table::{Row, Target};

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_millis(1500);
const CONNECTIONS: usize = 32;
const CORE: usize = 0;

/// A request of a proxy on behalf of a client with this token.
pub(crate) fn request(token: &str) -> Vec<u8> {
    format!("GET /auth/verify HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\nx-forwarded-method: GET\r\nx-forwarded-uri: /dags\r\n\r\n")
        .into_bytes()
}

/// What a good token is answered; panics if it is not taken.
pub(crate) fn accepted(server: std::net::SocketAddr, token: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let answer = send(server, "GET", "/auth/verify", &headers, b"");
    assert!((200..300).contains(&answer.status), "{answer:?}");
    answer.status
}

pub(crate) fn measure() -> Vec<Row> {
    let folder = Folder::new();
    let key = key(&folder, "RS256");
    let ours = Server::start(&folder, &config("RS256", &key));
    pin(ours.pid(), CORE);
    let jwt = ours.token("ada", "door");
    let status = accepted(ours.address, &jwt);
    let claims = token::claims(&jwt);
    let keys = fetch(ours.address, "/.well-known/jwks.json").body;
    let keys = folder.write("jwks.json", keys);
    let text = |claim: &str| claims[claim].as_str().unwrap().to_owned();
    let (issuer, audience) = (text("iss"), text("aud"));
    let arguments = ["bare-verify", keys.to_str().unwrap(), &issuer, &audience];
    let bare = Bare::on(CORE, &arguments);
    pin(std::process::id(), 1 - CORE);

    let request = request(&jwt);
    let rate = |server, status| load::throughput(server, &request, status, CONNECTIONS, ROUND);
    let (mut own, mut theirs, mut busy) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        theirs.push(rate(bare.address, 200));
        let before = processor_time(ours.pid());
        own.push(rate(ours.address, status));
        busy.push((processor_time(ours.pid()) - before) / ROUND.as_secs_f64());
    }
    unpin(std::process::id());
    let ratios = own.iter().zip(&theirs).map(|(own, theirs)| own / theirs);
    vec![Row {
        name: "GET /auth/verify, RS256, keep-alive, one core".into(),
        value: median(ratios.collect()),
        measured: format!("{:.0} a second", median(own)),
        reference: format!("{:.0} bare axum", median(theirs)),
        unit: "",
        target: Target::AtLeast(0.75),
        note: format!("our core was {:.0} % busy", 100.0 * median(busy)),
    }]
}

/// `bare-verify JWKSFILE ISSUER AUDIENCE`: serves until killed; prints its address.
pub(crate) fn serve(arguments: &[String]) {
    let [keys, issuer, audience] = arguments else {
        panic!("bare-verify JWKSFILE ISSUER AUDIENCE")
    };
    let mut checks = Validation::new(Algorithm::RS256);
    checks.set_issuer(&[issuer]);
    checks.set_audience(&[audience]);
    checks.validate_nbf = true;
    let keys = decoding(&std::fs::read(keys).unwrap());
    bare::listen(
        Router::new()
            .route("/auth/verify", get(verify))
            .with_state(Arc::new((keys, checks))),
    );
}

/// The keys of a JWKS, by their ids.
pub(crate) fn decoding(jwks: &[u8]) -> HashMap<String, DecodingKey> {
    let set: JwkSet = serde_json::from_slice(jwks).unwrap();
    let keys = set.keys.iter().filter_map(|key| {
        let id = key.common.key_id.clone()?;
        Some((id, DecodingKey::from_jwk(key).ok()?))
    });
    keys.collect()
}

type Shared = Arc<(HashMap<String, DecodingKey>, Validation)>;

async fn verify(State(shared): State<Shared>, headers: HeaderMap) -> impl IntoResponse {
    match subject(&shared, &headers) {
        Some(subject) => (StatusCode::OK, [("x-auth-request-user", subject)]).into_response(),
        None => (
            StatusCode::UNAUTHORIZED,
            [(header::WWW_AUTHENTICATE, "Bearer")],
        )
            .into_response(),
    }
}

fn subject(shared: &Shared, headers: &HeaderMap) -> Option<String> {
    let (keys, checks) = &**shared;
    let authorization = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let token = authorization.strip_prefix("Bearer ")?;
    let key = keys.get(&decode_header(token).ok()?.kid?)?;
    let decoded = decode::<Value>(token, key, checks).ok()?;
    Some(decoded.claims["sub"].as_str()?.to_owned())
}
