//! What may be used once, by whichever host: codes, states of logins, assertions.

use super::{Store, StoreError, bounded, chores, on, seconds};

/// What was no good any more a day ago may come again.
const USE: &str = "INSERT INTO used (id, until) VALUES ($1, $2) ON CONFLICT (id) \
    DO UPDATE SET until = excluded.until WHERE used.until <= $3";

impl Store {
    /// Uses an id that is good until a time in seconds since 1970; false = it was used before.
    ///
    /// # Errors
    /// The store does not answer: whether it was used is not known, so it counts for nothing.
    pub async fn use_up(&self, id: &str, until: u64, now: u64) -> Result<bool, StoreError> {
        let over = seconds(now.saturating_sub(chores::MARGIN));
        let used = on!(self, pool => bounded(
            sqlx::query(USE).bind(id).bind(seconds(until)).bind(over).execute(pool)
        ).await.map(|done| done.rows_affected()))?;
        Ok(used > 0)
    }
}
