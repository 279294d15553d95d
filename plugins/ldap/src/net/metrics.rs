//! What is counted. The label `server` is a URL of the configuration or a host that its
//! domain's DNS names; neither holds a credential.

use std::time::Duration;

use countersign_sdk::Cx;

use super::failure::Failure;
use crate::trouble::Trouble;

#[derive(Clone)]
pub(super) struct Metrics(pub(super) Cx);

impl Metrics {
    pub(super) fn connected(&self, server: &str, opened: bool) {
        let result = if opened { "success" } else { "unavailable" };
        let labels = [("server", server), ("result", result)];
        self.0.count("ldap_connections", &labels, 1);
    }

    pub(super) fn bound(&self, server: &str, result: Result<(), &Failure>) {
        let labels = [("server", server), ("result", of(result))];
        self.0.count("ldap_binds", &labels, 1);
    }

    pub(super) fn searched(&self, server: &str, result: Result<(), &Failure>, took: Duration) {
        let labels = [("server", server), ("result", of(result))];
        self.0.count("ldap_searches", &labels, 1);
        let seconds = took.as_secs_f64();
        self.0
            .observe("ldap_search_seconds", &[("server", server)], seconds);
    }

    /// From this server to the next.
    pub(super) fn failover(&self, server: &str) {
        self.0.count("ldap_failovers", &[("server", server)], 1);
    }

    /// Of the service account's connections: those that somebody uses, and the others.
    pub(super) fn pool(&self, server: &str, in_use: usize, idle: usize) {
        for (name, connections) in [("ldap_pool_in_use", in_use), ("ldap_pool_idle", idle)] {
            let value = u32::try_from(connections).unwrap_or(u32::MAX);
            self.0.gauge(name, &[("server", server)], value.into());
        }
    }
}

fn of(result: Result<(), &Failure>) -> &'static str {
    match result {
        Ok(()) => "success",
        Err(Failure::Final(Trouble::Answer(_))) => "refused",
        Err(Failure::Final(Trouble::TooMuch(_))) => "too_much",
        Err(_) => "unavailable",
    }
}
