//! `server`: the public listener.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Login, Throttle, Verify};
use crate::config::values::{Network, duration};

/// The public listener.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["listen", "public_url", "tls", "trusted_proxies", "plain_http", "throttle", "login", "verify", "limits"]))]
pub struct Server {
    /// Address and port, `HOST:PORT`.
    #[schemars(extend("format" = "listen-address"))]
    pub listen: String,
    /// The URL under which clients reach this server; empty = made from `listen`.
    #[schemars(extend("format" = "http-url"))]
    pub public_url: String,
    /// Encrypts the public listener; a renewed certificate is noticed within half a minute.
    pub tls: Tls,
    /// Addresses or networks (CIDR) whose `X-Forwarded-For`, `X-Request-Id` and `traceparent` are believed.
    #[schemars(with = "Vec<Network>")]
    pub trusted_proxies: Vec<String>,
    /// Allow plain HTTP on an address that is not loopback.
    pub plain_http: bool,
    /// The brake on guessing passwords: answered 429 with `Retry-After`.
    pub throttle: Throttle,
    /// Signing in with a browser.
    pub login: Login,
    /// Forward-auth for proxies.
    pub verify: Verify,
    /// What clients may take; a change needs a restart.
    pub limits: Limits,
}

/// The certificate of the public listener.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["certificate", "private_key"]))]
pub struct Tls {
    /// The server's certificate and its issuers', PEM; empty = plain HTTP.
    #[schemars(extend("format" = "path"))]
    pub certificate: String,
    /// Its private key (PKCS#8, PKCS#1 or SEC1; PEM or DER), not readable by others.
    #[schemars(extend("format" = "path"))]
    pub private_key: String,
}

/// What clients of a listener may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["connections", "connections_per_address", "header_timeout", "idle_timeout", "drain_timeout"]))]
pub struct Limits {
    /// Connections at once; further ones wait unaccepted.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub connections: u32,
    /// Connections at once from one address (IPv6: one /64); trusted proxies are not counted.
    #[schemars(range(min = 1))]
    pub connections_per_address: u32,
    /// Time for a TLS handshake, and for the head of a request.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema", extend("format" = "duration-above-zero"))]
    pub header_timeout: Duration,
    /// How long a connection stays open without a request; longer than a proxy before it keeps its own.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema", extend("format" = "duration-above-zero"))]
    pub idle_timeout: Duration,
    /// How long answers in flight may take after SIGTERM.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema")]
    pub drain_timeout: Duration,
}

impl Tls {
    /// Is there a certificate?
    pub fn is_on(&self) -> bool {
        !self.certificate.is_empty()
    }
}

impl Limits {
    /// For listeners that only the operator's own programs reach.
    pub fn internal() -> Self {
        Limits {
            connections: 256,
            connections_per_address: 256,
            ..Limits::default()
        }
    }
}

impl Default for Server {
    fn default() -> Self {
        Server {
            listen: "127.0.0.1:8090".into(),
            public_url: String::new(),
            tls: Tls::default(),
            trusted_proxies: Vec::new(),
            plain_http: false,
            throttle: Throttle::default(),
            login: Login::default(),
            verify: Verify::default(),
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 4096,
            connections_per_address: 1024,
            header_timeout: Duration::from_secs(10),
            // A minute is what most proxies keep a connection for.
            idle_timeout: Duration::from_secs(75),
            drain_timeout: Duration::from_secs(20),
        }
    }
}
