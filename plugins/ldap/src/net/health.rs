//! What is remembered of a server's failures, so that not every login finds out anew.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A server that failed is put aside for so long,
const FIRST: Duration = Duration::from_secs(30);
/// twice as long after each further failure, and never longer than this.
const LONGEST: Duration = Duration::from_secs(300);

/// A server's memory.
#[derive(Default)]
pub(super) struct Health(Mutex<State>);

#[derive(Default)]
struct State {
    failures: u32,
    /// Aside until then.
    until: Option<Instant>,
    /// Somebody is finding out whether it is back.
    probing: bool,
    /// Attempts to connect that are under way,
    attempts: usize,
    /// and somebody has lost patience with them.
    slow: bool,
}

/// What to do with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advice {
    /// Use it.
    Use,
    /// Not now.
    Aside,
    /// Not now, but it is time for one to look whether it is back.
    Probe,
}

impl Health {
    /// Said to each login; `Probe` to one only.
    pub(super) fn advice(&self, now: Instant) -> Advice {
        let mut state = self.lock();
        match state.until {
            None if state.slow => Advice::Aside,
            None => Advice::Use,
            Some(until) if now >= until && !state.probing => {
                state.probing = true;
                Advice::Probe
            }
            Some(_) => Advice::Aside,
        }
    }

    /// Neither aside nor slow.
    pub(super) fn is_up(&self) -> bool {
        let state = self.lock();
        state.until.is_none() && !state.slow
    }

    /// It answered. True: it was aside until now.
    pub(super) fn is_back(&self) -> bool {
        let mut state = self.lock();
        let was_aside = state.until.is_some();
        let attempts = state.attempts;
        *state = State {
            attempts,
            ..State::default()
        };
        was_aside
    }

    /// It failed. Says for how long it is aside, unless it is already.
    pub(super) fn failed(&self, now: Instant) -> Option<Duration> {
        let mut state = self.lock();
        let was_probe = std::mem::take(&mut state.probing);
        if state.until.is_some_and(|until| now < until) && !was_probe {
            return None;
        }
        let pause = FIRST * 2_u32.saturating_pow(state.failures.min(8));
        let pause = pause.min(LONGEST);
        state.failures = state.failures.saturating_add(1);
        state.until = Some(now + pause);
        Some(pause)
    }

    /// Begins an attempt to connect.
    pub(super) fn begin(&self) -> Attempt<'_> {
        let mut state = self.lock();
        state.attempts += 1;
        Attempt {
            health: self,
            is_first: state.attempts == 1,
        }
    }

    /// One attempt takes long: others go elsewhere meanwhile.
    pub(super) fn is_slow(&self) {
        self.lock().slow = true;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt to connect, until it is dropped.
pub(super) struct Attempt<'a> {
    health: &'a Health,
    /// No other was under way.
    pub(super) is_first: bool,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let mut state = self.health.lock();
        state.attempts -= 1;
        if state.attempts == 0 {
            state.slow = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_grows_and_one_probes() {
        let health = Health::default();
        let mut now = Instant::now();
        assert_eq!(health.advice(now), Advice::Use);
        let mut pauses = Vec::new();
        for _ in 0..5 {
            let pause = health.failed(now).unwrap_or_default();
            pauses.push(pause.as_secs());
            assert_eq!(health.failed(now), None, "a second failure tells nothing");
            assert_eq!(health.advice(now), Advice::Aside);
            now += pause;
            assert_eq!(health.advice(now), Advice::Probe);
            assert_eq!(health.advice(now), Advice::Aside, "one probe at a time");
        }
        assert_eq!(pauses, [30, 60, 120, 240, 300]);
        assert!(health.is_back());
        assert_eq!(health.advice(now), Advice::Use);
        assert_eq!(health.failed(now), Some(FIRST), "forgiven");
    }

    #[test]
    fn slow_attempt_sends_others_away_until_it_ends() {
        let health = Health::default();
        let first = health.begin();
        assert!(first.is_first && !health.begin().is_first);
        health.is_slow();
        assert_eq!(health.advice(Instant::now()), Advice::Aside);
        drop(first);
        assert_eq!(health.advice(Instant::now()), Advice::Use);
    }
}
