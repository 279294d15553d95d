//! Tokens of every algorithm verify with another library, and look as they must.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::keys::Jwk;
use crate::keys::kind::Kind;
use crate::keys::pair::Pair;

const ALL: [Algorithm; 7] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

#[test]
fn token_of_every_algorithm_verifies_against_the_published_keys() {
    for algorithm in ALL {
        let folder = Folder::new();
        let set = open(
            &Keys {
                algorithm,
                ..Keys::default()
            },
            folder.path(),
        )
        .unwrap();
        assert_eq!(set.active().algorithm(), algorithm);
        assert_verifies(set.active(), set.jwks());
    }
}

#[test]
fn header_has_exactly_alg_kid_and_typ() {
    let folder = Folder::new();
    let set = open(&in_state(), folder.path()).unwrap();
    let token = set.active().sign(b"{}").unwrap();
    let header = URL_SAFE_NO_PAD
        .decode(token.split('.').next().unwrap())
        .unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    assert_eq!(
        header,
        json!({ "alg": "EdDSA", "kid": set.active().kid(), "typ": "JWT" })
    );
}

#[test]
fn token_of_claims_of_any_length_fills_its_allocation_exactly() {
    let folder = Folder::new();
    for algorithm in [Algorithm::EdDSA, Algorithm::ES256, Algorithm::ES384] {
        let set = open(
            &Keys {
                algorithm,
                ..Keys::default()
            },
            &folder.join(&format!("{algorithm:?}")),
        )
        .unwrap();
        for length in [0, 1, 2, 3, 100, 4096] {
            let token = set.active().sign(&vec![b'x'; length]).unwrap();
            assert_eq!(token.len(), token.capacity(), "{algorithm:?} {length}");
            assert_eq!(token.matches('.').count(), 2);
        }
    }
}

#[test]
fn signer_of_a_key_that_does_not_fit_its_algorithm_is_refused() {
    for kind in [Kind::P256, Kind::P384, Kind::Ed25519] {
        for algorithm in ALL {
            let pair = Pair::generate(kind).unwrap();
            let jwk = Jwk::new(pair.public().unwrap(), "k", algorithm);
            let signer = Signer::new(pair, jwk);
            assert_eq!(
                signer.is_ok(),
                Kind::of(algorithm) == kind,
                "{kind} {algorithm:?}"
            );
        }
    }
}
