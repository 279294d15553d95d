//! What is counted: by names and labels of fixed lists alone, never by what a token says.

use countersign_sdk::prelude::*;

/// The counters of one backend.
#[derive(Clone)]
pub(crate) struct Metrics(Cx);

impl Metrics {
    pub(crate) fn new(cx: &Cx) -> Self {
        Metrics(cx.clone())
    }

    /// A fetch of the provider's keys (`keys`) or of its metadata (`metadata`).
    pub(super) fn fetched(&self, document: &str, ok: bool) {
        let outcome = if ok { "ok" } else { "failed" };
        let labels = [("document", document), ("outcome", outcome)];
        self.0.count("oauth_fetches", &labels, 1);
    }

    /// How many keys of the provider can be used.
    pub(super) fn keys(&self, number: usize) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        self.0.gauge("oauth_keys", &[], f64::from(number));
    }

    /// A JWT: `accepted`, or the name of the rule that it broke.
    pub(crate) fn verified(&self, outcome: &str) {
        let labels = [("outcome", outcome)];
        self.0.count("oauth_tokens_verified", &labels, 1);
    }

    /// A token that the provider was asked about.
    pub(crate) fn asked(&self, outcome: &str, seconds: f64) {
        let labels = [("outcome", outcome)];
        self.0.count("oauth_introspections", &labels, 1);
        self.0.observe("oauth_introspection_seconds", &[], seconds);
    }
}
