//! The breaker: a backend whose last calls all timed out is not asked for a while, so
//! that clients get their 503 at once instead of after the time limit.
//!
//! ```text
//! closed ── TIMEOUTS in a row ──► open ── the pause is over ──► half open: one call probes
//!    ▲                             ▲ └──────── any answer ────────┐       │
//!    └──── any answer ─────────────┼──────────────────────────────┴───────┤
//!                                  └── the probe timed out: twice the pause┘
//! ```
//!
//! An answer is whatever the plugin says, a refusal or an outage of its own too: only
//! silence counts here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many time-outs with no answer between them open the breaker.
const TIMEOUTS: u32 = 5;

/// Time-outs further apart than this are no run.
const WINDOW: Duration = Duration::from_secs(60);

/// The first pause; each probe in vain doubles it.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Where a backend's breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Circuit {
    /// All is well: calls pass.
    Closed,
    /// One call probes whether the backend answers again; others are refused.
    HalfOpen,
    /// Calls are refused at once.
    Open,
}

impl Circuit {
    /// The name in logs and on pages.
    pub fn name(self) -> &'static str {
        match self {
            Circuit::Closed => "closed",
            Circuit::HalfOpen => "half_open",
            Circuit::Open => "open",
        }
    }
}

/// How a call may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// As one of many.
    Normal,
    /// As the one whose fate decides.
    Probe,
}

#[derive(Debug)]
pub(super) struct Breaker {
    /// False while nothing has timed out since the last answer: then no call takes the lock.
    alert: AtomicBool,
    run: Mutex<Run>,
}

#[derive(Debug)]
struct Run {
    circuit: Circuit,
    timeouts: u32,
    last: Instant,
    /// While open: when to probe.
    probe_at: Instant,
    pause: Duration,
}

impl Breaker {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Breaker {
            alert: AtomicBool::new(false),
            run: Mutex::new(Run {
                circuit: Circuit::Closed,
                timeouts: 0,
                last: now,
                probe_at: now,
                pause: PAUSE,
            }),
        }
    }

    pub(super) fn circuit(&self) -> Circuit {
        if !self.alert.load(Ordering::Acquire) {
            return Circuit::Closed;
        }
        self.run().circuit
    }

    /// Are calls refused now? An open breaker whose pause is over waits for a call to probe.
    pub(super) fn refuses(&self, now: Instant) -> bool {
        if !self.alert.load(Ordering::Acquire) {
            return false;
        }
        let run = self.run();
        match run.circuit {
            Circuit::Closed => false,
            Circuit::HalfOpen => true,
            Circuit::Open => now < run.probe_at,
        }
    }

    /// May a call pass? If not: when to try again.
    pub(super) fn admit(&self, now: Instant) -> Result<Admission, Duration> {
        if !self.alert.load(Ordering::Acquire) {
            return Ok(Admission::Normal);
        }
        let mut run = self.run();
        match run.circuit {
            Circuit::Closed => Ok(Admission::Normal),
            Circuit::Open if now >= run.probe_at => {
                run.circuit = Circuit::HalfOpen;
                Ok(Admission::Probe)
            }
            Circuit::Open => Err(run.probe_at - now),
            Circuit::HalfOpen => Err(run.pause),
        }
    }

    /// The backend answered. True: that closed the breaker.
    pub(super) fn answered(&self) -> bool {
        if !self.alert.load(Ordering::Acquire) {
            return false;
        }
        let mut run = self.run();
        let closed = run.circuit != Circuit::Closed;
        run.circuit = Circuit::Closed;
        run.timeouts = 0;
        run.pause = PAUSE;
        self.alert.store(false, Ordering::Release);
        closed
    }

    /// A call timed out. Some: that opened the breaker, for so long.
    pub(super) fn timed_out(&self, admission: Admission, now: Instant) -> Option<Duration> {
        let mut run = self.run();
        self.alert.store(true, Ordering::Release);
        if now.saturating_duration_since(run.last) > WINDOW {
            run.timeouts = 0;
        }
        run.timeouts = run.timeouts.saturating_add(1);
        run.last = now;
        let opens = match (run.circuit, admission) {
            (Circuit::Closed, _) => run.timeouts >= TIMEOUTS,
            (Circuit::HalfOpen, Admission::Probe) => {
                run.pause = (run.pause * 2).min(LONGEST_PAUSE);
                true
            }
            // Calls from before say nothing new.
            _ => false,
        };
        if !opens {
            return None;
        }
        run.circuit = Circuit::Open;
        run.probe_at = now + run.pause;
        Some(run.pause)
    }

    /// A call was given up before it could tell anything. True: it was the probe, the
    /// breaker is open again, and the next call may probe.
    pub(super) fn given_up(&self, admission: Admission) -> bool {
        if admission == Admission::Normal {
            return false;
        }
        let mut run = self.run();
        let reopened = run.circuit == Circuit::HalfOpen;
        if reopened {
            run.circuit = Circuit::Open;
        }
        reopened
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    fn opened(start: Instant) -> Breaker {
        let breaker = Breaker::new();
        for _ in 1..TIMEOUTS {
            assert_eq!(breaker.timed_out(Admission::Normal, start), None);
            assert_eq!(breaker.admit(start), Ok(Admission::Normal));
        }
        assert_eq!(breaker.timed_out(Admission::Normal, start), Some(PAUSE));
        breaker
    }

    #[test]
    fn timeouts_in_a_row_open_it_and_an_answer_starts_the_count_anew() {
        let now = Instant::now();
        let breaker = Breaker::new();
        for _ in 0..3 * TIMEOUTS {
            for _ in 1..TIMEOUTS {
                assert_eq!(breaker.timed_out(Admission::Normal, now), None);
            }
            assert!(!breaker.answered(), "it was never open");
        }
        assert_eq!(opened(now).circuit(), Circuit::Open);
    }

    #[test]
    fn timeouts_far_apart_never_open_it() {
        let start = Instant::now();
        let breaker = Breaker::new();
        for count in 0..u64::from(TIMEOUTS) * 2 {
            let now = after(start, count * (WINDOW.as_secs() + 1));
            assert_eq!(breaker.timed_out(Admission::Normal, now), None);
        }
    }

    #[test]
    fn open_breaker_refuses_until_the_pause_is_over_and_then_lets_one_call_probe() {
        let start = Instant::now();
        let breaker = opened(start);
        assert_eq!(breaker.admit(start), Err(PAUSE));
        let later = start + PAUSE;
        assert_eq!(breaker.admit(later), Ok(Admission::Probe));
        assert_eq!(breaker.circuit(), Circuit::HalfOpen);
        assert!(breaker.admit(later).is_err(), "one call probes");
        assert!(breaker.answered());
        assert_eq!(breaker.circuit(), Circuit::Closed);
        assert_eq!(breaker.admit(later), Ok(Admission::Normal));
    }

    #[test]
    fn probe_in_vain_doubles_the_pause_up_to_the_longest() {
        let start = Instant::now();
        let breaker = opened(start);
        let mut now = start;
        let mut pause = PAUSE;
        for _ in 0..10 {
            now += pause;
            assert_eq!(breaker.admit(now), Ok(Admission::Probe));
            // A call from before the breaker opened changes nothing.
            assert_eq!(breaker.timed_out(Admission::Normal, now), None);
            pause = (pause * 2).min(LONGEST_PAUSE);
            assert_eq!(breaker.timed_out(Admission::Probe, now), Some(pause));
        }
        assert_eq!(pause, LONGEST_PAUSE);
    }

    #[test]
    fn probe_that_is_given_up_lets_the_next_call_probe() {
        let start = Instant::now();
        let breaker = opened(start);
        let now = start + PAUSE;
        assert_eq!(breaker.admit(now), Ok(Admission::Probe));
        assert!(breaker.given_up(Admission::Probe));
        assert_eq!(breaker.admit(now), Ok(Admission::Probe));
    }

    #[test]
    fn late_answer_closes_an_open_breaker() {
        let start = Instant::now();
        let breaker = opened(start);
        assert!(breaker.answered());
        assert_eq!(breaker.admit(start), Ok(Admission::Normal));
    }
}
