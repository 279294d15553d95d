//! The keys of a bot: with them it shows who it is by `private_key_jwt`.

use countersign_verify::KeySet;
use serde_json::Value;

use super::ManagementError;

/// Bytes of a bot's keys.
const LARGEST_JWKS: usize = 32 * 1024;

/// Members of private keys (RFC 7518 section 6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A JWK set that can be used, and no private half in it.
pub(super) fn public(jwks: &str) -> Result<(), ManagementError> {
    if jwks.is_empty() {
        return Ok(());
    }
    if jwks.len() > LARGEST_JWKS {
        return Err(ManagementError::Jwks("it is larger than 32 KiB".into()));
    }
    let wrong = |reason: &dyn std::fmt::Display| ManagementError::Jwks(reason.to_string());
    let set = KeySet::parse(jwks.as_bytes()).map_err(|error| wrong(&error))?;
    if let Some(refused) = set.refused().first() {
        return Err(wrong(&refused.reason));
    }
    let document: Value = serde_json::from_str(jwks).unwrap_or_default();
    let keys = document["keys"].as_array().into_iter().flatten();
    let mut members = keys.filter_map(Value::as_object).flat_map(|key| key.keys());
    match members.any(|name| PRIVATE.contains(&name.as_str())) {
        true => Err(ManagementError::Jwks("it has a private key in it".into())),
        false => Ok(()),
    }
}
