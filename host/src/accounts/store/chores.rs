//! What is done once a minute: writing what was touched, and forgetting what is no good any
//! more. One host forgets for all.

use std::sync::Weak;
use std::time::Duration;

use tokio::time::sleep;

use super::{Store, StoreError, bounded, on, seconds};
use crate::clock;

/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(60);

/// Who forgets for all does so for several rounds.
const LEASE: Duration = Duration::from_secs(150);

/// The clocks of hosts differ, and verifiers are lenient: nothing is forgotten at its very end.
/// In seconds.
pub(super) const MARGIN: u64 = 24 * 3_600;

/// By the database's clock: a host whose own is wrong forgets nothing for the others.
macro_rules! forget {
    ($now:literal) => {
        [
            concat!("DELETE FROM used WHERE until <= ", $now, " - $1"),
            concat!("DELETE FROM revoked WHERE until <= ", $now, " - $1"),
            concat!("DELETE FROM derived WHERE until <= ", $now, " - $1"),
            // The newest one keeps the count.
            concat!(
                "DELETE FROM changes WHERE at <= ",
                $now,
                " - $1 AND seq < (SELECT MAX(seq) FROM changes)"
            ),
            concat!("DELETE FROM leases WHERE until <= ", $now, " - $1"),
        ]
    };
}

const FORGET_SQLITE: [&str; 5] = forget!("CAST(strftime('%s', 'now') AS INTEGER)");

const FORGET_POSTGRES: [&str; 5] = forget!("EXTRACT(EPOCH FROM clock_timestamp())::bigint");

/// Does them as long as somebody holds the store.
pub(super) async fn chores(store: Weak<Store>) {
    loop {
        sleep(PAUSE).await;
        let Some(store) = store.upgrade().filter(|store| !store.is_closed()) else {
            return;
        };
        if store.outage().is_some() {
            continue;
        }
        if let Err(error) = store.tidy_up(clock::unix_now()).await {
            tracing::warn!(%error, "the store could not be tidied up; the next minute it is tried again");
        }
    }
}

impl Store {
    /// One round; `now` is this host's own clock, for its own memory.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn tidy_up(&self, now: u64) -> Result<(), StoreError> {
        self.write_touched().await?;
        self.revoked.forget(now.saturating_sub(MARGIN));
        if !self.is_shared() || self.lease("chores", LEASE).await? {
            let queries = match self.is_shared() {
                true => FORGET_POSTGRES,
                false => FORGET_SQLITE,
            };
            for query in queries {
                on!(self, pool => bounded(
                    sqlx::query(query).bind(seconds(MARGIN)).execute(pool)
                ).await.map(drop))?;
            }
        }
        Ok(())
    }
}
