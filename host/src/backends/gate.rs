//! The gate in front of a backend: permits, the breaker, and the account of every call.
//!
//! A call is two things. [`Pass`] is the host's part, as long as somebody waits for the
//! answer; [`Flight`] is all of it, as long as anything of it runs in the plugin, and
//! holds the permit. A call that blocks past its time limit is aborted in vain: nobody
//! waits, but it flies on, and is *stuck*.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign_abi::Lease;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::breaker::{Admission, Breaker, Circuit};
use super::calls::{Asked, Calls, Verdict};
use super::outcome::Refused;
use super::secrets::{Secrets, Sent};

/// How long an outage should be waited out when nobody says.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(2);

/// The host's own calls in flight at once, whatever `concurrency` says.
const OWN: usize = 4;

/// What a backend is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// Where its breaker stands.
    pub circuit: Circuit,
    /// Calls are refused because of it. Not so when it waits for a call to probe.
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
    backend: String,
    most: usize,
    permits: Arc<Semaphore>,
    /// For the host's own calls.
    own: Arc<Semaphore>,
    stuck: AtomicUsize,
    breaker: Breaker,
    calls: Calls,
    secrets: Arc<Secrets>,
}

impl Gate {
    pub(super) fn new(backend: &str, concurrency: usize, secrets: Arc<Secrets>) -> Arc<Self> {
        let most = concurrency.min(Semaphore::MAX_PERMITS);
        let calls = Calls::of(backend);
        calls.circuit(Circuit::Closed);
        calls.permits_free(most);
        Arc::new(Gate {
            backend: backend.to_owned(),
            most,
            permits: Arc::new(Semaphore::new(most)),
            own: Arc::new(Semaphore::new(OWN)),
            stuck: AtomicUsize::new(0),
            breaker: Breaker::new(),
            calls,
            secrets,
        })
    }

    pub(super) fn state(&self) -> State {
        let permits_free = self.permits.available_permits();
        State {
            circuit: self.breaker.circuit(),
            refuses: self.breaker.refuses(Instant::now()),
            permits_free,
            in_flight: self.most.saturating_sub(permits_free),
            stuck: self.stuck.load(Ordering::Relaxed),
        }
    }

    /// Lets a call in, or says why not. What was sent is hidden in logs while it flies.
    pub(super) fn enter(self: &Arc<Self>, asked: Asked, sent: Sent) -> Result<Pass, Refused> {
        let begun = Instant::now();
        let admitted = if asked.is_control() {
            self.own_permit().map(|permit| (Admission::Normal, permit))
        } else {
            self.admit(begun)
        };
        let (admission, permit) =
            admitted.inspect_err(|_| self.calls.count(asked, Verdict::Rejected))?;
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

    fn admit(&self, now: Instant) -> Result<(Admission, OwnedSemaphorePermit), Refused> {
        // The permit first: a probe that finds none would have probed nothing.
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            return Err(Refused {
                detail: self.crowded(),
                retry_after: Some(RETRY_AFTER),
                ..Refused::default()
            });
        };
        let admission = self.breaker.admit(now).map_err(|wait| Refused {
            detail: "the breaker is open: the last calls all timed out".to_owned(),
            // Whole seconds are told; a second too early would be refused again.
            retry_after: Some(Duration::from_secs(wait.as_secs() + 1)),
            ..Refused::default()
        })?;
        if admission == Admission::Probe {
            self.calls.circuit(Circuit::HalfOpen);
            tracing::info!(
                backend = self.backend,
                "breaker half open: one call probes whether the backend answers again"
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

/// The host's part of a call. Dropped without an answer, the call was cancelled.
#[derive(Debug)]
pub(super) struct Pass {
    flight: Arc<Flight>,
    asked: Asked,
    begun: Instant,
    admission: Admission,
    verdict: Verdict,
}

impl Pass {
    /// What crosses with the call: the flight lasts until it comes back.
    pub(super) fn lease(&self) -> Lease {
        Lease::of(Arc::clone(&self.flight))
    }

    /// The call ended so.
    pub(super) fn end(mut self, verdict: Verdict) {
        self.verdict = verdict;
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let gate = &self.flight.gate;
        let now = Instant::now();
        gate.calls
            .record(self.asked, self.verdict, now - self.begun);
        if self.asked.is_control() {
            return;
        }
        if self.verdict.is_left_behind() {
            // Counted first: the flight's end, which takes it back, cannot be before ours.
            gate.stuck.fetch_add(1, Ordering::Relaxed);
            self.flight.abandoned.store(true, Ordering::Release);
        }
        match self.verdict {
            Verdict::Cancelled => {
                if gate.breaker.given_up(self.admission) {
                    gate.calls.circuit(Circuit::Open);
                }
            }
            Verdict::Timeout => {
                if let Some(pause) = gate.breaker.timed_out(self.admission, now) {
                    gate.calls.circuit(Circuit::Open);
                    let (backend, stuck) = (&gate.backend, gate.state().stuck);
                    let pause = humantime::format_duration(pause);
                    tracing::warn!(
                        backend,
                        stuck,
                        "breaker open: the last calls all timed out; the next is let through in {pause}"
                    );
                }
            }
            _ => {
                if gate.breaker.answered() {
                    gate.calls.circuit(Circuit::Closed);
                    let backend = &gate.backend;
                    tracing::info!(backend, "breaker closed: the backend answers again");
                }
            }
        }
    }
}

/// A call as long as anything of it is left, here or in the plugin.
#[derive(Debug)]
struct Flight {
    sent: u64,
    abandoned: AtomicBool,
    /// Some until the end.
    permit: Option<OwnedSemaphorePermit>,
    gate: Arc<Gate>,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.gate.secrets.forget(self.sent);
        drop(self.permit.take());
        self.gate
            .calls
            .permits_free(self.gate.permits.available_permits());
        if self.abandoned.load(Ordering::Acquire) {
            self.gate.stuck.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use countersign_abi::Operation;

    use super::*;

    fn gate(concurrency: usize) -> Arc<Gate> {
        Gate::new("b", concurrency, Arc::new(Secrets::none()))
    }

    fn enter(gate: &Arc<Gate>) -> Result<Pass, Refused> {
        gate.enter(Asked::CreateToken, Sent::default())
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
        let health = || gate.enter(Asked::Optional(Operation::Health), Sent::default());
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
}
