//! Metrics of the host, for Prometheus. Names begin with `countersign_`; labels hold
//! names of the configuration and of the code only, never what a client sent: a
//! flood of names, key ids or paths makes no new series. A family that has
//! [`MOST_SERIES`] nonetheless takes no further ones.
//!
//! Handles are made once and found again by their labels: a request costs no allocation.
//! They belong to the recorder that is installed when they are first used.

mod family;
mod names;
mod page;
mod process;

use std::time::Duration;

pub use family::MOST_SERIES;
use family::{Counters, Histograms};
pub use page::{Moment, Page, StoreMoment, install};

const SIGNING: &str = "countersign_signing_seconds";

static REQUESTS: Counters<3> = Counters::new(
    "countersign_http_requests_total",
    ["route", "method", "status"],
);
static ANSWERS: Histograms<1> = Histograms::new("countersign_http_request_seconds", ["route"]);
static DECISIONS: Counters<2> =
    Counters::new("countersign_decisions_total", ["backend", "outcome"]);
static ISSUED: Counters<3> = Counters::new(
    "countersign_tokens_issued_total",
    ["audience", "algorithm", "backend"],
);
static SIGNED: Histograms<1> = Histograms::new(SIGNING, ["algorithm"]);
static THROTTLED: Counters<1> = Counters::new("countersign_throttled_total", ["scope"]);
static RELOADS: Counters<1> = Counters::new("countersign_reloads_total", ["result"]);
static KEY_CHANGES: Counters<2> =
    Counters::new("countersign_key_changes_total", ["ring", "change"]);
static REFUSED: Counters<0> = Counters::new("countersign_connections_refused_total", []);
static HANDSHAKES: Counters<0> = Counters::new("countersign_tls_handshakes_failed_total", []);
static VERIFICATIONS: Counters<3> = Counters::new(
    "countersign_verifications_total",
    ["issuer", "audience", "outcome"],
);
static TRUST_FETCHES: Counters<2> =
    Counters::new("countersign_trust_key_fetches_total", ["issuer", "result"]);
static STORE_FAILED: Counters<0> = Counters::new("countersign_store_failures_total", []);
static STORE_REGAINED: Counters<0> = Counters::new("countersign_store_regained_total", []);
static PANICS: Counters<0> = Counters::new("countersign_panics_total", []);

/// An answer was sent: on a route of the router, by one of its methods.
pub fn answered(route: &str, method: &'static str, status: u16, after: Duration) {
    let status = Status::of(status);
    REQUESTS.increment([route, method, status.text()]);
    ANSWERS.record([route], after.as_secs_f64());
}

/// A request was decided; `backend` is empty where none decided.
pub fn decided(backend: &str, outcome: &'static str) {
    DECISIONS.increment([backend, outcome]);
}

/// A token was issued.
pub fn issued(audience: &str, algorithm: &str, backend: &str) {
    ISSUED.increment([audience, algorithm, backend]);
}

/// A token was signed.
pub fn signed(algorithm: &str, after: Duration) {
    SIGNED.record([algorithm], after.as_secs_f64());
}

/// A request was turned away by the throttle: by `user` or by `address`.
pub fn throttled(scope: &'static str) {
    THROTTLED.increment([scope]);
}

/// Live tokens of bots, and those of them that are over within a day and within a week and have
/// no successor.
pub fn bot_tokens(live: u64, expiring: [u64; 2]) {
    metrics::gauge!("countersign_bot_tokens").set(live as f64);
    for (within, tokens) in ["1d", "7d"].into_iter().zip(expiring) {
        metrics::gauge!("countersign_bot_tokens_expiring", "within" => within).set(tokens as f64);
    }
}

/// A reload ended.
pub fn reloaded(succeeded: bool) {
    RELOADS.increment([if succeeded { "reloaded" } else { "failed" }]);
}

/// The keys of a ring were changed: `rotated`, `revoked`, `scheduled`, `gone` …, or `failed`.
pub fn keys_changed(ring: &str, change: &'static str) {
    KEY_CHANGES.increment([ring, change]);
}

/// A connection was closed because its address has too many.
pub fn connection_refused() {
    REFUSED.increment([]);
}

/// A TLS handshake did not succeed.
pub fn handshake_failed() {
    HANDSHAKES.increment([]);
}

/// A token was shown at `/auth/verify`: of this trusted issuer, or of our own (empty), for an
/// audience by its name; the outcome is `accepted`, or the rule that it broke.
pub fn verified(issuer: &str, audience: &str, outcome: &'static str) {
    VERIFICATIONS.increment([issuer, audience, outcome]);
}

/// The keys of a trusted issuer were asked for.
pub fn trust_fetched(issuer: &str, succeeded: bool) {
    TRUST_FETCHES.increment([issuer, if succeeded { "fetched" } else { "failed" }]);
}

/// A query of the store got no answer, or none that can be used.
pub fn store_failed() {
    STORE_FAILED.increment([]);
}

/// The store was out of sight, and is in sight again.
pub fn store_regained() {
    STORE_REGAINED.increment([]);
}

/// A request ended in a panic of the host.
pub fn panicked() {
    PANICS.increment([]);
}

/// A status in decimals, without an allocation.
struct Status([u8; 3]);

impl Status {
    fn of(status: u16) -> Self {
        let digit = |place: u16| b'0' + u8::try_from(status / place % 10).unwrap_or_default();
        Status([digit(100), digit(10), digit(1)])
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_written_in_decimals() {
        for status in [200, 404, 503, 999] {
            assert_eq!(Status::of(status).text(), status.to_string());
        }
    }
}
