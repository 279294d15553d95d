//! The shapes of the configuration: every key, its type, its default and its
//! documentation, in one place. The JSON Schema, the reference file and
//! `config explain` are all made from these types and their doc comments.

use std::collections::BTreeMap;
use std::path::PathBuf;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

mod backends;
mod bots;
mod keys;
mod login;
mod provision;
mod server;
mod store;
mod throttle;
mod tokens;
mod trust;
mod verify;

pub use backends::{Backend, Follow, Match, RoleSync, Roles};
pub use bots::{Bots, Expiry, LOGIN_CLIENT, NO_CLIENT, SeedBot, TokenForm, is_our_client};
pub use keys::{Algorithm, ExtraPublic, Keys};
pub use login::Login;
pub use provision::{LinkBy, Provision};
pub use server::{Limits, Server, Tls};
pub use store::Store;
pub use throttle::Throttle;
pub use tokens::{Audience, Dpop, KeyRing, Refresh, TokenType, Tokens};
pub use trust::{Trust, TrustRoles, TrustTls};
pub use verify::{IdentityHeaders, Verify};

use super::formats;
use super::values::{FilePath, Sha256};

/// The whole configuration.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-order" = ["server", "admin", "state", "store", "tokens", "keys", "plugins", "bots", "trust", "backends"]))]
pub struct Config {
    /// The public listener.
    #[serde(default)]
    pub server: Server,
    /// The read-only listener for `/healthz`, `/readyz` and `/metrics`; and who may manage.
    #[serde(default)]
    pub admin: Admin,
    /// Folder for keys, embedded databases and the admin socket; relative to the working directory.
    #[serde(default = "Config::default_state")]
    #[schemars(extend("format" = "path"))]
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
    /// Programs that have tokens of their own.
    #[serde(default)]
    pub bots: Bots,
    /// Other issuers whose tokens are accepted.
    #[serde(default)]
    pub trust: Vec<Trust>,
    /// Who is asked, in the order of the file: backend id → its settings.
    #[serde(default = "Config::default_backends")]
    pub backends: IndexMap<String, Backend>,
}

/// The read-only listener, and who may manage.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Address and port, `HOST:PORT`.
    #[schemars(extend("format" = "listen-address"))]
    pub listen: String,
    /// Roles of those who may use `/console` and manage bots over HTTP; any one of them is enough.
    pub roles: Vec<String>,
}

/// Where plugin files are looked for.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Plugins {
    /// Folders; empty = beside the executable, then `../lib/countersign`.
    #[schemars(with = "Vec<FilePath>")]
    pub directories: Vec<PathBuf>,
    /// Pins: plugin name → SHA-256 of its file, in hexadecimal.
    #[schemars(with = "BTreeMap<String, Sha256>")]
    pub sha256: BTreeMap<String, String>,
}

impl Config {
    fn default_state() -> PathBuf {
        PathBuf::from("./.countersign")
    }

    /// One table of users in the state folder.
    fn default_backends() -> IndexMap<String, Backend> {
        let users = Backend {
            plugin: "db".into(),
            config: json!({ "url": "sqlite://{state}/users.db" }),
            matches: Match::default(),
            login: true,
            direct: true,
            timeout: Backend::default_timeout(),
            start_timeout: Backend::default_start_timeout(),
            concurrency: Backend::default_concurrency(),
            title: String::new(),
            callback_url: String::new(),
            on_denied: Follow::default(),
            on_unavailable: Follow::default(),
            registration: false,
            provision: None,
            roles: Roles::default(),
        };
        IndexMap::from([("users".to_owned(), users)])
    }

    /// The URL under which clients reach this server, without a slash at its end.
    pub fn public_url(&self) -> String {
        if self.server.public_url.is_empty() {
            let scheme = if self.server.tls.is_on() {
                "https"
            } else {
                "http"
            };
            format!("{scheme}://{}", self.server.listen)
        } else {
            self.server.public_url.trim_end_matches('/').to_owned()
        }
    }

    /// Can other machines reach the public listener?
    pub fn is_exposed(&self) -> bool {
        !formats::listen_host(&self.server.listen).is_some_and(formats::is_loopback)
    }

    /// The `iss` of our tokens.
    pub fn issuer(&self) -> String {
        if self.tokens.issuer.is_empty() {
            self.public_url()
        } else {
            self.tokens.issuer.clone()
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            server: Server::default(),
            admin: Admin::default(),
            state: Config::default_state(),
            store: Store::default(),
            tokens: Tokens::default(),
            keys: Keys::default(),
            plugins: Plugins::default(),
            bots: Bots::default(),
            trust: Vec::new(),
            backends: Config::default_backends(),
        }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Admin {
            listen: "127.0.0.1:8091".into(),
            roles: vec!["Admin".into()],
        }
    }
}
