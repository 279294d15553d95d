//! Whether the store is in sight. Who does not see it goes on from what he remembers, but not
//! for ever: what was revoked since, he does not know.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Store, StoreError};
use crate::metering;

/// Not seen for so long, it counts as out of sight: a moment's pause is none.
const PAUSE: Duration = Duration::from_secs(3);

/// When the store was seen last.
#[derive(Debug)]
pub(super) struct Sight {
    begun: Instant,
    /// Milliseconds after `begun`; the highest value = nobody watches, it is taken for granted.
    seen: AtomicU64,
    /// Was its loss told?
    told: AtomicBool,
    /// Why it is out of sight.
    reason: Mutex<String>,
    /// The longest time for which tokens are made without it, in milliseconds.
    bound: AtomicU64,
}

const GRANTED: u64 = u64::MAX;

/// A store that is out of sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// For how long.
    pub since: Duration,
    /// For how long tokens are made nonetheless; zero = no longer.
    pub left: Duration,
    /// Why.
    pub reason: String,
}

impl Default for Sight {
    fn default() -> Self {
        Sight {
            begun: Instant::now(),
            seen: AtomicU64::new(GRANTED),
            told: AtomicBool::new(false),
            reason: Mutex::default(),
            bound: AtomicU64::new(u64::MAX),
        }
    }
}

impl Store {
    /// `store.outage`: tokens are made for so long while the store is out of sight.
    pub fn bound_outages(&self, bound: Duration) {
        self.sight.bound.store(millis(bound), Ordering::Relaxed);
    }

    /// Is it out of sight? A file in the state folder never is.
    pub fn outage(&self) -> Option<Outage> {
        let since = self.sight.unseen();
        (since > PAUSE).then(|| Outage {
            since,
            left: self.sight.bound().saturating_sub(since),
            reason: self.sight.reason().clone(),
        })
    }

    /// Has it been out of sight for too long, so that no tokens may be made? For how long, then?
    pub fn lost(&self) -> Option<Duration> {
        let since = self.sight.unseen();
        (since > self.sight.bound().max(PAUSE)).then_some(since)
    }
}

impl Sight {
    /// How long ago it was seen.
    pub(super) fn unseen(&self) -> Duration {
        match self.seen.load(Ordering::Relaxed) {
            GRANTED => Duration::ZERO,
            seen => self
                .begun
                .elapsed()
                .saturating_sub(Duration::from_millis(seen)),
        }
    }

    /// It is in sight.
    pub(super) fn see(&self) {
        let now = millis(self.begun.elapsed());
        self.seen.store(now, Ordering::Relaxed);
        if self.told.swap(false, Ordering::Relaxed) {
            tracing::info!("the store is in sight again");
            metering::store_regained();
        }
    }

    /// It is not; the log is told once, and not of a moment.
    pub(super) fn lose(&self, error: &StoreError) {
        let _ = self.seen.compare_exchange(
            GRANTED,
            millis(self.begun.elapsed()),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        *self.reason() = error.to_string();
        if self.unseen() > PAUSE && !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %error,
                "the store is out of sight: tokens are made from what is remembered, within store.outage"
            );
        }
    }

    fn bound(&self) -> Duration {
        Duration::from_millis(self.bound.load(Ordering::Relaxed))
    }

    fn reason(&self) -> std::sync::MutexGuard<'_, String> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_that_nobody_watches_is_in_sight() {
        let sight = Sight::default();
        assert_eq!(sight.unseen(), Duration::ZERO);
    }

    #[test]
    fn loss_counts_from_when_it_was_seen_last() {
        let sight = Sight {
            begun: Instant::now() - Duration::from_secs(100),
            ..Sight::default()
        };
        sight.lose(&StoreError::Lost);
        assert!(
            sight.unseen() < Duration::from_secs(50),
            "never seen: from now on"
        );
        sight.seen.store(10_000, Ordering::Relaxed);
        sight.lose(&StoreError::Lost);
        assert!(sight.unseen() >= Duration::from_secs(90));
        sight.see();
        assert!(sight.unseen() < Duration::from_secs(50));
    }
}
