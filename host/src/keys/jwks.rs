//! The published document: every public key that a token of ours may be verified with.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderValue;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Jwk;

/// A JWK Set (RFC 7517 section 5), encoded once, with the headers that go with it. There is always at least the active key in it:
/// Airflow answers every request with 500 while it holds an empty set.
#[derive(Debug, Clone)]
pub struct Jwks {
    keys: Vec<Jwk>,
    body: Bytes,
    etag: HeaderValue,
    cache_control: HeaderValue,
}

#[derive(Serialize)]
struct Document<'a> {
    keys: &'a [Jwk],
}

impl Jwks {
    /// Keys in this order: the active one first, for clients that take the first of several.
    /// Consumers may keep them for `max_age`. `None` = they cannot be written.
    pub fn new(keys: Vec<Jwk>, max_age: Duration) -> Option<Jwks> {
        let body = serde_json::to_vec(&Document { keys: &keys }).ok()?;
        let etag = format!("\"{}\"", hex_prefix(&body));
        let cache_control = format!("public, max-age={}", max_age.as_secs());
        Some(Jwks {
            keys,
            body: body.into(),
            etag: etag.try_into().ok()?,
            cache_control: cache_control.try_into().ok()?,
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
    pub fn etag(&self) -> &HeaderValue {
        &self.etag
    }

    /// `Cache-Control`: how long consumers may keep the document (`keys.max_age`).
    pub fn cache_control(&self) -> &HeaderValue {
        &self.cache_control
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
        let etag = one.etag().to_str().unwrap();
        assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() == 34);
        assert_eq!(one.cache_control(), "public, max-age=60");
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
