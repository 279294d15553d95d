//! The account of a backend's calls, as metrics:
//!
//! - `countersign_backend_calls_total{backend, operation, outcome}`
//! - `countersign_backend_call_seconds{backend, operation}`
//! - `countersign_backend_permits{backend}`: calls that could begin now
//! - `countersign_backend_breaker{backend}`: 0 closed, 1 half open, 2 open
//!
//! The last two are those of the instance that serves: one that a reload has replaced has
//! calls in flight for a while, but shows them no more.
//!
//! Handles are looked up once, so that a call costs a few atomic additions.

use std::array;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_abi::{Code, Operation};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::Outcome;
use super::breaker::Circuit;
use super::recent::Recent;

/// What a backend is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    CreateToken,
    Optional(Operation),
}

impl Asked {
    /// Calls of the host's own, which must pass even when nothing else does.
    pub(super) fn is_control(self) -> bool {
        use Operation::{Capabilities, Health, Shutdown};
        matches!(self, Asked::Optional(Capabilities | Health | Shutdown))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Asked::CreateToken => "create_token",
            Asked::Optional(operation) => match operation {
                Operation::Capabilities => "capabilities",
                Operation::BeginLogin => "begin_login",
                Operation::FinishLogin => "finish_login",
                Operation::LogoutUrl => "logout_url",
                Operation::Provision => "provision",
                Operation::Manage => "manage",
                Operation::Lookup => "lookup",
                Operation::Health => "health",
                Operation::Shutdown => "shutdown",
            },
        }
    }

    fn index(self) -> usize {
        match self {
            Asked::CreateToken => 0,
            Asked::Optional(operation) => operation as usize + 1,
        }
    }
}

/// All that can be asked.
const ASKED: usize = Operation::Shutdown as usize + 2;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Authenticated,
    Done,
    NotApplicable,
    Denied,
    Invalid,
    Unavailable,
    Fault,
    NotSupported,
    /// No answer within the time limit.
    Timeout,
    /// Whoever waited went away.
    Cancelled,
    /// Not let in: no permit, or the breaker is open.
    Rejected,
}

/// All verdicts, in the order of their numbers.
pub(super) const VERDICTS: [(Verdict, &str); 11] = [
    (Verdict::Authenticated, "authenticated"),
    (Verdict::Done, "done"),
    (Verdict::NotApplicable, "not_applicable"),
    (Verdict::Denied, "denied"),
    (Verdict::Invalid, "invalid"),
    (Verdict::Unavailable, "unavailable"),
    (Verdict::Fault, "fault"),
    (Verdict::NotSupported, "not_supported"),
    (Verdict::Timeout, "timeout"),
    (Verdict::Cancelled, "cancelled"),
    (Verdict::Rejected, "rejected"),
];

impl Verdict {
    /// Did nobody wait for its end?
    pub(super) fn is_left_behind(self) -> bool {
        matches!(self, Verdict::Timeout | Verdict::Cancelled)
    }
}

impl From<&Outcome> for Verdict {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Authenticated(_) => Verdict::Authenticated,
            Outcome::NotApplicable => Verdict::NotApplicable,
            Outcome::Denied(_) => Verdict::Denied,
            Outcome::Invalid(_) => Verdict::Invalid,
            Outcome::Unavailable(_) => Verdict::Unavailable,
            Outcome::Fault(_) => Verdict::Fault,
        }
    }
}

impl From<Code> for Verdict {
    fn from(code: Code) -> Self {
        match code {
            Code::Denied => Verdict::Denied,
            Code::Invalid => Verdict::Invalid,
            Code::Unavailable => Verdict::Unavailable,
            Code::Fault => Verdict::Fault,
            Code::NotSupported => Verdict::NotSupported,
        }
    }
}

pub(super) struct Calls {
    backend: String,
    /// The same for people who look.
    pub(super) recent: Recent,
    /// Are the gauges its own?
    shown: AtomicBool,
    permits: Gauge,
    breaker: Gauge,
    /// Made when first asked: what is never asked has no series.
    asked: [OnceLock<Series>; ASKED],
}

struct Series {
    outcomes: [Counter; VERDICTS.len()],
    seconds: Histogram,
}

impl Calls {
    pub(super) fn of(backend: &str) -> Self {
        let label = backend.to_owned();
        Calls {
            backend: label.clone(),
            recent: Recent::default(),
            shown: AtomicBool::new(false),
            permits: gauge!("countersign_backend_permits", "backend" => label.clone()),
            breaker: gauge!("countersign_backend_breaker", "backend" => label),
            asked: array::from_fn(|_| OnceLock::new()),
        }
    }

    /// A call ended after this time.
    pub(super) fn record(&self, asked: Asked, verdict: Verdict, took: Duration) {
        self.recent.count(asked, verdict);
        let series = self.series(asked);
        series.outcomes[verdict as usize].increment(1);
        series.seconds.record(took.as_secs_f64());
    }

    /// A call ended before it began.
    pub(super) fn count(&self, asked: Asked, verdict: Verdict) {
        self.recent.count(asked, verdict);
        self.series(asked).outcomes[verdict as usize].increment(1);
    }

    /// From now on the gauges are its own, or no more.
    pub(super) fn show(&self, shown: bool) {
        self.shown.store(shown, Ordering::Release);
    }

    pub(super) fn permits_free(&self, free: usize) {
        if !self.shown.load(Ordering::Acquire) {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
        self.permits.set(free as f64);
    }

    pub(super) fn circuit(&self, circuit: Circuit) {
        if !self.shown.load(Ordering::Acquire) {
            return;
        }
        self.breaker.set(match circuit {
            Circuit::Closed => 0.0,
            Circuit::HalfOpen => 1.0,
            Circuit::Open => 2.0,
        });
    }

    fn series(&self, asked: Asked) -> &Series {
        self.asked[asked.index()].get_or_init(|| {
            let label = || self.backend.clone();
            let operation = asked.name();
            Series {
                outcomes: VERDICTS.map(|(_, outcome)| {
                    counter!("countersign_backend_calls_total", "backend" => label(), "operation" => operation, "outcome" => outcome)
                }),
                seconds: histogram!("countersign_backend_call_seconds", "backend" => label(), "operation" => operation),
            }
        })
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Calls({})", self.backend)
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn verdicts_stand_at_their_numbers() {
        for (number, (verdict, _)) in VERDICTS.iter().enumerate() {
            assert_eq!(*verdict as usize, number);
        }
    }

    #[test]
    fn calls_are_counted_by_operation_and_outcome() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let shown = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let calls = Calls::of("users");
            calls.record(
                Asked::CreateToken,
                Verdict::Denied,
                Duration::from_millis(5),
            );
            calls.count(Asked::CreateToken, Verdict::Rejected);
            calls.record(
                Asked::Optional(Operation::Shutdown),
                Verdict::Done,
                Duration::ZERO,
            );
            calls.circuit(Circuit::HalfOpen);
            calls.show(true);
            calls.circuit(Circuit::Open);
            calls.permits_free(7);
            calls.show(false);
            calls.circuit(Circuit::Closed);
            calls.permits_free(8);
        });
        let text = shown.render();
        for line in [
            r#"countersign_backend_calls_total{backend="users",operation="create_token",outcome="denied"} 1"#,
            r#"countersign_backend_calls_total{backend="users",operation="create_token",outcome="rejected"} 1"#,
            r#"countersign_backend_calls_total{backend="users",operation="create_token",outcome="fault"} 0"#,
            r#"countersign_backend_calls_total{backend="users",operation="shutdown",outcome="done"} 1"#,
            r#"countersign_backend_call_seconds_count{backend="users",operation="create_token"} 1"#,
            r#"countersign_backend_breaker{backend="users"} 2"#,
            r#"countersign_backend_permits{backend="users"} 7"#,
        ] {
            assert!(text.contains(line), "{line} is missing in:\n{text}");
        }
        assert!(
            !text.contains("lookup"),
            "what is never asked has no series"
        );
    }
}
