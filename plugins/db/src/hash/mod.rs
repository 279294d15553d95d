//! Password hashes: read from the stored text whatever wrote it, verified, made anew.
//!
//! A stored hash is data from a database that others write to: whatever it
//! holds, the answer is yes or no, in bounded time and memory.

mod digest;
mod forms;
mod method;
mod salt;
mod work;

use std::{fmt, io};

use sha_crypt::{PasswordVerifier, ShaCrypt};
use subtle::ConstantTimeEq;

pub(crate) use method::Method;

/// bcrypt sees no further: a longer password is refused, for another that begins alike
/// would be as good.
const BCRYPT_SEES: usize = 72;
/// SHA-crypt's time grows with the square of the length; musl stops here, too.
const SHA_CRYPT_SEES: usize = 256;

/// A stored hash of a known method.
pub(crate) struct StoredHash {
    method: Method,
    proof: Proof,
}

/// What a password is compared with.
enum Proof {
    Derived {
        salt: Vec<u8>,
        digest: Vec<u8>,
    },
    /// The stored text, which the method's own crate verifies.
    Verbatim(String),
}

impl StoredHash {
    /// Reads a hash of any known form. `None`: no such hash, or one whose cost is out of bounds.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        forms::parse(text)
    }

    /// Reads `method$salt$hex` alone: what Flask-AppBuilder can verify.
    pub(crate) fn parse_werkzeug(text: &str) -> Option<Self> {
        forms::parse_werkzeug(text)
    }

    fn derived(method: Method, salt: Vec<u8>, digest: Vec<u8>) -> Self {
        let proof = Proof::Derived { salt, digest };
        StoredHash { method, proof }
    }

    fn verbatim(method: Method, text: &str) -> Self {
        let proof = Proof::Verbatim(text.to_owned());
        StoredHash { method, proof }
    }

    /// Hashes a new password with a salt of its own; the text to store.
    pub(crate) fn create(method: Method, password: &str) -> io::Result<String> {
        let failed = || io::Error::other("the hash could not be computed");
        let salt = salt::generate()?;
        method.format(password, &salt).ok_or_else(failed)
    }

    /// The text to store for a user who has no password: of a password that nobody knows.
    pub(crate) fn nobodys(method: Method) -> io::Result<String> {
        let failed = || io::Error::other("the method makes no hashes");
        method.unknown(&salt::bytes()?).ok_or_else(failed)
    }

    /// Was it made by [`nobodys`](Self::nobodys)? Then no password leads to it.
    pub(crate) fn is_nobodys(&self) -> bool {
        let is_marked = |salt: &[u8], digest: &[u8]| salt == salt::mark(digest).as_bytes();
        match &self.proof {
            Proof::Derived { salt, digest } => is_marked(salt, digest),
            Proof::Verbatim(text) => {
                work::bcrypt_parts(text).is_some_and(|(salt, digest)| is_marked(&salt, &digest))
            }
        }
    }

    /// A hash that no password matches, but that takes as long to find out: it
    /// stands in where a user has none, so that time tells nothing.
    pub(crate) fn decoy(method: Method) -> Self {
        match method.decoy_text() {
            Some(text) => Self::verbatim(method, &text),
            None => Self::derived(method, b"0123456789abcdef".to_vec(), Vec::new()),
        }
    }

    /// Does the password match? Burns CPU: for [`Cx::cpu`](countersign_sdk::Cx::cpu).
    pub(crate) fn verify(&self, password: &str) -> bool {
        let password = password.as_bytes();
        match &self.proof {
            Proof::Derived { salt, digest } => self
                .method
                .derive(password, salt, digest.len())
                .is_some_and(|found| found.ct_eq(digest).into()),
            Proof::Verbatim(text) if self.method.is_bcrypt() => {
                // The cost is paid whatever the length.
                let matches = bcrypt::verify(password, text).unwrap_or(false);
                matches && password.len() <= BCRYPT_SEES
            }
            Proof::Verbatim(text) => {
                let seen = &password[..password.len().min(SHA_CRYPT_SEES)];
                let matches = ShaCrypt::default().verify_password(seen, text.as_str());
                matches.is_ok() && seen.len() == password.len()
            }
        }
    }

    /// The method, with its cost.
    pub(crate) fn method(&self) -> Method {
        self.method
    }

    /// Is it of another method, or of another cost?
    pub(crate) fn differs_from(&self, method: Method) -> bool {
        self.method != method
    }
}

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hash]")
    }
}

#[cfg(test)]
mod tests;
