//! The page of `/metrics`: the recorder behind it, and what is measured when it is asked for.

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::{
    HANDSHAKES, KEY_CHANGES, PANICS, REFUSED, SIGNING, STORE_FAILED, STORE_REGAINED, names, process,
};

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
    names::describe();
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
pub(super) fn count(number: usize) -> f64 {
    number as f64
}
