//! LDAP's `{SCHEME}` values, as `slappasswd` writes them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::pbkdf2;
use crate::hash::{Method, StoredHash};

pub(super) fn parse(scheme: &str, rest: &str) -> Option<StoredHash> {
    match scheme {
        "SSHA" => salted("sha1", 20, rest),
        "SSHA256" => salted("sha256", 32, rest),
        "SSHA512" => salted("sha512", 64, rest),
        "PBKDF2" | "PBKDF2-SHA1" => pbkdf2::parse_passlib("sha1", rest),
        "PBKDF2-SHA256" => pbkdf2::parse_passlib("sha256", rest),
        "PBKDF2-SHA512" => pbkdf2::parse_passlib("sha512", rest),
        _ => None,
    }
}

/// The digest of password and salt, then the salt. Without a salt it is another scheme.
fn salted(digest: &str, length: usize, rest: &str) -> Option<StoredHash> {
    let bytes = STANDARD.decode(rest).ok()?;
    let (found, salt) = bytes.split_at_checked(length)?;
    let fits = (1..=64).contains(&salt.len());
    let method = Method::salted(digest)?;
    fits.then(|| StoredHash::derived(method, salt.to_vec(), found.to_vec()))
}
