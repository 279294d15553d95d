//! `tokens`: what they say.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::config::values::duration;

/// What tokens say.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["issuer", "audience", "lifetime", "cli_lifetime", "leeway", "claims", "subject_backend"]))]
pub struct Tokens {
    /// `iss`; empty = `server.public_url`, itself empty = made from `server.listen`.
    pub issuer: String,
    /// `aud` (Airflow: `[api_auth] jwt_audience`, unset = `apache-airflow`).
    pub audience: String,
    /// Lifetime of tokens from `/auth/token` (Airflow: `jwt_expiration_time`).
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema", extend("format" = "duration-above-zero"))]
    pub lifetime: Duration,
    /// Lifetime of tokens from `/auth/token/cli` (Airflow: `jwt_cli_expiration_time`).
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema", extend("format" = "duration-above-zero"))]
    pub cli_lifetime: Duration,
    /// Clock difference that verification forgives.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema")]
    pub leeway: Duration,
    /// Further claims: name → template such as `{username}`.
    pub claims: BTreeMap<String, Value>,
    /// The backend whose bare user ids become `sub`; empty = the only backend.
    pub subject_backend: String,
}

impl Default for Tokens {
    fn default() -> Self {
        Tokens {
            issuer: String::new(),
            audience: "apache-airflow".into(),
            lifetime: Duration::from_secs(86_400),
            cli_lifetime: Duration::from_secs(3_600),
            leeway: Duration::from_secs(10),
            claims: BTreeMap::new(),
            subject_backend: String::new(),
        }
    }
}
