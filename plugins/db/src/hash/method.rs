//! Hash methods in werkzeug's syntax: `scrypt[:N:r:p]` and
//! `pbkdf2[:digest[:iterations]]`, each within bounds: a row of a shared
//! database must not be able to exhaust the host.

use std::fmt::{self, Write};

use pbkdf2::pbkdf2_hmac_array;
use scrypt::Params;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

/// What scrypt's table may take (128 * N * r bytes); werkzeug's default takes 32 MiB.
const MAX_TABLE: u64 = 256 << 20;
/// What scrypt's blocks may take (128 * r * p bytes); werkzeug's default takes 1 KiB.
const MAX_BLOCKS: u64 = 16 << 20;
const MAX_PARALLEL: u32 = 16;
/// Ten times werkzeug's default.
const MAX_ITERATIONS: u32 = 10_000_000;
/// Bytes that werkzeug derives with scrypt.
const SCRYPT_LENGTH: usize = 64;

/// A hash method with its cost.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Method {
    Scrypt {
        n: u32,
        r: u32,
        p: u32,
        params: Params,
    },
    Pbkdf2 {
        digest: Digest,
        iterations: u32,
    },
}

impl Method {
    /// Reads a method. The error says what was expected, for an operator; it quotes nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let arguments: Vec<&str> = parts.collect();
        match (name, arguments.as_slice()) {
            ("scrypt", []) => Self::scrypt(32_768, 8, 1),
            ("scrypt", [n, r, p]) => Self::scrypt(number(n)?, number(r)?, number(p)?),
            ("scrypt", _) => Err("expected scrypt or scrypt:N:r:p".to_owned()),
            ("pbkdf2", []) => Self::pbkdf2("sha256", 1_000_000),
            ("pbkdf2", [digest]) => Self::pbkdf2(digest, 1_000_000),
            ("pbkdf2", [digest, iterations]) => Self::pbkdf2(digest, number(iterations)?),
            ("pbkdf2", _) => Err("expected pbkdf2:DIGEST:ITERATIONS".to_owned()),
            _ => Err("expected scrypt or pbkdf2:sha256:ITERATIONS".to_owned()),
        }
    }

    fn scrypt(n: u32, r: u32, p: u32) -> Result<Self, String> {
        if n < 2 || !n.is_power_of_two() {
            return Err("scrypt's N must be a power of two above 1".to_owned());
        }
        if r == 0 || p == 0 || p > MAX_PARALLEL {
            return Err(format!(
                "scrypt's r must be at least 1 and its p 1 to {MAX_PARALLEL}"
            ));
        }
        let bytes = |blocks: u32| 128 * u64::from(r) * u64::from(blocks);
        if bytes(n) > MAX_TABLE || bytes(p) > MAX_BLOCKS {
            return Err("scrypt may take at most 256 MiB (128 * N * r bytes)".to_owned());
        }
        let params = u8::try_from(n.ilog2())
            .ok()
            .and_then(|log_n| Params::new(log_n, r, p, SCRYPT_LENGTH).ok())
            .ok_or("scrypt does not work with these numbers")?;
        Ok(Method::Scrypt { n, r, p, params })
    }

    fn pbkdf2(name: &str, iterations: u32) -> Result<Self, String> {
        let digest = Digest::parse(name)
            .ok_or("pbkdf2's digest must be sha1, sha224, sha256, sha384 or sha512")?;
        if iterations == 0 || iterations > MAX_ITERATIONS {
            return Err(format!("pbkdf2's iterations must be 1 to {MAX_ITERATIONS}"));
        }
        Ok(Method::Pbkdf2 { digest, iterations })
    }

    /// The digest of a password, in lower-case hex. `None` only if scrypt refuses
    /// the length: never an empty text, which an empty stored digest would match.
    pub(crate) fn derive(&self, password: &[u8], salt: &[u8]) -> Option<String> {
        match self {
            Method::Scrypt { params, .. } => {
                let mut key = [0; SCRYPT_LENGTH];
                scrypt::scrypt(password, salt, params, &mut key).ok()?;
                Some(hex(&key))
            }
            Method::Pbkdf2 { digest, iterations } => {
                Some(digest.pbkdf2(password, salt, *iterations))
            }
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Method::Scrypt { n, r, p, .. } => write!(f, "scrypt:{n}:{r}:{p}"),
            Method::Pbkdf2 { digest, iterations } => {
                write!(f, "pbkdf2:{}:{iterations}", digest.name())
            }
        }
    }
}

/// The digests of pbkdf2, by their names in Python's hashlib.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Digest {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    fn parse(name: &str) -> Option<Self> {
        [
            Self::Sha1,
            Self::Sha224,
            Self::Sha256,
            Self::Sha384,
            Self::Sha512,
        ]
        .into_iter()
        .find(|digest| digest.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Digest::Sha1 => "sha1",
            Digest::Sha224 => "sha224",
            Digest::Sha256 => "sha256",
            Digest::Sha384 => "sha384",
            Digest::Sha512 => "sha512",
        }
    }

    /// A key as long as the digest, as werkzeug derives it.
    fn pbkdf2(self, password: &[u8], salt: &[u8], iterations: u32) -> String {
        match self {
            Digest::Sha1 => hex(&pbkdf2_hmac_array::<Sha1, 20>(password, salt, iterations)),
            Digest::Sha224 => hex(&pbkdf2_hmac_array::<Sha224, 28>(password, salt, iterations)),
            Digest::Sha256 => hex(&pbkdf2_hmac_array::<Sha256, 32>(password, salt, iterations)),
            Digest::Sha384 => hex(&pbkdf2_hmac_array::<Sha384, 48>(password, salt, iterations)),
            Digest::Sha512 => hex(&pbkdf2_hmac_array::<Sha512, 64>(password, salt, iterations)),
        }
    }
}

/// Digits only: `u32::from_str` would also take a plus sign.
fn number(text: &str) -> Result<u32, String> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| "expected whole numbers between the colons".to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_of_a_method_prints_the_same_method_in_full() {
        for (text, full) in [
            ("scrypt", "scrypt:32768:8:1"),
            ("scrypt:16384:4:2", "scrypt:16384:4:2"),
            ("pbkdf2", "pbkdf2:sha256:1000000"),
            ("pbkdf2:sha512", "pbkdf2:sha512:1000000"),
            ("pbkdf2:sha256:600000", "pbkdf2:sha256:600000"),
        ] {
            assert_eq!(
                Method::parse(text).map(|method| method.to_string()),
                Ok(full.to_owned())
            );
        }
    }

    #[test]
    fn parse_of_a_hostile_cost_is_an_error() {
        for text in [
            "scrypt:524288:8:1",
            "scrypt:2:2000000:1",
            "scrypt:2:100000:16",
            "scrypt:32768:8:17",
            "scrypt:32768:8:0",
            "scrypt:1:8:1",
            "scrypt:1000:8:1",
            "scrypt:4294967296:8:1",
            "pbkdf2:sha256:10000001",
            "pbkdf2:sha256:0",
            "pbkdf2:sha256:+1000",
            "pbkdf2:md5:1000",
            "pbkdf2:SHA256:1000",
            "scrypt:",
            "bcrypt",
            "",
        ] {
            assert!(Method::parse(text).is_err(), "{text}");
        }
    }
}
