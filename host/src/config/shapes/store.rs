//! `store`: where the host keeps what it must remember.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::values::Secret;

/// The host's own store.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Empty = SQLite in the state folder; `postgres://…` for several hosts.
    pub url: Secret,
}
