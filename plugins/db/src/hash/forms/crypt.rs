//! bcrypt and SHA-crypt: the crates verify their own text, here it is read for its cost.

use super::number;
use crate::hash::{Method, StoredHash};

/// `$2b$12$` and 53 characters: 22 of the salt, 31 of the digest.
pub(super) fn parse_bcrypt(text: &str) -> Option<StoredHash> {
    let cost = text.parse::<bcrypt::HashParts>().ok()?.get_cost();
    let method = Method::bcrypt(cost).ok()?;
    Some(StoredHash::verbatim(method, text))
}

/// `$6$salt$digest` or `$6$rounds=5000$salt$digest`.
pub(super) fn parse_sha(text: &str) -> Option<StoredHash> {
    let mut fields = text.split('$').skip(1);
    let long = match fields.next()? {
        "5" => false,
        "6" => true,
        _ => return None,
    };
    let mut salt = fields.next()?;
    let mut rounds = 5000;
    if let Some(given) = salt.strip_prefix("rounds=") {
        rounds = number(given)?;
        salt = fields.next()?;
    }
    let digest = fields.next()?;
    let is_crypt = |text: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'/';
        text.bytes().all(known)
    };
    let fits = salt.len() <= 16
        && is_crypt(salt)
        && digest.len() == if long { 86 } else { 43 }
        && is_crypt(digest)
        && fields.next().is_none();
    let method = Method::sha_crypt(long, rounds).ok()?;
    fits.then(|| StoredHash::verbatim(method, text))
}
