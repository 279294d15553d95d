//! The settings as an operator writes them.

use std::collections::BTreeMap;

use countersign_sdk::Secret;
use countersign_sdk::prelude::*;
use schemars::JsonSchema;
use serde::Deserialize;

/// One provider.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-order" = ["provider", "issuer", "audiences", "algorithms", "client_id", "client_secret", "claims", "tls", "allow_http"]))]
pub struct Config {
    /// What is known of the provider beforehand: a preset, or `custom`.
    #[serde(default)]
    pub provider: Preset,
    /// Its `iss`, to the letter.
    pub issuer: Option<String>,
    /// Accepted values of `aud`; a token needs one of them.
    #[serde(default)]
    pub audiences: Vec<String>,
    /// Accepted signature algorithms.
    #[serde(default)]
    pub algorithms: Vec<String>,
    /// This server's name at the provider; needed for logins in the browser and for introspection.
    #[serde(default)]
    pub client_id: String,
    /// Its password there; empty for a public client.
    pub client_secret: Option<Secret>,
    /// Where in a token's claims a user's fields are.
    #[serde(default)]
    pub claims: Claims,
    /// Whom to believe about certificates.
    #[serde(default)]
    pub tls: Tls,
    /// Allow `http://` beyond loopback: anybody on the way can then sign.
    #[serde(default)]
    pub allow_http: bool,
}

/// A provider that is known beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Any other.
    #[default]
    Custom,
    /// Keycloak.
    Keycloak,
}

/// Where a user's fields are: JMESPath expressions.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Claims {
    /// The log-in name.
    pub username: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The given name.
    pub first_name: Option<String>,
    /// The family name.
    pub last_name: Option<String>,
    /// The groups.
    pub groups: Option<String>,
    /// Further attributes, for claim templates: name → expression.
    pub attributes: BTreeMap<String, String>,
}

/// TLS towards the provider.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Certificates in PEM: the only authorities that are believed. Empty = the system's.
    #[schemars(extend("format" = "path"))]
    pub ca: String,
}
