//! The key that never leaves this server, or the hosts that share `store.kek`: it seals what browsers and clients carry for us,
//! such as a session's cookie, so that nobody else can read, change or make one.
//!
//! AES-256-GCM-SIV (RFC 8452): a nonce that occurs twice gives nothing away but that the text
//! does, too. What is sealed is compressed before, for cookies are small: its length tells
//! something of it. So nothing that a stranger chooses is sealed again and again beside the same
//! secret.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{KeyError, Mode, atomic, files, kek};

/// Bytes of the key.
const KEY: usize = 32;
/// Bytes of a nonce.
const NONCE: usize = 12;

/// How hard compression tries, of 10: half of the time of 10, and nearly as small.
const EFFORT: u8 = 6;
/// More bytes are never sealed.
const LONGEST: usize = 1024 * 1024;

/// Seals and unseals.
pub struct Sealer(RandomizedNonceKey);

/// What is sealed, and until when it is good.
#[derive(Serialize, Deserialize)]
struct Letter<T> {
    /// Seconds since 1970.
    until: u64,
    content: T,
}

impl Sealer {
    /// The key of this state folder, `session.key`, made where there is none. A check makes
    /// nothing.
    ///
    /// # Errors
    /// The file cannot be read or written, is open to others, or holds no key.
    pub fn open(state: &Path, mode: Mode) -> Result<Sealer, KeyError> {
        let path = file(state);
        match files::read(&path, KEY as u64) {
            Ok((bytes, metadata)) => {
                if let Some(notice) = files::check_access(&path, &metadata)? {
                    tracing::warn!("{notice}");
                }
                Sealer::of(&bytes).ok_or_else(|| damaged(path))
            }
            Err(KeyError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                let mut bytes = Zeroizing::new([0; KEY]);
                let filled = aws_lc_rs::rand::fill(&mut *bytes);
                filled.map_err(|_| damaged(path.clone()))?;
                if mode == Mode::Serve {
                    atomic::create_folder(state)?;
                    atomic::create(&path, &*bytes, 0o600)?;
                }
                Sealer::of(&*bytes).ok_or_else(|| damaged(path))
            }
            Err(error) => Err(error),
        }
    }

    /// The one of all hosts that share `store.kek`: a login that one has begun ends at another.
    ///
    /// # Errors
    /// [`KeyError::Kek`]: the text is no such key.
    pub fn shared(kek: &str) -> Result<Sealer, KeyError> {
        let kek = kek::bytes(kek).ok_or(KeyError::Kek)?;
        let kek = hmac::Key::new(hmac::HMAC_SHA256, &kek);
        let key = hmac::sign(&kek, b"countersign sessions");
        Sealer::of(key.as_ref()).ok_or(KeyError::Kek)
    }

    fn of(bytes: &[u8]) -> Option<Sealer> {
        let key = RandomizedNonceKey::new(&AES_256_GCM_SIV, bytes);
        key.ok().map(Sealer)
    }

    /// Seals `content` for one purpose until a time in seconds since 1970: characters of
    /// base64url alone, 4/3 of what is left of the JSON once it is compressed. None = it cannot be
    /// written as JSON, or is longer than 1 MiB.
    pub fn seal<T: Serialize>(&self, purpose: &str, until: u64, content: &T) -> Option<String> {
        let letter = Letter { until, content };
        let text = Zeroizing::new(serde_json::to_vec(&letter).ok()?);
        if text.len() > LONGEST {
            return None;
        }
        let mut text = compress_to_vec(&text, EFFORT);
        let purpose = Aad::from(purpose.as_bytes());
        let nonce = self.0.seal_in_place_append_tag(purpose, &mut text).ok()?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut text);
        Some(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// What was sealed for this purpose, if it is ours and still good at `now`.
    pub fn unseal<T: DeserializeOwned>(&self, purpose: &str, sealed: &str, now: u64) -> Option<T> {
        let mut sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, text) = sealed.split_at_mut_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let purpose = Aad::from(purpose.as_bytes());
        let text = self.0.open_in_place(nonce, purpose, text).ok()?;
        let text = Zeroizing::new(decompress_to_vec_with_limit(text, LONGEST).ok()?);
        let letter: Letter<T> = serde_json::from_slice(&text).ok()?;
        (now < letter.until).then_some(letter.content)
    }
}

/// Shows nothing of the key.
impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

fn file(state: &Path) -> PathBuf {
    state.join("session.key")
}

fn damaged(path: PathBuf) -> KeyError {
    let source =
        io::Error::other("it holds no key of 32 bytes; remove it, and everybody signs in anew");
    KeyError::Read { path, source }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: u64 = 1_767_225_600;

    fn sealer(key: u8) -> Sealer {
        Sealer::of(&[key; KEY]).unwrap()
    }

    #[test]
    fn sealed_text_is_read_by_its_key_for_its_purpose_in_its_time_alone() {
        let sealed = sealer(1).seal("session", NOW + 60, &"ada").unwrap();
        let read = |key, purpose, now| sealer(key).unseal::<String>(purpose, &sealed, now);
        assert_eq!(read(1, "session", NOW + 59).as_deref(), Some("ada"));
        assert_eq!(read(1, "session", NOW + 60), None);
        assert_eq!(read(1, "code", NOW), None);
        assert_eq!(read(2, "session", NOW), None);
    }

    #[test]
    fn hosts_with_one_kek_read_what_each_other_seals_and_others_nothing() {
        let kek = |byte: u8| base64::engine::general_purpose::STANDARD.encode([byte; KEY]);
        let shared = |byte| Sealer::shared(&kek(byte)).unwrap();
        let sealed = shared(1).seal("session", NOW + 60, &"ada").unwrap();
        let read = |sealer: Sealer| sealer.unseal::<String>("session", &sealed, NOW);
        assert_eq!(read(shared(1)).as_deref(), Some("ada"));
        assert_eq!(read(shared(2)), None);
        assert_eq!(
            read(sealer(1)),
            None,
            "it is not the key-encryption key itself"
        );
        assert!(Sealer::shared("short").is_err());
    }

    #[test]
    fn what_repeats_is_sealed_short_and_what_is_too_long_not_at_all() {
        let groups: Vec<String> = (0..200)
            .map(|n| format!("CN=group-{n},OU=Groups,DC=company,DC=example"))
            .collect();
        let sealed = sealer(1).seal("session", NOW + 60, &groups).unwrap();
        assert!(sealed.len() < 2_000, "{}", sealed.len());
        let read: Option<Vec<String>> = sealer(1).unseal("session", &sealed, NOW);
        assert_eq!(read, Some(groups));
        let long = "x".repeat(LONGEST);
        assert_eq!(sealer(1).seal("session", NOW + 60, &long), None);
    }

    #[test]
    fn sealed_text_that_was_changed_anywhere_is_refused() {
        let sealed = sealer(1).seal("session", NOW + 60, &"ada").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&sealed).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            let changed = URL_SAFE_NO_PAD.encode(changed);
            assert_eq!(sealer(1).unseal::<String>("session", &changed, NOW), None);
        }
        for cut in 0..sealed.len() {
            let cut = &sealed[..cut];
            assert_eq!(sealer(1).unseal::<String>("session", cut, NOW), None);
        }
    }
}
