//! The shapes of the configuration: every key, its type, its default and its
//! documentation, in one place. The JSON Schema, the reference file and
//! `config explain` are all made from these types and their doc comments.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::values::{Secret, duration};

/// The whole configuration.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The public listener.
    #[serde(default)]
    pub server: Server,
    /// The read-only listener for `/healthz`, `/readyz` and `/metrics`.
    #[serde(default)]
    pub admin: Admin,
    /// Folder for keys, embedded databases and the admin socket; relative to the working directory.
    #[serde(default = "Config::default_state")]
    pub state: PathBuf,
    /// Where links, bots and revocations are kept.
    #[serde(default)]
    pub store: Store,
    /// What tokens say.
    #[serde(default)]
    pub tokens: Tokens,
    /// What signs them.
    #[serde(default)]
    pub keys: Keys,
    /// Where plugin files are looked for.
    #[serde(default)]
    pub plugins: Plugins,
    /// Who is asked, in the order of the file: backend id → its settings.
    #[serde(default)]
    pub backends: IndexMap<String, Backend>,
}

/// The public listener.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port, `HOST:PORT`.
    pub listen: String,
    /// The URL under which clients reach this server; empty = made from `listen`.
    pub public_url: String,
    /// Addresses or networks (CIDR) whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// Allow plain HTTP on an address that is not loopback.
    pub plain_http: bool,
}

/// The read-only listener.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Address and port, `HOST:PORT`.
    pub listen: String,
}

/// The host's own store.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    /// Empty = SQLite in the state folder.
    pub url: Secret,
}

/// What tokens say.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tokens {
    /// `iss`; empty = `server.public_url`, itself empty = made from `server.listen`.
    pub issuer: String,
    /// `aud` (Airflow: `[api_auth] jwt_audience`, unset = `apache-airflow`).
    pub audience: String,
    /// Lifetime of tokens from `/auth/token` (Airflow: `jwt_expiration_time`).
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema")]
    pub lifetime: Duration,
    /// Lifetime of tokens from `/auth/token/cli` (Airflow: `jwt_cli_expiration_time`).
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema")]
    pub cli_lifetime: Duration,
    /// Clock difference that verification forgives.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema")]
    pub leeway: Duration,
    /// Further claims: name → template such as `{username}`.
    pub claims: BTreeMap<String, serde_json::Value>,
    /// The backend whose bare user ids become `sub`; empty = the only backend.
    pub subject_backend: String,
}

/// JWS algorithms, by their RFC 7518 and RFC 8037 names.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize, serde::Serialize, JsonSchema,
)]
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

/// What signs tokens.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// The algorithm of keys generated in the state folder, and of `private_key`.
    pub algorithm: Algorithm,
    /// Key id of `private_key`; empty = the RFC 7638 thumbprint.
    pub kid: String,
    /// A private key file (PKCS#8, PKCS#1 or SEC1; PEM or DER); empty = a key in the state folder.
    pub private_key: String,
    /// The public half of `private_key`; given, it must match.
    pub public_key: String,
    /// How long a key is published before it signs.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema")]
    pub lead: Duration,
    /// Public keys of others, published in our JWKS (Airflow's own, for its log-in and task tokens).
    pub extra_public: Vec<ExtraPublic>,
}

/// A public key of someone else's, published in our JWKS.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtraPublic {
    /// Public key file, PEM or DER.
    pub file: PathBuf,
    /// Its key id.
    pub kid: String,
}

/// Where plugin files are looked for.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Plugins {
    /// Folders; empty = beside the executable, then `../lib/countersign`.
    pub directories: Vec<PathBuf>,
    /// Pins: plugin name → SHA-256 of its file, in hexadecimal.
    pub sha256: BTreeMap<String, String>,
}

/// One configured use of a plugin.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Backend {
    /// The plugin's name: `db` is the file `libcountersign_db.so`.
    pub plugin: String,
    /// The plugin's own settings, in the shape of its schema.
    #[serde(default)]
    pub config: serde_json::Value,
    /// Ask this backend only if all of these hold.
    #[serde(default, rename = "match")]
    pub matches: Match,
    /// false = never asked to log anyone in.
    #[serde(default = "yes")]
    pub login: bool,
    /// false = no `/auth/{backend}/token`.
    #[serde(default = "yes")]
    pub direct: bool,
    /// Time limit for one call.
    #[serde(default = "Backend::default_timeout", with = "duration")]
    #[schemars(with = "duration::Schema")]
    pub timeout: Duration,
    /// Calls in flight at once; the next one is answered 503.
    #[serde(default = "Backend::default_concurrency")]
    pub concurrency: usize,
    /// What follows a refusal.
    #[serde(default)]
    pub on_denied: Follow,
    /// What follows an outage.
    #[serde(default)]
    pub on_unavailable: Follow,
    /// From groups to roles.
    #[serde(default)]
    pub roles: Roles,
}

/// Whether the chain goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Follow {
    /// The answer is final.
    #[default]
    Stop,
    /// The next backend is asked.
    Next,
}

/// Conditions on a request; all given ones must hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// Regular expression for the whole username.
    pub username: Option<String>,
    /// Name of a header that must be present.
    pub header: Option<String>,
    /// Name of a body field that must be present.
    pub body: Option<String>,
}

/// From a user's groups to roles.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Roles {
    /// Group → roles (FAB: AUTH_ROLES_MAPPING).
    pub mapping: BTreeMap<String, Vec<String>>,
    /// Globs of groups that are roles by themselves.
    pub pass: Vec<String>,
    /// Roles if nothing else gave any.
    pub default: Vec<String>,
}

impl Config {
    fn default_state() -> PathBuf {
        PathBuf::from("./.countersign")
    }
}

impl Default for Server {
    fn default() -> Self {
        Server {
            listen: "127.0.0.1:8090".into(),
            public_url: String::new(),
            trusted_proxies: Vec::new(),
            plain_http: false,
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Admin {
            listen: "127.0.0.1:8091".into(),
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
            leeway: Duration::from_secs(10),
            claims: BTreeMap::new(),
            subject_backend: String::new(),
        }
    }
}

impl Default for Keys {
    fn default() -> Self {
        Keys {
            algorithm: Algorithm::RS256,
            kid: String::new(),
            private_key: String::new(),
            public_key: String::new(),
            lead: Duration::from_secs(7_200),
            extra_public: Vec::new(),
        }
    }
}

impl Backend {
    fn default_timeout() -> Duration {
        Duration::from_secs(10)
    }

    fn default_concurrency() -> usize {
        512
    }
}

fn yes() -> bool {
    true
}
