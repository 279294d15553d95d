//! Hash methods and their cost, read, printed, and kept within bounds: a row of a shared database must
//! not be able to exhaust the host. The syntax of the `hash` setting is werkzeug's,
//! continued: `scrypt[:N:r:p]`, `pbkdf2[:digest[:iterations]]`, `bcrypt[:cost]`,
//! `argon2id[:KiB:passes:lanes]`, `sha256-crypt[:rounds]`, `sha512-crypt[:rounds]`.

use std::fmt;

use countersign_sdk::AuthError;

use super::digest::Digest;
use super::forms::number;
use super::work::{ARGON2_LENGTH, scrypt_params};
use crate::config::Access;

/// What scrypt's table may take (128 * N * r bytes); werkzeug's default takes 32 MiB.
const MAX_TABLE: u64 = 256 << 20;
/// What scrypt's blocks may take (128 * r * p bytes); werkzeug's default takes 1 KiB.
const MAX_BLOCKS: u64 = 16 << 20;
/// What scrypt may fill in all its parallel parts (128 * N * r * p bytes): about two seconds.
const MAX_SCRYPT_WORK: u64 = 1 << 30;
const MAX_PARALLEL: u32 = 16;
/// Ten times werkzeug's default.
const MAX_ITERATIONS: u32 = 10_000_000;
/// 2^15 rounds take two seconds or three; 12 is common.
const BCRYPT_COSTS: std::ops::RangeInclusive<u32> = 4..=15;
/// KiB that Argon2 may take; 64 MiB is common.
const MAX_ARGON2_MEMORY: u32 = 256 << 10;
/// KiB that Argon2 may fill in all passes: about two seconds.
const MAX_ARGON2_WORK: u64 = 2 << 20;
/// passlib's default is 656,000.
const SHA_CRYPT_ROUNDS: std::ops::RangeInclusive<u32> = 1_000..=3_000_000;

/// A hash method with its cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Scrypt {
        n: u32,
        r: u32,
        p: u32,
    },
    Pbkdf2 {
        digest: Digest,
        iterations: u32,
    },
    Bcrypt {
        cost: u32,
    },
    Argon2 {
        id: bool,
        version: u32,
        memory: u32,
        passes: u32,
        lanes: u32,
    },
    ShaCrypt {
        long: bool,
        rounds: u32,
    },
    /// One round of a digest over password and salt: verified, never made.
    Salted(Digest),
}

impl Method {
    /// Reads a method. The error says what was expected, for an operator; it quotes nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default();
        let arguments: Vec<&str> = parts.collect();
        let whole = |text: &str| {
            number(text).ok_or_else(|| "expected whole numbers between the colons".to_owned())
        };
        match (name, arguments.as_slice()) {
            ("scrypt", []) => Self::scrypt(32_768, 8, 1),
            ("scrypt", [n, r, p]) => Self::scrypt(whole(n)?, whole(r)?, whole(p)?),
            ("scrypt", _) => Err("expected scrypt or scrypt:N:r:p".to_owned()),
            ("pbkdf2", []) => Self::pbkdf2("sha256", 1_000_000),
            ("pbkdf2", [digest]) => Self::pbkdf2(digest, 1_000_000),
            ("pbkdf2", [digest, iterations]) => Self::pbkdf2(digest, whole(iterations)?),
            ("pbkdf2", _) => Err("expected pbkdf2:DIGEST:ITERATIONS".to_owned()),
            ("bcrypt", []) => Self::bcrypt(12),
            ("bcrypt", [cost]) => Self::bcrypt(whole(cost)?),
            ("argon2id", []) => Self::argon2(true, 19, 19_456, 2, 1),
            ("argon2id", [memory, passes, lanes]) => {
                Self::argon2(true, 19, whole(memory)?, whole(passes)?, whole(lanes)?)
            }
            ("sha256-crypt" | "sha512-crypt", []) => Self::sha_crypt(name == "sha512-crypt", 5_000),
            ("sha256-crypt" | "sha512-crypt", [rounds]) => {
                Self::sha_crypt(name == "sha512-crypt", whole(rounds)?)
            }
            _ => Err("expected scrypt, pbkdf2:sha256:ITERATIONS, bcrypt:COST, \
                 argon2id:KIB:PASSES:LANES, sha256-crypt:ROUNDS or sha512-crypt:ROUNDS"
                .to_owned()),
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
        if bytes(n) * u64::from(p) > MAX_SCRYPT_WORK {
            return Err("scrypt may fill at most 1 GiB (128 * N * r * p bytes)".to_owned());
        }
        scrypt_params(n, r, p).ok_or("scrypt does not work with these numbers")?;
        Ok(Method::Scrypt { n, r, p })
    }

    pub(super) fn pbkdf2(name: &str, iterations: u32) -> Result<Self, String> {
        let digest = Digest::parse(name)
            .ok_or("pbkdf2's digest must be sha1, sha224, sha256, sha384 or sha512")?;
        if iterations == 0 || iterations > MAX_ITERATIONS {
            return Err(format!("pbkdf2's iterations must be 1 to {MAX_ITERATIONS}"));
        }
        Ok(Method::Pbkdf2 { digest, iterations })
    }

    pub(super) fn bcrypt(cost: u32) -> Result<Self, String> {
        let (least, most) = BCRYPT_COSTS.into_inner();
        BCRYPT_COSTS
            .contains(&cost)
            .then_some(Method::Bcrypt { cost })
            .ok_or_else(|| format!("bcrypt's cost must be {least} to {most}"))
    }

    pub(super) fn argon2(
        id: bool,
        version: u32,
        memory: u32,
        passes: u32,
        lanes: u32,
    ) -> Result<Self, String> {
        let work = u64::from(memory) * u64::from(passes);
        if memory > MAX_ARGON2_MEMORY || work > MAX_ARGON2_WORK || lanes > MAX_PARALLEL {
            return Err(format!(
                "argon2 may take at most {MAX_ARGON2_MEMORY} KiB, {MAX_ARGON2_WORK} KiB in \
                 all passes, and {MAX_PARALLEL} lanes"
            ));
        }
        let method = Method::Argon2 {
            id,
            version,
            memory,
            passes,
            lanes,
        };
        method
            .argon2_with(ARGON2_LENGTH)
            .map(|_| method)
            .ok_or_else(|| "argon2 does not work with these numbers".to_owned())
    }

    pub(super) fn sha_crypt(long: bool, rounds: u32) -> Result<Self, String> {
        let (least, most) = SHA_CRYPT_ROUNDS.into_inner();
        SHA_CRYPT_ROUNDS
            .contains(&rounds)
            .then_some(Method::ShaCrypt { long, rounds })
            .ok_or_else(|| format!("SHA-crypt's rounds must be {least} to {most}"))
    }

    pub(super) fn salted(digest: &str) -> Option<Self> {
        Digest::parse(digest).map(Method::Salted)
    }

    /// Can Flask-AppBuilder verify it?
    pub(crate) fn is_werkzeugs(self) -> bool {
        matches!(self, Method::Scrypt { .. } | Method::Pbkdf2 { .. })
    }

    /// Can new passwords be hashed so?
    pub(crate) fn makes_hashes(self) -> bool {
        !matches!(self, Method::ShaCrypt { .. } | Method::Salted(_))
    }

    /// May new passwords be hashed so, in tables of our own or in Flask-AppBuilder's?
    pub(crate) fn check_for(self, is_ours: bool, access: Access) -> Result<(), AuthError> {
        let fits = match access {
            Access::Full if is_ours => self.makes_hashes(),
            Access::Full => self.is_werkzeugs(),
            Access::Read | Access::Counters => true,
        };
        let makers = if is_ours {
            "scrypt, pbkdf2, bcrypt and argon2id"
        } else {
            "scrypt and pbkdf2: what Flask-AppBuilder verifies in its tables"
        };
        fits.then_some(()).ok_or_else(|| {
            AuthError::invalid(format!("hash: new passwords can be hashed with {makers}"))
        })
    }

    /// Is the password longer than the method sees?
    pub(crate) fn is_cut(self, password: &str) -> bool {
        self.is_bcrypt() && password.len() > super::BCRYPT_SEES
    }

    pub(super) fn is_bcrypt(self) -> bool {
        matches!(self, Method::Bcrypt { .. })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Method::Scrypt { n, r, p } => write!(f, "scrypt:{n}:{r}:{p}"),
            Method::Pbkdf2 { digest, iterations } => {
                write!(f, "pbkdf2:{}:{iterations}", digest.name())
            }
            Method::Bcrypt { cost } => write!(f, "bcrypt:{cost}"),
            Method::Argon2 {
                memory,
                passes,
                lanes,
                ..
            } => write!(f, "argon2id:{memory}:{passes}:{lanes}"),
            Method::ShaCrypt { long, rounds } => {
                let bits = if *long { 512 } else { 256 };
                write!(f, "sha{bits}-crypt:{rounds}")
            }
            Method::Salted(digest) => write!(f, "salted {}", digest.name()),
        }
    }
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
            ("bcrypt", "bcrypt:12"),
            ("argon2id", "argon2id:19456:2:1"),
            ("sha512-crypt", "sha512-crypt:5000"),
            ("sha256-crypt:10000", "sha256-crypt:10000"),
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
            "scrypt:262144:8:5",
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
            "bcrypt:3",
            "bcrypt:16",
            "argon2id:262145:1:1",
            "argon2id:65536:33:1",
            "argon2id:65536:3:17",
            "argon2id:0:1:1",
            "argon2i",
            "sha512-crypt:999",
            "sha512-crypt:3000001",
            "",
        ] {
            assert!(Method::parse(text).is_err(), "{text}");
        }
    }
}
