//! The time, which is always a parameter: tests choose it.

use std::time::{SystemTime, UNIX_EPOCH};

/// A point in time: of whole seconds since 1970, or of the system's clock, which counts
/// intervals of a cache below a second, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    millis: u64,
}

impl Now {
    /// Seconds since 1970: what claims are held against.
    pub fn seconds(self) -> u64 {
        self.millis / 1_000
    }

    pub(crate) fn millis(self) -> u64 {
        self.millis
    }
}

impl From<u64> for Now {
    fn from(seconds: u64) -> Now {
        Now {
            millis: seconds.saturating_mul(1_000),
        }
    }
}

impl From<SystemTime> for Now {
    fn from(time: SystemTime) -> Now {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            millis: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
        }
    }
}
