//! The name of a key that follows from the key alone (RFC 7638, RFC 8037 section 2).

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::KeyRefusal;

/// The SHA-256 thumbprint of a JWK, base64url: what many issuers use as `kid`, and what
/// `cnf.jkt` names (RFC 9449 section 6.1). Of the key only its required members count, as
/// they are spelled.
///
/// # Errors
/// No public key of a known kind, or a member is missing.
pub fn thumbprint(jwk: &Value) -> Result<String, KeyRefusal> {
    let kind = jwk.get("kty").and_then(Value::as_str);
    // In lexical order, as section 3.2 asks.
    let required: &[&'static str] = match kind.ok_or(KeyRefusal::Member("kty"))? {
        "RSA" => &["e", "kty", "n"],
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "oct" => return Err(KeyRefusal::Symmetric),
        _ => return Err(KeyRefusal::Type),
    };
    let mut members = Vec::new();
    for name in required {
        let value = jwk.get(name).and_then(Value::as_str);
        let value = value.ok_or(KeyRefusal::Member(name))?;
        members.push(format!("{:?}:{}", name, Value::from(value)));
    }
    let canonical = format!("{{{}}}", members.join(","));
    Ok(URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes())))
}
