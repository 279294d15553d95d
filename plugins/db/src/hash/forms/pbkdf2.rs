//! PBKDF2 as passlib, OpenLDAP's module and Django write it.

use base64::Engine;
use base64::alphabet::Alphabet;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{NO_PAD, STANDARD};

use super::number;
use crate::hash::{Method, StoredHash};

/// `iterations$salt$digest` in passlib's "adapted base64": `.` in the place of `+`.
pub(super) fn parse_passlib(digest: &str, rest: &str) -> Option<StoredHash> {
    let mut fields = rest.split('$');
    let method = Method::pbkdf2(digest, number(fields.next()?)?).ok()?;
    let salt = adapted(fields.next()?)?;
    let found = adapted(fields.next()?)?;
    fields
        .next()
        .is_none()
        .then(|| StoredHash::derived(method, salt, found))
}

/// `pbkdf2_sha256$iterations$salt$digest`: the salt is its own text.
pub(super) fn parse_django(text: &str) -> Option<StoredHash> {
    let mut fields = text.split('$');
    let digest = match fields.next()? {
        "pbkdf2_sha256" => "sha256",
        "pbkdf2_sha1" => "sha1",
        _ => return None,
    };
    let method = Method::pbkdf2(digest, number(fields.next()?)?).ok()?;
    let salt = fields.next()?.as_bytes().to_vec();
    let found = STANDARD.decode(fields.next()?).ok()?;
    fields
        .next()
        .is_none()
        .then(|| StoredHash::derived(method, salt, found))
}

fn adapted(text: &str) -> Option<Vec<u8>> {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./";
    let alphabet = Alphabet::new(LETTERS).ok()?;
    // passlib leaves bits over, as it does in its own verification.
    let lenient = NO_PAD.with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&alphabet, lenient).decode(text).ok()
}
