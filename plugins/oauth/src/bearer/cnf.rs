//! Tokens that are bound to a key of their client. They are no bearer tokens: who presents
//! one must prove to have the key (RFC 9449 section 7.2, RFC 8705 section 3), and nothing
//! here can see such a proof.

use serde_json::{Map, Value};

/// Why a token with these claims, or this answer about a token, is no bearer token.
pub(super) fn bound(claims: &Map<String, Value>) -> Option<&'static str> {
    match claims.get("cnf") {
        None | Some(Value::Null) => None,
        Some(Value::Object(none)) if none.is_empty() => None,
        Some(_) => Some("it is bound to a key of its client (cnf), and no bearer token"),
    }
}
