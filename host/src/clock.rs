//! The one place that reads the time of day.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970 (RFC 7519 NumericDate).
pub fn unix_now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
