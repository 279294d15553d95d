//! `keys`: what signs tokens.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::values::duration;

/// What signs tokens.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["algorithm", "private_key", "public_key", "kid", "lead", "max_age", "rotate_every", "extra_public"]))]
pub struct Keys {
    /// The algorithm of keys generated in the state folder, and of `private_key`.
    pub algorithm: Algorithm,
    /// Key id of `private_key`; empty = the RFC 7638 thumbprint.
    pub kid: String,
    /// A private key file (PKCS#8, PKCS#1 or SEC1; PEM or DER); empty = a key in the state folder.
    #[schemars(extend("format" = "path"))]
    pub private_key: String,
    /// The public half of `private_key`; given, it must match.
    #[schemars(extend("format" = "path"))]
    pub public_key: String,
    /// How long a key is published before it signs.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema")]
    pub lead: Duration,
    /// How long consumers may keep the published keys (`Cache-Control: max-age`), at most `lead`; absent = half of `lead`, at most an hour.
    #[serde(with = "duration::optional")]
    #[schemars(with = "Option<duration::Schema>", extend("format" = "duration-above-zero"))]
    pub max_age: Option<Duration>,
    /// How long a key signs before the next one takes its place; absent = until `countersign keys rotate`.
    #[serde(with = "duration::optional")]
    #[schemars(with = "Option<duration::Schema>", extend("format" = "duration-above-zero"))]
    pub rotate_every: Option<Duration>,
    /// Public keys of others, published in our JWKS (Airflow's own, for its log-in and task tokens).
    pub extra_public: Vec<ExtraPublic>,
}

/// JWS algorithms, by their RFC 7518 and RFC 8037 names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, Serialize, JsonSchema)]
#[allow(missing_docs)]
pub enum Algorithm {
    #[default]
    RS256,
    RS384,
    RS512,
    PS256,
    ES256,
    ES384,
    EdDSA,
}

impl Algorithm {
    /// The same, as `countersign-verify` has it.
    pub fn verified(self) -> countersign_verify::Algorithm {
        use countersign_verify::Algorithm as Verified;
        match self {
            Algorithm::RS256 => Verified::RS256,
            Algorithm::RS384 => Verified::RS384,
            Algorithm::RS512 => Verified::RS512,
            Algorithm::PS256 => Verified::PS256,
            Algorithm::ES256 => Verified::ES256,
            Algorithm::ES384 => Verified::ES384,
            Algorithm::EdDSA => Verified::EdDSA,
        }
    }

    /// The name, as a token's header says it.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::RS256 => "RS256",
            Algorithm::RS384 => "RS384",
            Algorithm::RS512 => "RS512",
            Algorithm::PS256 => "PS256",
            Algorithm::ES256 => "ES256",
            Algorithm::ES384 => "ES384",
            Algorithm::EdDSA => "EdDSA",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A public key of someone else's, published in our JWKS.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtraPublic {
    /// Public key file, PEM or DER.
    #[schemars(extend("format" = "path"))]
    pub file: PathBuf,
    /// Its key id.
    #[schemars(length(min = 1))]
    pub kid: String,
}

impl Default for Keys {
    fn default() -> Self {
        Keys {
            algorithm: Algorithm::RS256,
            kid: String::new(),
            private_key: String::new(),
            public_key: String::new(),
            lead: Duration::from_secs(7_200),
            max_age: None,
            rotate_every: None,
            extra_public: Vec::new(),
        }
    }
}
