//! Metrics of the host, for Prometheus. Names begin with `countersign_`; labels hold
//! names of the configuration and of the code only, never what a client sent: a
//! flood of names, key ids or paths makes no new series. A family that has
//! [`MOST_SERIES`] nonetheless takes no further ones.
//!
//! Handles are made once and found again by their labels: a request costs no allocation.
//! They belong to the recorder that is installed when they are first used.

mod family;
mod process;

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

pub use family::MOST_SERIES;
use family::{Counters, Histograms};

/// Seconds: answers and calls, from a signature to the longest time limit.
const CALLS: &[f64] = &[
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// Seconds: signatures, from Ed25519 to RSA with 4096 bits.
const SIGNATURES: &[f64] = &[
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05,
];

/// Measurements wait this long for their buckets: at 20,000 requests a second, in about 100 kB.
const TIDY: Duration = Duration::from_millis(200);

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

/// What is true at the moment of asking.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moment {
    /// Published keys by state: active, next, retiring, extra.
    pub keys: [(&'static str, usize); 4],
    /// Counters that the throttle keeps.
    pub throttle_entries: usize,
    /// The store, where there is one.
    pub store: Option<StoreMoment>,
}

/// The store at the moment of asking.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoreMoment {
    /// For how long it has been out of sight; zero = it is in sight.
    pub unseen: Duration,
    /// Revoked tokens, sessions and keys that are remembered.
    pub revoked: usize,
}

/// The page of `/metrics`. Cheap to clone.
#[derive(Clone)]
pub struct Page(PrometheusHandle);

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Page")
    }
}

/// Makes the process's metrics go to a page. None: a recorder is there already, such
/// as that of a service which embeds this one, and they go there.
///
/// # Errors
/// The buckets were refused.
pub fn install() -> Result<Option<Page>, BuildError> {
    let recorder = PrometheusBuilder::new()
        .set_buckets(CALLS)?
        .set_buckets_for_metric(Matcher::Full(SIGNING.to_owned()), SIGNATURES)?
        .build_recorder();
    let page = Page(recorder.handle());
    if metrics::set_global_recorder(recorder).is_err() {
        return Ok(None);
    }
    describe();
    metrics::gauge!("countersign_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    for rare in [
        &REFUSED,
        &HANDSHAKES,
        &PANICS,
        &STORE_FAILED,
        &STORE_REGAINED,
    ] {
        // There from the start: an alert on what is not there does not fire the first time.
        rare.appear([]);
    }
    KEY_CHANGES.appear(["", "failed"]);
    process::started();
    Ok(Some(page))
}

impl Page {
    /// The page in Prometheus' text format 0.0.4.
    pub fn render(&self, moment: &Moment) -> String {
        for (state, keys) in moment.keys {
            metrics::gauge!("countersign_keys", "state" => state).set(count(keys));
        }
        metrics::gauge!("countersign_throttle_entries").set(count(moment.throttle_entries));
        if let Some(store) = moment.store {
            let up = if store.unseen.is_zero() { 1.0 } else { 0.0 };
            metrics::gauge!("countersign_store_up").set(up);
            metrics::gauge!("countersign_store_unseen_seconds").set(store.unseen.as_secs_f64());
            metrics::gauge!("countersign_revoked").set(count(store.revoked));
        }
        process::measure();
        self.0.render()
    }

    /// Puts measurements that wait into their buckets; else they take memory until
    /// somebody asks for the page. Does not end.
    pub async fn tidy(self) {
        let mut ticks = tokio::time::interval(TIDY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.0.run_upkeep();
        }
    }
}

/// Exact as far as 2^53.
fn count(number: usize) -> f64 {
    number as f64
}

fn describe() {
    use metrics::{describe_counter as counter, describe_gauge as gauge, describe_histogram};
    counter!(
        "countersign_http_requests_total",
        "Answers by route, method and status."
    );
    describe_histogram!(
        "countersign_http_request_seconds",
        "Seconds from a request's head to its answer's head."
    );
    counter!(
        "countersign_decisions_total",
        "Decided requests for a token by backend and outcome."
    );
    counter!(
        "countersign_tokens_issued_total",
        "Tokens by audience, algorithm and backend."
    );
    describe_histogram!(SIGNING, "Seconds that a signature took.");
    counter!(
        "countersign_throttled_total",
        "Requests turned away by the throttle, by what was counted."
    );
    counter!("countersign_reloads_total", "Reloads by result.");
    counter!(
        "countersign_key_changes_total",
        "Changes of signing keys by ring: rotated, retired, revoked, generated or imported by an operator; scheduled, gone; failed."
    );
    counter!(
        "countersign_panics_total",
        "Requests that ended in a panic of the host."
    );
    counter!(
        "countersign_verifications_total",
        "Requests at /auth/verify by trusted issuer, audience and outcome."
    );
    counter!(
        "countersign_trust_key_fetches_total",
        "Fetches of the keys of a trusted issuer, by result."
    );
    gauge!("countersign_store_up", "1: the store is in sight.");
    gauge!(
        "countersign_store_unseen_seconds",
        "Seconds for which the store has been out of sight."
    );
    gauge!(
        "countersign_revoked",
        "Revoked tokens, sessions and keys that are remembered."
    );
    counter!(
        "countersign_store_failures_total",
        "Queries of the store without an answer that can be used."
    );
    counter!(
        "countersign_store_regained_total",
        "Times that the store came in sight again."
    );
    gauge!("countersign_build_info", "1; the label is the version.");
    gauge!("countersign_keys", "Published keys by state.");
    gauge!(
        "countersign_throttle_entries",
        "Counters that the throttle keeps."
    );
    gauge!("countersign_bot_tokens", "Live tokens of bots.");
    gauge!(
        "countersign_bot_tokens_expiring",
        "Live tokens of bots that are over within this time and have no successor."
    );
    counter!(
        "countersign_connections_refused_total",
        "Connections closed because their address had too many."
    );
    counter!(
        "countersign_tls_handshakes_failed_total",
        "TLS handshakes that failed or took too long."
    );
    counter!(
        "countersign_backend_calls_total",
        "Calls of a backend by operation and outcome."
    );
    describe_histogram!(
        "countersign_backend_call_seconds",
        "Seconds that a backend took for a call."
    );
    gauge!(
        "countersign_backend_permits",
        "Calls that a backend could take now."
    );
    gauge!(
        "countersign_backend_breaker",
        "0 closed, 1 half open, 2 open: not asked."
    );
    counter!(
        "countersign_plugin_panics_total",
        "Panics of a backend's plugin."
    );
    counter!(
        "countersign_plugin_log_lines_dropped_total",
        "Log lines beyond what a backend may write."
    );
    process::describe();
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
