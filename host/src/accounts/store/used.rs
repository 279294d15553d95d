//! What may be used once, by whichever host: codes, states of logins, assertions.

use super::{Store, StoreError, bounded, on, seconds};

const USE: &str = "INSERT INTO used (id, until) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING";

const FORGET: &str = "DELETE FROM used WHERE until <= $1";

impl Store {
    /// Uses an id that is good until a time in seconds since 1970; false = it was used before.
    pub async fn use_up(&self, id: &str, until: u64, now: u64) -> Result<bool, StoreError> {
        let used = on!(self, pool => bounded(
            sqlx::query(USE).bind(id).bind(seconds(until)).execute(pool)
        ).await.map(|done| done.rows_affected()))?;
        if used > 0 && now.is_multiple_of(64) {
            self.forget_used(now).await?;
        }
        Ok(used > 0)
    }

    /// Forgets what is no good any more.
    async fn forget_used(&self, now: u64) -> Result<(), StoreError> {
        on!(self, pool => bounded(
            sqlx::query(FORGET).bind(seconds(now)).execute(pool)
        ).await.map(drop))
    }
}
