//! K03: nothing that is printed or published holds a private member.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::keys::files::read_private;

/// The private seed of an Ed25519 key in every spelling in which it might leak.
fn spellings(seed: &[u8]) -> Vec<String> {
    let hex: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    let decimal = format!("{seed:?}");
    let decimal = decimal.trim_matches(['[', ']']).to_owned();
    vec![
        URL_SAFE_NO_PAD.encode(seed),
        STANDARD.encode(seed),
        hex.clone(),
        hex.to_uppercase(),
        decimal,
    ]
}

#[test]
fn k03_private_key_shows_in_no_debug_no_list_no_document_and_no_token() {
    let folder = Folder::new();
    folder.run("openssl genpkey -algorithm ed25519 -outform DER -out key.der");
    let path = folder.join("key.der");
    let seed = fs::read(&path).unwrap().split_off(16);
    assert_eq!(seed.len(), 32);
    let set = open(&settings(&path, Algorithm::EdDSA), &folder.join("state")).unwrap();
    let (pair, _) = read_private(&path).unwrap();
    let shown = [
        format!("{set:?} {set:#?} {pair:?} {:?}", set.active()),
        crate::keys::table(set.list()),
        serde_json::to_string(set.list()).unwrap(),
        String::from_utf8(set.jwks().body().to_vec()).unwrap(),
        set.active().sign(b"{}").unwrap(),
        set.notices().join("\n"),
    ]
    .join("\n");
    for spelling in spellings(&seed) {
        assert!(!shown.contains(&spelling), "{spelling}");
    }
}

#[test]
fn k03_document_has_no_member_but_the_public_ones() {
    let folder = Folder::new();
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let set = open(
            &Keys {
                algorithm,
                ..Keys::default()
            },
            &folder.join(&format!("{algorithm:?}")),
        )
        .unwrap();
        let document: Value = serde_json::from_slice(&set.jwks().body()).unwrap();
        for key in document["keys"].as_array().unwrap() {
            for member in key.as_object().unwrap().keys() {
                let public = ["kty", "kid", "alg", "use", "n", "e", "crv", "x", "y"]
                    .contains(&member.as_str());
                assert!(public, "{algorithm:?}: {member}");
            }
        }
    }
}

#[test]
fn k03_error_about_a_damaged_key_does_not_quote_it() {
    let folder = Folder::new();
    let canary = "Y2FuYXJ5IGluIGEgcHJpdmF0ZSBrZXk";
    let mut private_pem = rsa_pem().to_owned();
    private_pem.insert_str(200, canary);
    for content in [
        private_pem,
        format!("-----BEGIN PRIVATE KEY-----\n{canary}\n-----END"),
        canary.to_owned(),
    ] {
        let error = read_private(&folder.write("damaged", content)).unwrap_err();
        let shown = format!("{error} {error:?} {}", error.help());
        assert!(
            !shown.contains(canary) && !shown.contains("canary in"),
            "{shown}"
        );
    }
}
