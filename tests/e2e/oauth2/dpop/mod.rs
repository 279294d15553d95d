//! Tokens that are bound to a key of their client (DPoP, RFC 9449): what a proof must be, which
//! grants bind their tokens, and where those are taken.

mod grants;
mod proofs;
mod taken;

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_tests::postgres::Postgres;
use countersign_tests::token::claims;
use countersign_tests::{Answer, Folder, Server, artifacts, send};
use serde_json::{Value, json};

use super::bots::{Beside, Key, ask, ask_with, basic, error, now, said};
use super::{EXCHANGE, TYPE, audit, device, hosts, server};
use crate::cli_login::browser::Browser;
use crate::cli_login::codes::Flow;
use crate::template;

const TOKEN: &str = "/oauth2/token";
const ME: &str = "/api/v1/users/loggedInUser";
const CREDENTIALS: (&str, &str) = ("grant_type", "client_credentials");
const CLIENT: (&str, &str) = ("client_id", "countersign-cli");

/// Names for proofs, each once.
static NAMES: AtomicU64 = AtomicU64::new(0);

fn url(server: &Server, path: &str) -> String {
    format!("http://{}{path}", server.address)
}

fn header(key: &Key) -> Value {
    json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk() })
}

/// What a proof says of a request.
fn about(method: &str, url: &str) -> Value {
    let name = NAMES.fetch_add(1, Ordering::Relaxed).to_string();
    json!({ "jti": name, "htm": method, "htu": url, "iat": now() })
}

/// The same with one member changed; null takes it away.
fn but(mut object: Value, name: &str, value: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    match value {
        Value::Null => drop(members.remove(name)),
        value => drop(members.insert(name.into(), value)),
    }
    object
}

/// A good proof for the token endpoint.
fn proof(server: &Server, key: &Key) -> String {
    key.signed(&header(key), &about("POST", &url(server, TOKEN)))
}

/// The digest of a token.
fn ath(token: &str) -> Value {
    json!(URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())))
}

/// A good proof for who shows a token.
fn proof_with(key: &Key, method: &str, url: &str, token: &str) -> String {
    let about = but(about(method, url), "ath", ath(token));
    key.signed(&header(key), &about)
}

/// Asks for a token with these proofs.
fn prove(server: &Server, who: &str, proofs: &[&str], form: &[(&str, &str)]) -> Answer {
    let headers: Vec<_> = proofs.iter().map(|proof| ("DPoP", *proof)).collect();
    ask_with(server, TOKEN, who, &headers, form)
}

fn access(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// Is it a token that says that it is bound to this key?
fn bound(answer: &Answer, key: &Key) -> String {
    let token = access(answer);
    assert_eq!(answer.json()["token_type"], "DPoP");
    let expected = json!({ "jkt": key.thumbprint() });
    assert_eq!(claims(&token)["cnf"], expected);
    token
}

fn refused(answer: &Answer, expected: &str) {
    assert_eq!(error(answer), (400, expected.to_owned()), "{answer:?}");
    assert_eq!(answer.json()["access_token"], json!(null));
}

/// Shows a token to our own API.
fn me(server: &Server, scheme: &str, token: &str, proofs: &[&str]) -> Answer {
    let authorization = format!("{scheme} {token}");
    let mut headers = vec![("authorization", authorization.as_str())];
    headers.extend(proofs.iter().map(|proof| ("dpop", *proof)));
    send(server.address, "GET", ME, &headers, b"")
}

/// The challenges of an answer.
fn challenges(answer: &Answer) -> Vec<&str> {
    let lines = answer.headers.iter();
    let lines = lines.filter(|(name, _)| name == "www-authenticate");
    lines.map(|(_, value)| value.as_str()).collect()
}
