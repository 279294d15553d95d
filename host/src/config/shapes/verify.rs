//! `server.verify`: what `/auth/verify` tells proxies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Forward-auth for nginx, Traefik and Envoy: `GET /auth/verify`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["headers", "audit_accepted"]))]
pub struct Verify {
    /// The headers of its answers that say who it is; an empty name = without it.
    pub headers: IdentityHeaders,
    /// Write a line into the audit log for each request that passes, not only for those that do not.
    pub audit_accepted: bool,
}

/// Headers that say who it is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["subject", "user", "email", "roles", "issuer"]))]
pub struct IdentityHeaders {
    /// Who it is: `sub`; of another issuer's user `trust:SUB@ISSUER`. Unique among all issuers.
    #[schemars(extend("format" = "header-name"))]
    pub subject: String,
    /// His name for people: `preferred_username` or `username`; of another issuer's user as `principal_claims` say.
    #[schemars(extend("format" = "header-name"))]
    pub user: String,
    /// His e-mail address: `email`.
    #[schemars(extend("format" = "header-name"))]
    pub email: String,
    /// His roles, with commas: `roles`, which `tokens.claims` writes into tokens; of another issuer's user as the entry in `trust` says.
    #[schemars(extend("format" = "header-name"))]
    pub roles: String,
    /// Who says so: `iss`.
    #[schemars(extend("format" = "header-name"))]
    pub issuer: String,
}

impl Default for IdentityHeaders {
    fn default() -> Self {
        IdentityHeaders {
            subject: "X-Auth-Subject".into(),
            user: "X-Auth-User".into(),
            email: "X-Auth-Email".into(),
            roles: "X-Auth-Roles".into(),
            issuer: "X-Auth-Issuer".into(),
        }
    }
}

impl IdentityHeaders {
    /// Each name with its key.
    pub fn named(&self) -> [(&'static str, &str); 5] {
        [
            ("subject", &self.subject),
            ("user", &self.user),
            ("email", &self.email),
            ("roles", &self.roles),
            ("issuer", &self.issuer),
        ]
    }
}
