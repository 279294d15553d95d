//! A call on its way, which is two things. [`Pass`] is the host's part, as long as somebody
//! waits for the answer; [`Flight`] is all of it, as long as anything of it runs in the
//! plugin, and holds the permit. A call that blocks past its time limit is aborted in
//! vain: nobody waits, but it flies on, and is *stuck*.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use countersign_abi::Lease;
use tokio::sync::OwnedSemaphorePermit;

use super::breaker::{Admission, Circuit, Subject};
use super::calls::{Asked, Verdict};
use super::gate::Gate;

/// The host's part of a call. Dropped without an answer, the call was cancelled.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) flight: Arc<Flight>,
    pub(super) asked: Asked,
    pub(super) subject: Subject,
    pub(super) begun: Instant,
    pub(super) admission: Admission,
    pub(super) verdict: Verdict,
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
                if gate.breaker.given_up(self.admission, self.subject) {
                    gate.calls.circuit(Circuit::Open);
                }
            }
            Verdict::Timeout => {
                if let Some(pause) =
                    gate.breaker
                        .timed_out(self.admission, self.subject, self.begun, now)
                {
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
                if gate.breaker.answered(now) {
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
pub(super) struct Flight {
    pub(super) sent: u64,
    pub(super) abandoned: AtomicBool,
    /// Some until the end.
    pub(super) permit: Option<OwnedSemaphorePermit>,
    pub(super) gate: Arc<Gate>,
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
