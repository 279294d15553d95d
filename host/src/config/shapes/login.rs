//! `server.login`: signing in with a browser.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::values::duration;

/// Signing in with a browser.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["title", "lifetime", "auto_redirect", "return_to"]))]
pub struct Login {
    /// The heading of the pages; empty = "Countersign".
    pub title: String,
    /// How long a session lasts; then the user signs in anew.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema", extend("format" = "duration-above-zero"))]
    pub lifetime: Duration,
    /// Go straight to the provider where there is only one and no password form.
    pub auto_redirect: bool,
    /// Other origins (`https://airflow.example.com`) that a login may lead back to (FAB: FAB_SAFE_REDIRECT_HOSTS).
    pub return_to: Vec<String>,
}

impl Default for Login {
    fn default() -> Self {
        Login {
            title: String::new(),
            lifetime: Duration::from_secs(8 * 3_600),
            auto_redirect: false,
            return_to: Vec::new(),
        }
    }
}
