//! How fast a plugin may speak: so many lines a second, more for a moment.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines a second, in the long run.
pub(super) const A_SECOND: u32 = 100;

/// Lines at once, after a silence.
const AT_ONCE: u32 = 500;

/// That lines were dropped is told so often at most.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// A bucket of lines that fills again.
#[derive(Debug)]
pub(super) struct Flood(Mutex<Bucket>);

#[derive(Debug)]
struct Bucket {
    left: f64,
    filled: Instant,
    dropped: u64,
    told: Instant,
}

impl Flood {
    pub(super) fn new(now: Instant) -> Self {
        Flood(Mutex::new(Bucket {
            left: f64::from(AT_ONCE),
            filled: now,
            dropped: 0,
            told: now,
        }))
    }

    /// May a line pass? If so: how many were dropped that should be told of now.
    pub(super) fn admit(&self, now: Instant) -> Option<u64> {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.left = (bucket.left + since * f64::from(A_SECOND)).min(f64::from(AT_ONCE));
        bucket.filled = bucket.filled.max(now);
        if bucket.left < 1.0 {
            bucket.dropped += 1;
            return None;
        }
        bucket.left -= 1.0;
        if bucket.dropped == 0 || now.saturating_duration_since(bucket.told) < TOLD_EVERY {
            return Some(0);
        }
        bucket.told = now;
        Some(std::mem::take(&mut bucket.dropped))
    }

    /// What was dropped and not told of yet.
    pub(super) fn rest(&self) -> u64 {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut bucket.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_beyond_the_burst_are_dropped_and_told_once() {
        let start = Instant::now();
        let flood = Flood::new(start);
        let passed = (0..2_000).filter(|_| flood.admit(start).is_some()).count();
        assert_eq!(passed, 500);
        let later = start + TOLD_EVERY;
        assert_eq!(flood.admit(later), Some(1_500));
        assert_eq!(flood.admit(later), Some(0));
        assert_eq!(flood.rest(), 0);
    }

    #[test]
    fn steady_lines_within_the_rate_all_pass() {
        let start = Instant::now();
        let flood = Flood::new(start);
        for line in 0..10_000 {
            let now = start + Duration::from_millis(line * 1_000 / u64::from(A_SECOND));
            assert_eq!(flood.admit(now), Some(0), "{line}");
        }
    }
}
