//! `backends`: who is asked, and under which conditions.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::provision::{self, Provision};
use crate::config::formats;
use crate::config::values::duration;

/// One configured use of a plugin.
#[derive(Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("x-order" = ["plugin", "title", "config", "match", "login", "direct", "callback_url", "on_denied", "on_unavailable", "timeout", "start_timeout", "concurrency", "registration", "provision", "roles"]))]
pub struct Backend {
    /// The plugin's name: `db` is the file `libcountersign_db.so`.
    pub plugin: String,
    /// Its name on the login page, such as `Company SSO`; empty = made from its id.
    #[serde(default)]
    pub title: String,
    /// The plugin's own settings, in the shape of its schema.
    #[serde(default = "Backend::default_config")]
    #[schemars(with = "Map<String, Value>")]
    pub config: Value,
    /// Ask this backend only if all of these hold.
    #[serde(default, rename = "match")]
    pub matches: Match,
    /// false = never asked to log anyone in.
    #[serde(default = "yes")]
    pub login: bool,
    /// false = no `/auth/{backend}/token`.
    #[serde(default = "yes")]
    pub direct: bool,
    /// Where its provider sends browsers back to: `/callback` or `/callback/{backend}` below `server.public_url`; empty = the latter.
    #[serde(default)]
    #[schemars(extend("format" = "http-url"))]
    pub callback_url: String,
    /// Time limit for one call.
    #[serde(default = "Backend::default_timeout", with = "duration")]
    #[schemars(with = "duration::Schema", extend("format" = "duration-above-zero"))]
    pub timeout: Duration,
    /// Time limit for making an instance, at start.
    #[serde(default = "Backend::default_start_timeout", with = "duration")]
    #[schemars(with = "duration::Schema", extend("format" = "duration-above-zero"))]
    pub start_timeout: Duration,
    /// Calls in flight at once; the next one is answered 503.
    #[serde(default = "Backend::default_concurrency")]
    #[schemars(range(min = 1))]
    pub concurrency: usize,
    /// What follows a refusal.
    #[serde(default)]
    pub on_denied: Follow,
    /// What follows an outage.
    #[serde(default)]
    pub on_unavailable: Follow,
    /// May a user who is unknown be registered (FAB: AUTH_USER_REGISTRATION)?
    #[serde(default)]
    pub registration: bool,
    /// Find or register the users in another backend; `provision: users` is short for `{ backend: users }`.
    #[serde(default, deserialize_with = "provision::read")]
    #[schemars(with = "Option<provision::Written>")]
    pub provision: Option<Provision>,
    /// From groups to roles.
    #[serde(default)]
    pub roles: Roles,
}

/// Whether the chain goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Follow {
    /// The answer is final.
    #[default]
    Stop,
    /// The next backend is asked.
    Next,
}

/// Conditions on a request; all given ones must hold.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// Regular expression for the whole username.
    #[schemars(extend("format" = "username-pattern"))]
    pub username: Option<String>,
    /// Name of a header that must be present.
    pub header: Option<String>,
    /// Name of a body field that must be present.
    pub body: Option<String>,
}

/// From a user's groups to roles.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["mapping", "pass", "registration", "default", "sync"]))]
pub struct Roles {
    /// Group → roles (FAB: AUTH_ROLES_MAPPING).
    pub mapping: BTreeMap<String, Vec<String>>,
    /// Globs of groups that are roles by themselves.
    pub pass: Vec<String>,
    /// Roles for everyone while `registration` is true (FAB: AUTH_USER_REGISTRATION_ROLE).
    pub registration: Vec<String>,
    /// Roles if nothing else gave any.
    pub default: Vec<String>,
    /// What becomes of the roles of a provisioned row that exists: left alone, replaced (FAB:
    /// AUTH_ROLES_SYNC_AT_LOGIN), or replaced except for those given by hand.
    pub sync: RoleSync,
}

/// What becomes of the roles of a row that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoleSync {
    /// They stay.
    #[default]
    Off,
    /// The mapped ones and no others.
    Replace,
    /// The mapped ones beside those that somebody gave by hand.
    KeepManual,
}

impl Backend {
    fn default_config() -> Value {
        Value::Object(Map::new())
    }

    pub(super) fn default_timeout() -> Duration {
        Duration::from_secs(10)
    }

    pub(super) fn default_start_timeout() -> Duration {
        Duration::from_secs(30)
    }

    pub(super) fn default_concurrency() -> usize {
        512
    }
}

impl Match {
    /// The pattern for usernames: it must match the whole of it.
    pub fn username_pattern(&self) -> Result<Option<Regex>, regex::Error> {
        let pattern = self.username.as_deref();
        pattern.map(formats::username_pattern).transpose()
    }
}

impl fmt::Debug for Backend {
    /// Without `config`: only its plugin knows what in it is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backend")
            .field("plugin", &self.plugin)
            .field("title", &self.title)
            .field("matches", &self.matches)
            .field("login", &self.login)
            .field("direct", &self.direct)
            .field("callback_url", &self.callback_url)
            .field("timeout", &self.timeout)
            .field("start_timeout", &self.start_timeout)
            .field("concurrency", &self.concurrency)
            .field("on_denied", &self.on_denied)
            .field("on_unavailable", &self.on_unavailable)
            .field("registration", &self.registration)
            .field("provision", &self.provision)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

fn yes() -> bool {
    true
}
