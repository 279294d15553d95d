//! The gate in front of a backend: permits, the breaker, and the account of every call.
//! What it lets in has a [`Pass`](super::flight::Pass).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::breaker::{Admission, Breaker, Circuit, Subject};
use super::calls::{Asked, Calls, Verdict};
use super::flight::{Flight, Pass};
use super::outcome::Refused;
use super::secrets::Secrets;
use super::sent::Sent;

/// How long an outage should be waited out when nobody says.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The host's own calls in flight at once, whatever `concurrency` says.
const OWN: usize = 4;

/// What a backend is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Where its breaker stands.
    pub circuit: Circuit,
    /// Calls are refused: because of it, unless it waits for a call to probe, or because the
    /// backend was ended.
    pub refuses: bool,
    /// Calls that could begin now.
    pub permits_free: usize,
    /// Calls that run in the plugin, the stuck ones among them.
    pub in_flight: usize,
    /// Calls that nobody waits for any more and that the plugin has not let go of.
    pub stuck: usize,
}

#[derive(Debug)]
pub(super) struct Gate {
    pub(super) backend: String,
    most: usize,
    pub(super) permits: Arc<Semaphore>,
    /// For the host's own calls.
    own: Arc<Semaphore>,
    pub(super) stuck: AtomicUsize,
    pub(super) breaker: Breaker,
    pub(super) calls: Calls,
    pub(super) secrets: Arc<Secrets>,
    /// The instance behind it is no more.
    shut: AtomicBool,
}

impl Gate {
    pub(super) fn new(backend: &str, concurrency: usize, secrets: Arc<Secrets>) -> Arc<Self> {
        let most = concurrency.min(Semaphore::MAX_PERMITS);
        Arc::new(Gate {
            backend: backend.to_owned(),
            most,
            permits: Arc::new(Semaphore::new(most)),
            own: Arc::new(Semaphore::new(OWN)),
            stuck: AtomicUsize::new(0),
            breaker: Breaker::new(),
            calls: Calls::of(backend),
            secrets,
            shut: AtomicBool::new(false),
        })
    }

    /// From now on its gauges are the backend's, and no longer those of `before`, which may
    /// have calls in flight for a while.
    pub(super) fn take_over(&self, before: Option<&Gate>) {
        if let Some(before) = before {
            before.calls.show(false);
            self.calls.recent.take_over(&before.calls.recent);
        }
        self.calls.show(true);
        self.calls.circuit(self.breaker.circuit());
        self.calls.permits_free(self.permits.available_permits());
    }

    /// The instance behind it was ended, and there is no other: every call is refused.
    pub(super) fn shut(&self) {
        self.shut.store(true, Ordering::Release);
    }

    pub(super) fn state(&self) -> State {
        let permits_free = self.permits.available_permits();
        State {
            circuit: self.breaker.circuit(),
            refuses: self.shut.load(Ordering::Acquire) || self.breaker.refuses(Instant::now()),
            permits_free,
            in_flight: self.most.saturating_sub(permits_free),
            stuck: self.stuck.load(Ordering::Relaxed),
        }
    }

    /// Lets a call in, or says why not. What was sent is hidden in logs while it flies.
    /// `subject` is whom the call is about.
    pub(super) fn enter(
        self: &Arc<Self>,
        asked: Asked,
        subject: Subject,
        sent: Sent,
    ) -> Result<Pass, Refused> {
        let begun = Instant::now();
        let admitted = if self.shut.load(Ordering::Acquire) {
            Err(Refused {
                detail: "a reload that failed has ended it: it is back with the next reload that succeeds".to_owned(),
                ..Refused::default()
            })
        } else if asked.is_control() {
            self.own_permit().map(|permit| (Admission::Normal, permit))
        } else {
            self.admit(begun, subject)
        };
        let (admission, permit) = admitted.inspect_err(|refused| {
            self.calls.count(asked, Verdict::Rejected);
            self.calls.recent.failed(asked, &refused.detail);
        })?;
        self.calls.permits_free(self.permits.available_permits());
        let flight = Arc::new(Flight {
            sent: self.secrets.hold(sent),
            abandoned: AtomicBool::new(false),
            permit: Some(permit),
            gate: Arc::clone(self),
        });
        Ok(Pass {
            flight,
            asked,
            subject,
            begun,
            admission,
            verdict: Verdict::Cancelled,
        })
    }

    /// A backend that is stuck is asked for its health again and again: this, too, has an end.
    fn own_permit(&self) -> Result<OwnedSemaphorePermit, Refused> {
        let permit = Arc::clone(&self.own).try_acquire_owned();
        permit.map_err(|_| Refused {
            detail: format!("{OWN} calls of the host's own are in flight"),
            retry_after: Some(RETRY_AFTER),
            ..Refused::default()
        })
    }

    fn admit(
        &self,
        now: Instant,
        subject: Subject,
    ) -> Result<(Admission, OwnedSemaphorePermit), Refused> {
        // The permit first: a probe that finds none would have probed nothing.
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return Err(Refused {
                detail: self.crowded(),
                retry_after: Some(RETRY_AFTER),
                ..Refused::default()
            });
        };
        let admission = self.breaker.admit(subject, now).map_err(|wait| Refused {
            detail: "the breaker is open: the last calls all timed out".to_owned(),
            // Whole seconds are told; a second too early would be refused again.
            retry_after: Some(Duration::from_secs(wait.as_secs() + 1)),
            ..Refused::default()
        })?;
        if admission == Admission::Probe {
            self.calls.circuit(Circuit::HalfOpen);
            tracing::info!(
                backend = self.backend,
                "breaker half open: a call probes whether the backend answers again"
            );
        }
        Ok((admission, permit))
    }

    fn crowded(&self) -> String {
        let most = self.most;
        let crowd = format!("{most} calls are in flight, the most that `concurrency` allows");
        match self.stuck.load(Ordering::Relaxed) {
            0 => crowd,
            stuck => format!(
                "{crowd}; {stuck} of them are stuck: past their time limit, and the plugin has not let go of them"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use countersign_abi::{Lease, Operation};

    use super::*;

    fn gate(concurrency: usize) -> Arc<Gate> {
        Gate::new("b", concurrency, Arc::new(Secrets::none()))
    }

    /// A call for another user each time.
    fn enter(gate: &Arc<Gate>) -> Result<Pass, Refused> {
        static USERS: AtomicUsize = AtomicUsize::new(0);
        let user = USERS.fetch_add(1, Ordering::Relaxed).to_string();
        gate.enter(Asked::CreateToken, Subject::of(&user), Sent::default())
    }

    #[test]
    fn permit_comes_back_when_both_sides_have_let_go() {
        let gate = gate(1);
        let pass = enter(&gate).unwrap();
        let lease = pass.lease();
        pass.end(Verdict::Timeout);
        let state = gate.state();
        assert_eq!(
            (state.permits_free, state.in_flight, state.stuck),
            (0, 1, 1)
        );
        let refused = enter(&gate).unwrap_err();
        assert!(
            refused.detail.contains("1 of them are stuck"),
            "{refused:?}"
        );
        drop(lease);
        let state = gate.state();
        assert_eq!(
            (state.permits_free, state.in_flight, state.stuck),
            (1, 0, 0)
        );
        assert!(enter(&gate).is_ok());
    }

    #[test]
    fn answered_call_whose_lease_came_back_is_never_stuck() {
        let gate = gate(1);
        let pass = enter(&gate).unwrap();
        drop(pass.lease());
        pass.end(Verdict::Denied);
        assert_eq!(gate.state().stuck, 0);
        assert_eq!(gate.state().permits_free, 1);
    }

    #[test]
    fn calls_that_time_out_open_the_breaker_and_any_answer_closes_it() {
        let gate = gate(100);
        let late = enter(&gate).unwrap();
        while let Ok(pass) = enter(&gate) {
            pass.end(Verdict::Timeout);
        }
        assert_eq!(gate.state().circuit, Circuit::Open);
        assert!(enter(&gate).unwrap_err().retry_after.is_some());
        late.end(Verdict::Unavailable);
        assert_eq!(gate.state().circuit, Circuit::Closed);
        assert!(enter(&gate).is_ok());
    }

    #[test]
    fn refused_call_gives_its_permit_back() {
        let gate = gate(100);
        while let Ok(pass) = enter(&gate) {
            pass.end(Verdict::Timeout);
        }
        assert!(enter(&gate).is_err());
        assert_eq!(gate.state().permits_free, 100);
    }

    #[test]
    fn hosts_own_calls_pass_a_full_gate_and_have_an_end_of_their_own() {
        let gate = gate(1);
        let _full = enter(&gate).unwrap();
        let health = || {
            gate.enter(
                Asked::Optional(Operation::Health),
                Subject::of(""),
                Sent::default(),
            )
        };
        let stuck: Vec<Lease> = (0..OWN)
            .map(|_| {
                let pass = health().unwrap();
                let lease = pass.lease();
                pass.end(Verdict::Timeout);
                lease
            })
            .collect();
        assert!(health().unwrap_err().detail.contains("the host's own"));
        assert_eq!(gate.state().stuck, 0, "of its users' calls");
        drop(stuck);
        assert!(health().is_ok());
    }

    #[test]
    fn call_that_is_given_up_is_no_timeout() {
        let gate = gate(100);
        for _ in 0..50 {
            drop(enter(&gate).unwrap());
        }
        assert_eq!(gate.state().circuit, Circuit::Closed);
    }

    #[test]
    fn shut_gate_refuses_every_call_and_says_so_to_probes() {
        let gate = gate(1);
        gate.shut();
        assert!(enter(&gate).unwrap_err().detail.contains("reload"));
        let health = Asked::Optional(Operation::Health);
        assert!(
            gate.enter(health, Subject::of(""), Sent::default())
                .is_err()
        );
        assert!(gate.state().refuses);
        assert_eq!(gate.state().permits_free, 1);
    }
}
