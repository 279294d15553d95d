//! From claims to a user.

use countersign_sdk::prelude::*;
use serde_json::{Map, Value};

use crate::settings::Settings;

/// Claims that were verified, and whose they are.
pub(crate) struct Identity {
    /// Who says so.
    pub(crate) issuer: String,
    /// Who it is, unique within the issuer.
    pub(crate) subject: String,
    /// All claims, of whichever sources.
    pub(crate) claims: Map<String, Value>,
}

/// Makes users.
pub(crate) struct People {}

impl People {
    pub(crate) fn new(_settings: &Settings) -> Self {
        People {}
    }

    /// The user of an identity.
    ///
    /// # Errors
    /// Denied: an e-mail address that is not allowed. Invalid claims are denied, too.
    pub(crate) fn user(&self, identity: &Identity) -> Result<User> {
        let Identity {
            issuer,
            subject,
            claims,
        } = identity;
        let username = claims.get("preferred_username").and_then(Value::as_str);
        let id = format!("{subject}@{}", issuer.trim_start_matches("https://"));
        Ok(User::new(id, username.unwrap_or(subject)))
    }
}
