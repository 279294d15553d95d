//! Password hashes as werkzeug writes them: `method$salt$hex`, split at the
//! first two `$`; the salt is its own text, the digest is compared as text.
//!
//! A stored hash is data from a database that others write to: whatever it
//! holds, the answer is yes or no, in bounded time and memory.

mod method;
mod salt;

use std::{fmt, io};

use subtle::ConstantTimeEq;

pub(crate) use method::Method;

/// A stored hash of a known method.
pub(crate) struct StoredHash {
    method: Method,
    salt: String,
    digest: String,
}

impl StoredHash {
    /// Reads `method$salt$hex`. `None`: no hash that werkzeug 3 could verify, or
    /// one whose cost is out of bounds.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.splitn(3, '$');
        let (method, salt, digest) = (fields.next()?, fields.next()?, fields.next()?);
        Some(StoredHash {
            method: Method::parse(method).ok()?,
            salt: salt.to_owned(),
            digest: digest.to_owned(),
        })
    }

    /// Hashes a new password with a salt of its own.
    pub(crate) fn create(method: Method, password: &str) -> io::Result<Self> {
        let salt = salt::generate()?;
        let digest = method
            .derive(password.as_bytes(), salt.as_bytes())
            .ok_or_else(|| io::Error::other("the hash could not be computed"))?;
        Ok(StoredHash {
            method,
            salt,
            digest,
        })
    }

    /// A hash that no password matches, but that takes as long to find out: it
    /// stands in where a user has none, so that time tells nothing.
    pub(crate) fn decoy(method: Method) -> Self {
        StoredHash {
            method,
            salt: "0123456789abcdef".to_owned(),
            digest: String::new(),
        }
    }

    /// Does the password match? Burns CPU: for [`Cx::cpu`](countersign_sdk::Cx::cpu).
    pub(crate) fn verify(&self, password: &str) -> bool {
        self.method
            .derive(password.as_bytes(), self.salt.as_bytes())
            .is_some_and(|found| found.as_bytes().ct_eq(self.digest.as_bytes()).into())
    }

    /// The text to store.
    pub(crate) fn to_text(&self) -> String {
        format!("{}${}${}", self.method, self.salt, self.digest)
    }
}

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::Value;

    fn verifies(hash: &str, password: &str) -> bool {
        StoredHash::parse(hash).is_some_and(|stored| stored.verify(password))
    }

    #[test]
    fn d01_verify_of_werkzeugs_vectors_agrees_with_werkzeug_3() {
        let text = include_str!("../../../../tests/vectors/werkzeug_hashes.json");
        let file: Value = serde_json::from_str(text).unwrap();
        let vectors = file["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), 47);
        for vector in vectors {
            let (hash, password) = (&vector["hash"], &vector["password"]);
            assert_eq!(
                verifies(hash.as_str().unwrap(), password.as_str().unwrap()),
                vector["valid"].as_bool().unwrap(),
                "{}",
                vector["id"]
            );
        }
    }

    #[test]
    fn verify_of_airflows_own_hashes_is_true() {
        for (password, hash) in [
            (
                "correct horse",
                "scrypt:1024:8:1$Wfhhfv0zDVEVVu7N$8b251e1108e8ec37fb5ff42a10cb36abb8ac205c17f2925538252f21ba2bf9e8c0c50c7f1f9a1a3926e63e18f0e69070986af8d3dd4b821b52aee1c5504e975b",
            ),
            (
                "pässwörd-1",
                "scrypt:32768:8:1$v9JDdeDPa41NxaAh$6f47ad80ade806133b692fdf989585a4d2c4404d8ec989d49c77d358faf623244e07114d81e1c4c97a4179857879f86bab231361b24cb27df2c98d99856df61f",
            ),
        ] {
            assert!(verifies(hash, password), "{hash}");
        }
    }

    #[test]
    fn verify_of_a_new_hash_is_true_for_its_password_alone() {
        let method = Method::parse("scrypt:16:1:1").unwrap();
        let first = StoredHash::create(method, "correct horse").unwrap();
        let second = StoredHash::create(method, "correct horse").unwrap();
        assert_ne!(first.to_text(), second.to_text(), "each has its own salt");
        assert!(verifies(&first.to_text(), "correct horse"));
        for other in ["", "correct", "correct horse ", "Correct horse"] {
            assert!(!verifies(&first.to_text(), other), "{other}");
        }
    }

    #[test]
    fn verify_of_a_decoy_is_false() {
        let decoy = StoredHash::decoy(Method::parse("scrypt:16:1:1").unwrap());
        assert!(!decoy.verify("") && !decoy.verify("password"));
    }

    #[test]
    fn parse_of_any_mutilated_hash_answers_without_a_panic() {
        let pieces = [
            "scrypt",
            "pbkdf2",
            "sha256",
            "md5",
            ":",
            "$",
            "$$",
            "16",
            "1",
            "0",
            "-1",
            "8",
            "é",
            "\u{0}",
            " ",
            "99999999999999999999",
            "18446744073709551615",
            "4294967295",
            "ab",
            "",
        ];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state >> 33).unwrap()
        };
        for _ in 0..20_000 {
            let text: String = (0..next() % 12)
                .map(|_| pieces[next() % pieces.len()])
                .collect();
            if let Some(stored) = StoredHash::parse(&text) {
                assert_eq!(stored.to_text().split('$').nth(1), text.split('$').nth(1));
            }
        }
    }

    #[test]
    fn debug_shows_no_hash() {
        let stored = StoredHash::create(Method::parse("scrypt:16:1:1").unwrap(), "x").unwrap();
        assert_eq!(format!("{stored:?}"), "[hash]");
    }
}
