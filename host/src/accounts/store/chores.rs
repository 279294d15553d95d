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

const FORGET: [&str; 4] = [
    "DELETE FROM used WHERE until <= $1",
    "DELETE FROM revoked WHERE until <= $1",
    // The newest one keeps the count.
    "DELETE FROM changes WHERE at <= $1 AND seq < (SELECT MAX(seq) FROM changes)",
    "DELETE FROM leases WHERE until <= $1",
];

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
        if let Err(error) = store.round(clock::unix_now()).await {
            tracing::warn!(%error, "the store could not be tidied up; the next minute it is tried again");
        }
    }
}

impl Store {
    /// One round.
    pub(super) async fn round(&self, now: u64) -> Result<(), StoreError> {
        self.write_touched().await?;
        self.revoked.forget(now.saturating_sub(MARGIN));
        if !self.is_shared() || self.lease("chores", LEASE).await? {
            let before = seconds(now.saturating_sub(MARGIN));
            for query in FORGET {
                on!(self, pool => bounded(
                    sqlx::query(query).bind(before).execute(pool)
                ).await.map(drop))?;
            }
        }
        Ok(())
    }
}
