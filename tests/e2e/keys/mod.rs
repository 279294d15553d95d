//! Signing keys in a running server: rotated, retired, imported, by hand and by schedule.

mod hosts;
mod rings;
mod rotation;
mod schedule;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use countersign_tests::{Done, Folder, Server, artifacts, get, token};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::Value;

use crate::{TEMPLATE, run};

const JWKS: &str = "/.well-known/jwks.json";

/// A server with EdDSA keys, which are made at once, and further settings.
fn server(folder: &Folder, keys: &str, more: &str) -> Server {
    folder.plugin(&artifacts::plugin("template"), "template");
    Server::start(folder, &config(keys, more))
}

fn config(keys: &str, more: &str) -> String {
    format!("{TEMPLATE}keys: {{ algorithm: EdDSA{keys} }}\n{more}")
}

/// `countersign keys …`.
fn keys(folder: &Folder, arguments: &[&str]) -> Done {
    run(folder, &[&["keys"], arguments].concat(), &[])
}

/// The same, where it must succeed: what it says.
fn told(folder: &Folder, arguments: &[&str]) -> String {
    let done = keys(folder, arguments);
    assert_eq!(done.code, 0, "{done:?}");
    done.stdout
}

/// `keys list --json`: (kid, state), in its order.
fn listed(folder: &Folder, more: &[&str]) -> Vec<(String, String)> {
    let list = told(folder, &[&["list", "--json"], more].concat());
    let list: Vec<Value> = serde_json::from_str(&list).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list.iter()
        .map(|key| (text(&key["kid"]), text(&key["state"])))
        .collect()
}

fn kid(token: &str) -> String {
    token::header(token)["kid"].as_str().unwrap().to_owned()
}

/// The ids of published keys.
fn published(address: SocketAddr, path: &str) -> Vec<String> {
    let answer = get(address, path);
    assert_eq!(answer.status, 200, "{answer:?}");
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    keys.iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

/// Does a token verify with the keys that are published at a path?
fn verifies(address: SocketAddr, path: &str, token: &str) -> bool {
    let set: JwkSet = serde_json::from_str(&get(address, path).body).unwrap();
    verifies_with(&set, token)
}

fn verifies_with(set: &JwkSet, token: &str) -> bool {
    let Some(key) = set.find(&kid(token)) else {
        return false;
    };
    let mut rules = Validation::new(Algorithm::EdDSA);
    rules.validate_aud = false;
    rules.leeway = 5;
    decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &rules).is_ok()
}

/// Asks again until there is an answer.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
