//! What a method does: digests of passwords, and the texts of new hashes.

use std::fmt::Write;

use argon2::{Algorithm, Argon2, Version};
use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD_NO_PAD};

use super::{Method, salt};

/// Bytes that werkzeug derives with scrypt.
const SCRYPT_LENGTH: usize = 64;
/// Bytes of the digest of a new Argon2 hash.
pub(super) const ARGON2_LENGTH: usize = 32;
/// Bytes of the digest of a bcrypt hash.
const BCRYPT_LENGTH: usize = 23;
/// Letters before the salt, `$2b$12$`, and of the salt.
const BCRYPT_SALT: std::ops::Range<usize> = 7..29;

impl Method {
    /// The digest of a password, of this length where the method leaves the choice.
    /// `None`, never an empty digest, if it cannot be computed or is not computed here.
    pub(super) fn derive(self, password: &[u8], salt: &[u8], length: usize) -> Option<Vec<u8>> {
        match self {
            Method::Scrypt { n, r, p } => {
                let mut key = vec![0; SCRYPT_LENGTH];
                scrypt::scrypt(password, salt, &scrypt_params(n, r, p)?, &mut key).ok()?;
                Some(key)
            }
            Method::Pbkdf2 { digest, iterations } => {
                Some(digest.pbkdf2(password, salt, iterations))
            }
            Method::Argon2 { .. } => {
                // A decoy has no digest of its own.
                let length = if length == 0 { ARGON2_LENGTH } else { length };
                let mut key = vec![0; length];
                let argon2 = self.argon2_with(length)?;
                argon2.hash_password_into(password, salt, &mut key).ok()?;
                Some(key)
            }
            Method::Salted(digest) => Some(digest.salted(password, salt)),
            Method::Bcrypt { .. } | Method::ShaCrypt { .. } => None,
        }
    }

    /// The text to store for a password; `None` where that cannot be.
    pub(super) fn format(self, password: &str, salt: &str) -> Option<String> {
        if let Method::Bcrypt { cost } = self {
            let salt = <[u8; 16]>::try_from(salt.as_bytes()).ok()?;
            let made = bcrypt::hash_with_salt(password, cost, salt).ok()?;
            return (password.len() <= super::BCRYPT_SEES).then(|| made.to_string());
        }
        let digest = self.derive(password.as_bytes(), salt.as_bytes(), ARGON2_LENGTH)?;
        self.assemble(salt, &digest)
    }

    /// The text of a hash whose password nobody knows: random bytes for its digest, and for
    /// its salt their [`mark`](salt::mark).
    pub(super) fn unknown(self, random: &[u8; 64]) -> Option<String> {
        let length = match self {
            Method::Scrypt { .. } => SCRYPT_LENGTH,
            Method::Pbkdf2 { digest, .. } => digest.length(),
            Method::Argon2 { .. } => ARGON2_LENGTH,
            Method::Bcrypt { .. } => BCRYPT_LENGTH,
            Method::ShaCrypt { .. } | Method::Salted(_) => return None,
        };
        let digest = random.get(..length)?;
        let salt = salt::mark(digest);
        if let Method::Bcrypt { cost } = self {
            let [salt, digest] =
                [salt.as_bytes(), digest].map(|bytes| bcrypt_base64().encode(bytes));
            return Some(format!("$2b${cost:02}${salt}{digest}"));
        }
        self.assemble(&salt, digest)
    }

    fn assemble(self, salt: &str, digest: &[u8]) -> Option<String> {
        match self {
            Method::Scrypt { .. } | Method::Pbkdf2 { .. } => {
                Some(format!("{self}${salt}${}", hex(digest)))
            }
            Method::Argon2 {
                version,
                memory,
                passes,
                lanes,
                ..
            } => {
                let [salt, digest] =
                    [salt.as_bytes(), digest].map(|bytes| STANDARD_NO_PAD.encode(bytes));
                Some(format!(
                    "$argon2id$v={version}$m={memory},t={passes},p={lanes}${salt}${digest}"
                ))
            }
            Method::Bcrypt { .. } | Method::ShaCrypt { .. } | Method::Salted(_) => None,
        }
    }

    /// A text of this method, where texts are verified, that fits no password.
    pub(super) fn decoy_text(self) -> Option<String> {
        match self {
            Method::Bcrypt { cost } => Some(format!("$2b${cost:02}${}", ".".repeat(53))),
            Method::ShaCrypt { long, rounds } => {
                let (id, length) = if long { (6, 86) } else { (5, 43) };
                let digest = ".".repeat(length);
                Some(format!("${id}$rounds={rounds}$0123456789abcdef${digest}"))
            }
            _ => None,
        }
    }

    pub(super) fn argon2_with(self, length: usize) -> Option<Argon2<'static>> {
        let Method::Argon2 {
            id,
            version,
            memory,
            passes,
            lanes,
        } = self
        else {
            return None;
        };
        let algorithm = if id {
            Algorithm::Argon2id
        } else {
            Algorithm::Argon2i
        };
        let version = Version::try_from(version).ok()?;
        let params = argon2::Params::new(memory, passes, lanes, Some(length)).ok()?;
        Some(Argon2::new(algorithm, version, params))
    }
}

/// Salt and digest of the text of a bcrypt hash.
pub(super) fn bcrypt_parts(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let decode = |part: Option<&str>| bcrypt_base64().decode(part?).ok();
    Some((
        decode(text.get(BCRYPT_SALT))?,
        decode(text.get(BCRYPT_SALT.end..))?,
    ))
}

fn bcrypt_base64() -> GeneralPurpose {
    GeneralPurpose::new(&BCRYPT, NO_PAD)
}

pub(super) fn scrypt_params(n: u32, r: u32, p: u32) -> Option<scrypt::Params> {
    let log_n = u8::try_from(n.ilog2()).ok()?;
    scrypt::Params::new(log_n, r, p, SCRYPT_LENGTH).ok()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
