//! What is done once a minute: writing what was touched, and forgetting what is no good any
//! more. One host forgets for all.

use std::sync::Weak;
use std::time::Duration;

use tokio::time::sleep;

use super::{Store, StoreError, bounded, on, seconds};
use crate::accounts::lasting::{SEEDED, SEEDER};
use crate::clock;

/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(60);

/// Who forgets for all does so for several rounds.
const LEASE: Duration = Duration::from_secs(150);

/// The clocks of hosts differ, and verifiers are lenient: nothing is forgotten at its very end.
/// In seconds.
pub(super) const MARGIN: u64 = 24 * 3_600;

/// Of a token whose time is over, or that was revoked, what it was is told for so long. In
/// seconds.
const TOLD: u64 = 30 * 24 * 3_600;

/// A device that is too late is told so for so long. In seconds.
const LATE: u64 = 3_600;

/// Rows of one statement: each has its limit, however much there is to forget.
const AT_ONCE: i64 = 5_000;

/// Statements of one round for one kind of rows; what is left waits for the next.
const STATEMENTS: usize = 100;

/// What is no good any more.
struct Over {
    table: &'static str,
    /// What its rows are named by.
    key: &'static str,
    /// Which rows; `{past}` is the time before which they are to have ended.
    which: &'static str,
    /// Seconds from their end on for which they stay.
    stay: u64,
}

const fn over(table: &'static str, key: &'static str, which: &'static str) -> Over {
    Over {
        table,
        key,
        which,
        stay: MARGIN,
    }
}

/// All of it.
const OVER: [Over; 10] = [
    over("used", "id", "until <= {past}"),
    over("revoked", "id", "until <= {past}"),
    over("derived", "id", "until <= {past}"),
    over("leases", "name", "until <= {past}"),
    Over {
        table: "devices",
        key: "hash",
        which: "expires_at <= {past}",
        stay: LATE,
    },
    // The newest one keeps the count.
    over(
        "changes",
        "seq",
        "at <= {past} AND seq < (SELECT MAX(seq) FROM changes)",
    ),
    over(
        "refresh_tokens",
        "hash",
        "expires_at <= {past} AND access_until <= {past}",
    ),
    over(
        "grants",
        "id",
        "ends_at <= {past} AND NOT EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.grant_id = grants.id)",
    ),
    Over {
        table: "tokens",
        key: "id",
        which: "expires_at <= {past} AND (revoked_at IS NULL OR revoked_at <= {past}) AND NOT {seeded}",
        stay: TOLD,
    },
    // Unlimited ones.
    Over {
        table: "tokens",
        key: "id",
        which: "expires_at IS NULL AND revoked_at <= {past} AND NOT {seeded}",
        stay: TOLD,
    },
];

impl Over {
    /// By the database's clock: a host whose own is wrong forgets nothing for the others. In a
    /// query of its own, so that it is asked once and an index serves.
    fn statement(&self, is_shared: bool) -> String {
        let past = match is_shared {
            true => "(SELECT EXTRACT(EPOCH FROM clock_timestamp())::bigint - $1)",
            false => "(SELECT CAST(strftime('%s', 'now') AS INTEGER) - $1)",
        };
        let seeded = format!(
            "(created_by = '{SEEDER}' AND name = '{SEEDED}' AND EXISTS (SELECT 1 FROM bots WHERE bots.id = tokens.owner))"
        );
        let which = self.which.replace("{past}", past);
        let which = which.replace("{seeded}", &seeded);
        let Over { table, key, .. } = self;
        format!(
            "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {which} LIMIT $2)"
        )
    }
}

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
            for over in &OVER {
                self.forget_over(over).await?;
            }
        }
        Ok(())
    }

    async fn forget_over(&self, over: &Over) -> Result<(), StoreError> {
        let statement = over.statement(self.is_shared());
        for _ in 0..STATEMENTS {
            let gone = on!(self, pool => bounded(
                sqlx::query(sqlx::AssertSqlSafe(statement.as_str()))
                    .bind(seconds(over.stay)).bind(AT_ONCE)
                    .execute(pool)
            ).await.map(|done| done.rows_affected()))?;
            if gone < AT_ONCE.unsigned_abs() {
                break;
            }
        }
        Ok(())
    }
}
