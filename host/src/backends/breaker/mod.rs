//! The breaker: a backend whose last calls all timed out is not asked for a while, so
//! that clients get their 503 at once instead of after the time limit.
//!
//! ```text
//! closed ── TIMEOUTS in a row ──► open ── the pause is over ──► half open: a call probes
//!    ▲                             ▲ └──────── any answer ────────┐       │
//!    └──── any answer ─────────────┼──────────────────────────────┴───────┤
//!                                  └── the probe timed out: twice the pause┘
//! ```
//!
//! An answer is whatever the plugin says, a refusal or an outage of its own too: only
//! silence counts here. A call that timed out counts only if nobody was answered since it
//! began, and time-outs of one user alone open nothing: his login may hang for a reason of
//! his own. For the same reason his probe keeps no other user from probing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// So many time-outs with no answer between them open the breaker.
const TIMEOUTS: u32 = 5;

/// So many users may probe at once.
const PROBES: usize = 4;

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
    /// A few calls probe whether the backend answers again; others are refused.
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
    /// As one whose fate decides.
    Probe,
}

/// Whom a call is about, as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Subject(u64);

impl Subject {
    pub(super) fn of(who: &(impl Hash + ?Sized)) -> Self {
        let mut hasher = DefaultHasher::new();
        who.hash(&mut hasher);
        Subject(hasher.finish())
    }
}

#[derive(Debug)]
pub(super) struct Breaker {
    made: Instant,
    /// When it answered last: milliseconds since it was made, rounded up; 0 = never.
    answered: AtomicU64,
    /// False while nothing has timed out since the last answer: then no call takes the lock.
    alert: AtomicBool,
    run: Mutex<Run>,
}

#[derive(Debug)]
struct Run {
    circuit: Circuit,
    timeouts: u32,
    /// Of whom the first was.
    first: Option<Subject>,
    /// Were they of several?
    several: bool,
    last: Instant,
    /// While half open: who probes.
    probing: Vec<Subject>,
    /// While open: when to probe.
    probe_at: Instant,
    pause: Duration,
}

impl Breaker {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Breaker {
            made: now,
            answered: AtomicU64::new(0),
            alert: AtomicBool::new(false),
            run: Mutex::new(Run {
                circuit: Circuit::Closed,
                timeouts: 0,
                first: None,
                several: false,
                last: now,
                probing: Vec::new(),
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
    pub(super) fn admit(&self, subject: Subject, now: Instant) -> Result<Admission, Duration> {
        if !self.alert.load(Ordering::Acquire) {
            return Ok(Admission::Normal);
        }
        let mut run = self.run();
        match run.circuit {
            Circuit::Closed => Ok(Admission::Normal),
            Circuit::Open if now >= run.probe_at => {
                run.circuit = Circuit::HalfOpen;
                run.probing = vec![subject];
                Ok(Admission::Probe)
            }
            Circuit::HalfOpen if run.probing.len() < PROBES && !run.probing.contains(&subject) => {
                run.probing.push(subject);
                Ok(Admission::Probe)
            }
            Circuit::Open => Err(run.probe_at - now),
            Circuit::HalfOpen => Err(run.pause),
        }
    }

    /// The backend answered. True: that closed the breaker.
    pub(super) fn answered(&self, now: Instant) -> bool {
        let at = now.saturating_duration_since(self.made).as_millis() + 1;
        let at = u64::try_from(at).unwrap_or(u64::MAX);
        self.answered.fetch_max(at, Ordering::AcqRel);
        if !self.alert.load(Ordering::Acquire) {
            return false;
        }
        let mut run = self.run();
        let closed = run.circuit != Circuit::Closed;
        run.circuit = Circuit::Closed;
        run.forget();
        run.pause = PAUSE;
        self.alert.store(false, Ordering::Release);
        closed
    }

    /// A call about this subject timed out. Some: that opened the breaker, for so long.
    pub(super) fn timed_out(
        &self,
        admission: Admission,
        subject: Subject,
        begun: Instant,
        now: Instant,
    ) -> Option<Duration> {
        let mut run = self.run();
        if run.circuit == Circuit::Closed && self.answered_since(begun) {
            return None;
        }
        self.alert.store(true, Ordering::Release);
        if now.saturating_duration_since(run.last) > WINDOW {
            run.forget();
        }
        run.timeouts = run.timeouts.saturating_add(1);
        run.several |= *run.first.get_or_insert(subject) != subject;
        run.last = now;
        let opens = match (run.circuit, admission) {
            (Circuit::Closed, _) => run.timeouts >= TIMEOUTS && run.several,
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

    /// A call was given up before it could tell anything. True: it was the last probe, the
    /// breaker is open again, and the next call may probe.
    pub(super) fn given_up(&self, admission: Admission, subject: Subject) -> bool {
        if admission == Admission::Normal {
            return false;
        }
        let mut run = self.run();
        run.probing.retain(|probing| *probing != subject);
        let reopened = run.circuit == Circuit::HalfOpen && run.probing.is_empty();
        if reopened {
            run.circuit = Circuit::Open;
        }
        reopened
    }

    /// Was anybody answered after this moment?
    fn answered_since(&self, moment: Instant) -> bool {
        let at = self.answered.load(Ordering::Acquire);
        self.made + Duration::from_millis(at) > moment
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run {
    /// No time-outs in a row.
    fn forget(&mut self) {
        self.timeouts = 0;
        self.first = None;
        self.several = false;
    }
}

#[cfg(test)]
mod tests;
