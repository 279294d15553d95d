//! A backend's calls of the last hour, for people who look: how many ended how, by the minute,
//! and what went wrong last. In memory; a reload takes it over.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use super::calls::{Asked, VERDICTS, Verdict};
use super::printable::printable;
use crate::clock;

/// So many minutes are remembered.
pub const MINUTES: usize = 60;

/// Characters of a failure's text.
const LONGEST: usize = 500;

/// The calls of a backend, lately.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Account>);

#[derive(Debug, Default)]
struct Account {
    /// The oldest first; minutes without a call are missing.
    minutes: VecDeque<Minute>,
    failure: Option<LastFailure>,
}

/// The calls of one minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minute {
    /// Minutes since 1970.
    pub at: u64,
    counts: [u32; VERDICTS.len()],
}

/// What went wrong last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFailure {
    /// Seconds since 1970.
    pub at: u64,
    /// What it was asked, such as `create_token`.
    pub operation: &'static str,
    /// Why it failed; no secrets of the configuration nor of the request.
    pub text: String,
}

impl Minute {
    fn empty(at: u64) -> Self {
        Minute {
            at,
            counts: [0; VERDICTS.len()],
        }
    }

    /// How many calls ended so, by the outcomes' names as `/metrics` has them.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let names = VERDICTS.iter().map(|(_, name)| *name);
        names.zip(self.counts.iter().copied())
    }
}

impl Recent {
    /// A call ended so. The host's own calls do not count.
    pub(super) fn count(&self, asked: Asked, verdict: Verdict) {
        if !asked.is_control() {
            self.count_at(verdict, clock::unix_now() / 60);
        }
    }

    fn count_at(&self, verdict: Verdict, minute: u64) {
        let mut account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minutes = &mut account.minutes;
        // A clock that was set back counts on where it was.
        if minutes.back().is_none_or(|last| last.at < minute) {
            if minutes.len() == MINUTES {
                minutes.pop_front();
            }
            minutes.push_back(Minute::empty(minute));
        }
        if let Some(last) = minutes.back_mut() {
            let count = &mut last.counts[verdict as usize];
            *count = count.saturating_add(1);
        }
    }

    /// A call failed, for this reason, which may be logged.
    pub(super) fn failed(&self, asked: Asked, reason: &str) {
        let failure = LastFailure {
            at: clock::unix_now(),
            operation: asked.name(),
            text: printable(reason).chars().take(LONGEST).collect(),
        };
        let mut account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        account.failure = Some(failure);
    }

    /// What was remembered of the instance before it.
    pub(super) fn take_over(&self, before: &Recent) {
        let before = before.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (minutes, failure) = (before.minutes.clone(), before.failure.clone());
        drop(before);
        let mut account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = std::mem::replace(&mut account.minutes, minutes);
        account.minutes.extend(own);
        if account.failure.is_none() {
            account.failure = failure;
        }
    }

    /// The last hour's minutes until now, the oldest first, the empty ones too.
    pub(super) fn minutes(&self, now: u64) -> Vec<Minute> {
        let account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = now / 60;
        let hour = last.saturating_sub(MINUTES as u64 - 1)..=last;
        hour.map(|at| {
            let mut minute = Minute::empty(at);
            // After a reload a minute may be there twice.
            for known in account.minutes.iter().filter(|known| known.at == at) {
                for (sum, count) in minute.counts.iter_mut().zip(known.counts) {
                    *sum = sum.saturating_add(count);
                }
            }
            minute
        })
        .collect()
    }

    /// What went wrong last.
    pub(super) fn failure(&self) -> Option<LastFailure> {
        let account = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        account.failure.clone()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn denied(minutes: &[Minute]) -> Vec<u32> {
        let denied = |minute: &Minute| minute.counts().find(|(name, _)| *name == "denied");
        minutes.iter().map(|it| denied(it).unwrap().1).collect()
    }

    #[test]
    fn last_hour_is_told_by_the_minute_and_what_is_older_is_forgotten() {
        let recent = Recent::default();
        for minute in 0..200 {
            for _ in 0..minute % 3 {
                recent.count_at(Verdict::Denied, minute);
            }
        }
        let told = recent.minutes(199 * 60 + 59);
        assert_eq!(told.len(), MINUTES);
        assert_eq!(told.last().unwrap().at, 199);
        let expected: Vec<u32> = (140..200).map(|minute| minute % 3).collect();
        assert_eq!(denied(&told), expected);
        assert!(recent.0.lock().unwrap().minutes.len() <= MINUTES);
        assert_eq!(denied(&recent.minutes(400 * 60)), [0; MINUTES]);
    }

    #[test]
    fn reload_takes_over_what_was_counted_before() {
        let (before, after) = (Recent::default(), Recent::default());
        before.count_at(Verdict::Denied, 100);
        before.failed(Asked::CreateToken, "a\nb");
        after.count_at(Verdict::Denied, 100);
        after.take_over(&before);
        assert_eq!(denied(&after.minutes(6_000)).last(), Some(&2));
        let failure = after.failure().unwrap();
        assert_eq!(failure.operation, "create_token");
        assert!(!failure.text.contains('\n'), "{failure:?}");
    }
}
