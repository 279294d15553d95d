//! `store`: where the host keeps what it must remember.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::values::{Secret, duration};

/// The host's own store.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["url", "kek", "outage"]))]
pub struct Store {
    /// Empty = SQLite in the state folder; `postgres://…` for several hosts.
    pub url: Secret,
    /// The key-encryption key, 32 bytes in base64: with it the signing keys are kept in the store, sealed, and all hosts share them; empty = files in the state folder.
    pub kek: Secret,
    /// How long tokens are made from what is remembered while the store cannot be reached.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema", extend("format" = "duration-above-zero"))]
    pub outage: Duration,
}

impl Default for Store {
    fn default() -> Self {
        Store {
            url: Secret::default(),
            kek: Secret::default(),
            outage: Duration::from_secs(3_600),
        }
    }
}
