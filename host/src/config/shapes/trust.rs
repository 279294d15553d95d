//! `trust`: other issuers whose tokens are accepted.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Algorithm;

/// Another issuer whose tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-order" = ["issuer", "jwks_url", "audiences", "algorithms", "principal_claims", "groups_claim", "roles", "tls", "plain_http"]))]
pub struct Trust {
    /// Its `iss`, to the letter.
    #[schemars(length(min = 1))]
    pub issuer: String,
    /// Where its public keys are. Entries that differ in nothing else are one issuer with several such places.
    #[schemars(length(min = 1), extend("format" = "http-url"))]
    pub jwks_url: String,
    /// Accepted values of `aud`; a token needs one of them.
    #[schemars(length(min = 1))]
    pub audiences: Vec<String>,
    /// Accepted signature algorithms.
    #[serde(default = "Trust::default_algorithms")]
    #[schemars(length(min = 1))]
    pub algorithms: Vec<Algorithm>,
    /// Claims that name the user; the first one that a token has counts.
    #[serde(default = "Trust::default_principal_claims")]
    #[schemars(length(min = 1))]
    pub principal_claims: Vec<String>,
    /// The claim that holds the user's groups, keys of `roles`; dots lead into objects, such as `realm_access.roles`.
    #[serde(default = "Trust::default_groups_claim")]
    pub groups_claim: String,
    /// From groups to roles; an issuer's groups are no roles by themselves.
    #[serde(default)]
    pub roles: TrustRoles,
    /// Whom the server of `jwks_url` is believed by.
    #[serde(default)]
    pub tls: TrustTls,
    /// Fetch the keys over plain HTTP from another machine: whoever is on the way can then sign.
    #[serde(default)]
    pub plain_http: bool,
}

/// From the groups of another issuer's user to roles.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["mapping", "pass", "default"]))]
pub struct TrustRoles {
    /// Group → roles.
    pub mapping: BTreeMap<String, Vec<String>>,
    /// Globs of groups that are roles by themselves.
    pub pass: Vec<String>,
    /// Roles if nothing else gave any.
    pub default: Vec<String>,
}

/// Whom the server of the keys is believed by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TrustTls {
    /// Certificate authorities in PEM, the only ones believed; empty = the system's.
    #[schemars(extend("format" = "path"))]
    pub ca: String,
}

impl Trust {
    pub(in crate::config) fn default_algorithms() -> Vec<Algorithm> {
        vec![Algorithm::RS256]
    }

    pub(in crate::config) fn default_principal_claims() -> Vec<String> {
        vec!["sub".into()]
    }

    fn default_groups_claim() -> String {
        "groups".into()
    }
}
