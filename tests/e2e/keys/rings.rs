//! Key rings of audiences' own, and keys in the store.

use std::fs;

use countersign_tests::{Folder, Server, artifacts, get, send};

use super::*;

const OWN: &str = "/jwks/lake.json";
const KEK: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// With a backend that takes other people's tokens, for exchanges.
fn exchanging(folder: &Folder, tokens: &str) -> Server {
    folder.plugin(&artifacts::fixture("bearers"), "bearers");
    let config = format!(
        "plugins: {{ directories: [plugins] }}\nbackends:\n  sso: {{ plugin: bearers, config: {{}} }}\nkeys: {{ algorithm: EdDSA, lead: 0s }}\ntokens:\n  issuer: https://id.example\n{tokens}"
    );
    Server::start(folder, &config)
}

/// A token for an audience; empty = the default one.
fn for_audience(server: &Server, audience: &str) -> String {
    let mut body = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=ada&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token".to_owned();
    if !audience.is_empty() {
        body.push_str(&format!("&audience={audience}"));
    }
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let answer = send(
        server.address,
        "POST",
        "/oauth2/token",
        &kind,
        body.as_bytes(),
    );
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn audience_with_its_own_ring_shares_no_key() {
    let folder = Folder::new();
    let server = exchanging(&folder, "  audiences: { lake: { keys: own }, sea: {} }\n");
    let (lake, sea) = (for_audience(&server, "lake"), for_audience(&server, "sea"));
    assert!(verifies(server.address, OWN, &lake));
    assert!(!verifies(server.address, JWKS, &lake));
    assert!(verifies(server.address, JWKS, &sea));
    assert!(!verifies(server.address, OWN, &sea));
    let answer = get(server.address, OWN);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("cache-control").unwrap().contains("max-age"));
    for path in [
        "/jwks/sea.json",
        "/jwks/lake",
        "/jwks/none.json",
        "/jwks/..%2Flake.json",
    ] {
        assert_eq!(get(server.address, path).status, 404, "{path}");
    }
    assert_eq!(send(server.address, "POST", OWN, &[], b"").status, 405);
    // Rotated by itself.
    let shared = listed(&folder, &[]);
    told(&folder, &["rotate", "--audience", "lake"]);
    assert_eq!(listed(&folder, &[]), shared);
    let next = for_audience(&server, "lake");
    assert_ne!(kid(&next), kid(&lake));
    assert!(verifies(server.address, OWN, &lake) && verifies(server.address, OWN, &next));
    assert_eq!(listed(&folder, &["--audience", "lake"])[0].0, kid(&next));
    let none = keys(&folder, &["rotate", "--audience", "sea"]);
    assert_eq!(none.code, 1, "{none:?}");
    assert!(
        none.stderr
            .contains("no audience \"sea\" has a ring of its own")
    );
}

#[test]
fn openmetadatas_paths_serve_the_ring_of_its_audience() {
    let folder = Folder::new();
    let server = exchanging(&folder, "  audiences: { openmetadata: { keys: own } }\n");
    let token = for_audience(&server, "openmetadata");
    for path in [
        "/api/v1/config/jwks",
        "/api/v1/system/config/jwks",
        "/jwks/openmetadata.json",
    ] {
        assert!(verifies(server.address, path, &token), "{path}");
    }
    assert!(!verifies(server.address, JWKS, &token));
    assert!(verifies(server.address, JWKS, &for_audience(&server, "")));
}

#[test]
fn keys_move_into_the_store_sealed_and_go_on_signing() {
    let folder = Folder::new();
    let server = server(&folder, ", lead: 0s", "");
    let before = server.token("ada", "door");
    let names = published(server.address, JWKS);
    server.stop();
    folder.write("kek", format!("{KEK}\n"));
    let store = format!(
        "store: {{ kek: {{ file: \"{}\" }} }}\n",
        folder.join("kek").display()
    );
    let server = super::server(&folder, ", lead: 0s", &store);
    assert_eq!(published(server.address, JWKS), names);
    assert!(verifies(server.address, JWKS, &before));
    assert_eq!(kid(&server.token("ada", "door")), kid(&before));
    // What comes now is in the store alone.
    told(&folder, &["rotate"]);
    let after = server.token("ada", "door");
    let new = published(server.address, JWKS)[1].clone();
    assert!(!names.contains(&new));
    assert!(!folder.join(&format!("state/keys/{new}.pem")).exists());
    let shown = listed(&folder, &[]);
    let (code, log) = server.stop();
    assert_eq!(code, 0);
    assert!(!log.contains(KEK));
    assert!(log.contains("are in the store as well, sealed"), "{log}");
    fs::remove_dir_all(folder.join("state/keys")).unwrap();
    assert_eq!(listed(&folder, &[]), shown, "without a server, too");
    let server = super::server(&folder, ", lead: 0s", &store);
    assert_eq!(kid(&server.token("ada", "door")), kid(&after));
    server.stop();
    // Another key opens nothing, and nothing is made in its place.
    folder.write("kek", KEK.replace("AAEC", "BBEC"));
    let done = run(&folder, &["check"], &[]);
    assert_eq!(done.code, 74, "{done:?}");
    assert!(
        done.stderr.contains("do not open under store.kek"),
        "{done:?}"
    );
    assert!(!done.stderr.contains("BBEC"));
}
