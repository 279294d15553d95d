//! `server.throttle`: how many failed logins are too many.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::values::duration;

/// The brake on guessing passwords: only failed logins count, an outage never does.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("x-order" = ["user", "address", "window"]))]
pub struct Throttle {
    /// Failed logins of one user from one address that a window forgives; a success resets them; 0 = no limit.
    #[schemars(range(max = 1_000_000))]
    pub user: u32,
    /// Failed logins from one address, whoever was tried; 0 = no limit. IPv6 counts by /64; behind a proxy set `trusted_proxies`.
    #[schemars(range(max = 1_000_000))]
    pub address: u32,
    /// How long a window lasts; it opens with the first failure.
    #[serde(with = "duration")]
    #[schemars(with = "duration::Schema", extend("format" = "duration-above-zero"))]
    pub window: Duration,
}

impl Default for Throttle {
    fn default() -> Self {
        Throttle {
            user: 10,
            address: 100,
            window: Duration::from_secs(60),
        }
    }
}
