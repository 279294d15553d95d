//! Stored hashes by their beginning: which program writes which.
//!
//! | begins with | of |
//! | --- | --- |
//! | `scrypt:`, `pbkdf2:` | werkzeug: Flask-AppBuilder, Airflow, Superset |
//! | `$2a$ $2b$ $2y$` | bcrypt: PHP, htpasswd, Spring, Rails |
//! | `$argon2id$ $argon2i$` | Argon2's own form |
//! | `$5$ $6$` | SHA-crypt: shadow files, mkpasswd |
//! | `$pbkdf2$ $pbkdf2-sha256$ $pbkdf2-sha512$` | passlib |
//! | `pbkdf2_sha256$ pbkdf2_sha1$` | Django |
//! | `{SSHA} {SSHA256} {SSHA512} {PBKDF2…}` | LDAP: OpenLDAP and its modules |
//! | `{bcrypt} {argon2} {CRYPT} {ARGON2}` | Spring and LDAP, before one of the above |

mod argon2;
mod crypt;
mod ldap;
mod pbkdf2;
mod werkzeug;

use super::StoredHash;

/// Reads a stored hash of any form. `None`: of no known form, or out of bounds.
pub(super) fn parse(text: &str) -> Option<StoredHash> {
    if let Some((scheme, rest)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) {
        return match scheme {
            "bcrypt" | "argon2" | "CRYPT" | "ARGON2" => modular(rest),
            _ => ldap::parse(scheme, rest),
        };
    }
    modular(text)
        .or_else(|| pbkdf2::parse_django(text))
        .or_else(|| werkzeug::parse(text))
}

pub(super) use werkzeug::parse as parse_werkzeug;

/// `$scheme$…`.
fn modular(text: &str) -> Option<StoredHash> {
    let (scheme, rest) = text.strip_prefix('$')?.split_once('$')?;
    match scheme {
        "2a" | "2b" | "2y" => crypt::parse_bcrypt(text),
        "5" | "6" => crypt::parse_sha(text),
        "argon2i" | "argon2id" => argon2::parse(scheme, rest),
        "pbkdf2" => pbkdf2::parse_passlib("sha1", rest),
        "pbkdf2-sha256" => pbkdf2::parse_passlib("sha256", rest),
        "pbkdf2-sha512" => pbkdf2::parse_passlib("sha512", rest),
        _ => None,
    }
}

/// Digits only: `u32::from_str` would also take a plus sign.
pub(super) fn number(text: &str) -> Option<u32> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}
