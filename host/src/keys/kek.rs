//! The key-encryption key (`store.kek`): under it the signing keys are kept in the store, so that
//! whoever reads the database, or a copy of it, cannot sign; nor can who writes there make us
//! trust a key of his.
//!
//! AES-256-GCM-SIV (RFC 8452): many hosts seal under one key without counting nonces.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Bytes of the key.
const KEY: usize = 32;
/// Bytes of a nonce.
const NONCE: usize = 12;

/// Seals private keys. `Debug` shows nothing of it.
pub struct Kek(RandomizedNonceKey);

impl Kek {
    /// From 32 bytes in base64, such as `openssl rand -base64 32` writes. None = it is no such key.
    pub fn parse(text: &str) -> Option<Kek> {
        let key = RandomizedNonceKey::new(&AES_256_GCM_SIV, &bytes(text)?);
        key.ok().map(Kek)
    }

    /// Seals bytes for one purpose. None = the system has no random numbers.
    pub(super) fn seal(&self, purpose: &str, bytes: &[u8]) -> Option<String> {
        let mut text = Vec::with_capacity(bytes.len() + 16);
        text.extend_from_slice(bytes);
        let purpose = Aad::from(purpose.as_bytes());
        let nonce = self.0.seal_in_place_append_tag(purpose, &mut text).ok()?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut text);
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What was sealed for this purpose; none for anything else.
    pub(super) fn open(&self, purpose: &str, sealed: &str) -> Option<Zeroizing<Vec<u8>>> {
        let mut sealed = Zeroizing::new(URL_SAFE_NO_PAD.decode(sealed).ok()?);
        let (nonce, text) = sealed.split_at_mut_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let purpose = Aad::from(purpose.as_bytes());
        let text = self.0.open_in_place(nonce, purpose, text).ok()?;
        Some(Zeroizing::new(text.to_vec()))
    }
}

/// The 32 bytes of such a text.
pub(super) fn bytes(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.trim();
    let bytes = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text));
    let bytes = Zeroizing::new(bytes.ok()?);
    (bytes.len() == KEY).then_some(bytes)
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kek")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const TEXT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn sealed_for_one_purpose_opens_for_that_alone_and_under_that_key_alone() {
        let kek = Kek::parse(&format!("{TEXT}\n")).unwrap();
        let sealed = kek.seal("a", b"secret").unwrap();
        assert_eq!(&*kek.open("a", &sealed).unwrap(), b"secret");
        assert!(kek.open("b", &sealed).is_none());
        let other = Kek::parse(&STANDARD.encode([7; 32])).unwrap();
        assert!(other.open("a", &sealed).is_none());
        assert!(kek.open("a", &sealed[1..]).is_none());
        assert!(kek.open("a", "").is_none());
        assert_eq!(format!("{kek:?}"), "Kek");
    }

    #[test]
    fn key_of_another_length_or_alphabet_is_none() {
        for bad in [
            &TEXT.replace('=', ""),
            "",
            "short",
            &STANDARD.encode([7; 16]),
            &TEXT[1..],
            "§",
        ] {
            assert!(Kek::parse(bad).is_none(), "{bad}");
        }
    }
}
