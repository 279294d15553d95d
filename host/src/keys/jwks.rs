//! The published document: every public key that a token of ours may be verified with.

use std::time::Duration;

use axum::body::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Jwk;

/// A JWK Set (RFC 7517 section 5), encoded once. There is always at least the active key in it:
/// Airflow answers every request with 500 while it holds an empty set.
#[derive(Debug, Clone)]
pub struct Jwks {
    keys: Vec<Jwk>,
    body: Bytes,
    etag: String,
    max_age: Duration,
}

#[derive(Serialize)]
struct Document<'a> {
    keys: &'a [Jwk],
}

impl Jwks {
    /// Keys in this order: the active one first, for clients that take the first of several.
    pub fn new(keys: Vec<Jwk>, max_age: Duration) -> Result<Jwks, serde_json::Error> {
        let body = serde_json::to_vec(&Document { keys: &keys })?;
        let etag = format!("\"{}\"", hex_prefix(&body));
        Ok(Jwks {
            keys,
            body: body.into(),
            etag,
            max_age,
        })
    }

    /// The keys, the active one first.
    pub fn keys(&self) -> &[Jwk] {
        &self.keys
    }

    /// The document: the same keys give the same bytes.
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// Strong entity tag (RFC 9110 section 8.8.3), quotes included.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// How long consumers may keep the document: `keys.max_age`.
    pub fn max_age(&self) -> Duration {
        self.max_age
    }
}

fn hex_prefix(body: &[u8]) -> String {
    Sha256::digest(body)
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::config::shapes::Algorithm;
    use crate::keys::PublicKey;

    fn jwk(kid: &str) -> Jwk {
        Jwk::new(PublicKey::ed25519(&[7; 32]), kid, Algorithm::EdDSA)
    }

    #[test]
    fn k05_same_keys_give_same_bytes_and_etag_other_keys_another() {
        let of = |second| Jwks::new(vec![jwk("a"), jwk(second)], Duration::from_secs(60)).unwrap();
        let (one, same, other) = (of("b"), of("b"), of("c"));
        assert_eq!((one.body(), one.etag()), (same.body(), same.etag()));
        assert_ne!(one.etag(), other.etag());
        assert!(one.etag().starts_with('"') && one.etag().ends_with('"') && one.etag().len() == 34);
        let text = String::from_utf8(one.body().to_vec()).unwrap();
        assert!(
            text.starts_with(r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"#),
            "{text}"
        );
        assert!(
            text.contains(r#""kid":"a","alg":"EdDSA","use":"sig"}"#),
            "{text}"
        );
    }
}
