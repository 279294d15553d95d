//! `tokens`: what they say.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Algorithm;
use crate::config::values::duration;

/// What tokens say.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["issuer", "audience", "lifetime", "cli_lifetime", "refresh", "dpop", "leeway", "typ", "claims", "subject_backend", "audiences"]))]
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
    /// Refresh tokens, with which `countersign login` fetches new tokens without asking its user.
    pub refresh: Refresh,
    /// Tokens that are bound to a key of their client, which proves with each request that it has it (DPoP, RFC 9449).
    pub dpop: Dpop,
    /// Clock difference that verification forgives.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema")]
    pub leeway: Duration,
    /// `typ` in the header: `JWT`, or `at+jwt` for an OAuth access token (RFC 9068), which also says `client_id`.
    pub typ: TokenType,
    /// Further claims: name → template such as `{username}`.
    pub claims: BTreeMap<String, Value>,
    /// The backend whose bare user ids become `sub`; empty = the only backend.
    pub subject_backend: String,
    /// Further audiences, each with tokens of its own kind: name → its settings. Whoever is let in may ask for any of them.
    pub audiences: BTreeMap<String, Audience>,
}

/// How long a user who signed in once need not do so again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["lifetime", "absolute"]))]
pub struct Refresh {
    /// A refresh token that nobody uses for this long is over; `0s` = none are given.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema")]
    pub lifetime: Duration,
    /// This long after the user has signed in he has to do so again, however often he was here.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema", extend("format" = "duration-above-zero"))]
    pub absolute: Duration,
}

/// What proofs of a key must have beside a good signature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["nonce"]))]
pub struct Dpop {
    /// A nonce of this server, at most five minutes old, so that none can be made in advance: clients without one are given it and ask again (RFC 9449 section 8).
    pub nonce: bool,
}

/// An audience beside the default one. It inherits no claims.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["aud", "algorithm", "lifetime", "max_lifetime", "typ", "claims", "keys"]))]
pub struct Audience {
    /// `aud`; empty = the audience's name.
    pub aud: String,
    /// What its tokens are signed with, and with nothing else; absent = as the default audience's.
    pub algorithm: Option<Algorithm>,
    /// Lifetime of its tokens; absent = `tokens.lifetime`.
    #[serde(with = "duration::optional")]
    #[schemars(with = "Option<duration::Schema>", extend("format" = "duration-above-zero"))]
    pub lifetime: Option<Duration>,
    /// The longest lifetime that may be asked for: more is cut to it; absent = `lifetime`.
    #[serde(with = "duration::optional")]
    #[schemars(with = "Option<duration::Schema>", extend("format" = "duration-above-zero"))]
    pub max_lifetime: Option<Duration>,
    /// `typ` in the header: `JWT`, or `at+jwt` for an OAuth access token (RFC 9068), which also says `client_id`.
    pub typ: TokenType,
    /// Further claims: name → template such as `{username}`.
    pub claims: BTreeMap<String, Value>,
    /// `shared` = the server's keys; `own` = a key ring of its own.
    pub keys: KeyRing,
}

/// What a token says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
pub enum TokenType {
    /// Any JWT (RFC 7519 section 5.1).
    #[default]
    #[serde(rename = "JWT")]
    Jwt,
    /// An OAuth access token (RFC 9068 section 2.1).
    #[serde(rename = "at+jwt")]
    AccessToken,
}

impl TokenType {
    /// As the header says it.
    pub fn name(self) -> &'static str {
        match self {
            TokenType::Jwt => "JWT",
            TokenType::AccessToken => "at+jwt",
        }
    }
}

/// Whose keys sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyRing {
    /// The server's.
    #[default]
    Shared,
    /// The audience's alone.
    Own,
}

impl Tokens {
    /// The algorithms that audiences with shared keys ask for by name, each once.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let mut named = Vec::new();
        let audiences = self.audiences.values();
        let sharing = audiences.filter(|each| each.keys == KeyRing::Shared);
        for algorithm in sharing.filter_map(|each| each.algorithm) {
            if !named.contains(&algorithm) {
                named.push(algorithm);
            }
        }
        named
    }
}

impl Refresh {
    /// Are any given?
    pub fn is_enabled(&self) -> bool {
        !self.lifetime.is_zero()
    }
}

impl Default for Refresh {
    fn default() -> Self {
        Refresh {
            lifetime: Duration::from_secs(86_400),
            absolute: Duration::from_secs(7 * 86_400),
        }
    }
}

impl Default for Tokens {
    fn default() -> Self {
        Tokens {
            issuer: String::new(),
            audience: "apache-airflow".into(),
            lifetime: Duration::from_secs(86_400),
            cli_lifetime: Duration::from_secs(3_600),
            refresh: Refresh::default(),
            dpop: Dpop::default(),
            leeway: Duration::from_secs(10),
            typ: TokenType::default(),
            claims: BTreeMap::new(),
            subject_backend: String::new(),
            audiences: BTreeMap::new(),
        }
    }
}
