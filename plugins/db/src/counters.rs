//! Log-in statistics, written after the answer by one task behind a bounded
//! queue: a lock, a full disk or a missing grant never changes an outcome.

use std::time::Duration;

use countersign_sdk::Cx;
use sqlx::sqlite::SqlitePool;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};

/// Logins whose statistics may wait: far more than one busy timeout of logins.
const WAITING: usize = 1024;
/// Logins written in one transaction.
const BATCH: usize = 64;
/// How long a shutdown waits for what is left.
const FLUSH: Duration = Duration::from_secs(3);

const SUCCESS: &str = "
    UPDATE ab_user
    SET login_count = COALESCE(login_count, 0) + 1, last_login = $2, fail_login_count = 0
    WHERE id = $1";

const FAILURE: &str =
    "UPDATE ab_user SET fail_login_count = COALESCE(fail_login_count, 0) + 1 WHERE id = $1";

/// The queue to the task that writes.
pub(crate) struct Counters {
    queue: mpsc::Sender<Entry>,
}

enum Entry {
    Success { id: i64, at: OffsetDateTime },
    Failure { id: i64 },
    Flush(oneshot::Sender<()>),
}

impl Counters {
    /// Starts the task; it ends when this is dropped.
    pub(crate) fn start(cx: &Cx, pool: SqlitePool) -> Self {
        let (queue, entries) = mpsc::channel(WAITING);
        cx.spawn(write(pool, entries));
        Counters { queue }
    }

    /// This user has logged in now.
    pub(crate) fn success(&self, id: i64) {
        let at = OffsetDateTime::now_utc();
        self.record(Entry::Success { id, at });
    }

    /// This user's password was wrong.
    pub(crate) fn failure(&self, id: i64) {
        self.record(Entry::Failure { id });
    }

    fn record(&self, entry: Entry) {
        if self.queue.try_send(entry).is_err() {
            tracing::debug!("the queue of log-in statistics is full: one login is not counted");
        }
    }

    /// Waits, for a short while, until everything recorded so far is written.
    pub(crate) async fn flush(&self) {
        let (done, waiting) = oneshot::channel();
        let flush = async {
            if self.queue.send(Entry::Flush(done)).await.is_ok() {
                let _ = waiting.await;
            }
        };
        if tokio::time::timeout(FLUSH, flush).await.is_err() {
            tracing::warn!("log-in statistics were not written in time and are lost");
        }
    }
}

async fn write(pool: SqlitePool, mut entries: mpsc::Receiver<Entry>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut failing = false;
    while entries.recv_many(&mut batch, BATCH).await > 0 {
        let written = write_batch(&pool, &batch).await;
        if let (Err(error), false) = (&written, failing) {
            tracing::warn!(%error, "log-in statistics could not be written; logins go on");
        }
        failing = written.is_err();
        for entry in batch.drain(..) {
            if let Entry::Flush(done) = entry {
                let _ = done.send(());
            }
        }
    }
}

/// The additions are SQL's, so that none is lost beside other writers.
async fn write_batch(pool: &SqlitePool, batch: &[Entry]) -> sqlx::Result<()> {
    if batch.iter().all(|entry| matches!(entry, Entry::Flush(_))) {
        return Ok(());
    }
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    for entry in batch {
        let update = match entry {
            Entry::Success { id, at } => sqlx::query(SUCCESS).bind(id).bind(stamp(*at)),
            Entry::Failure { id } => sqlx::query(FAILURE).bind(id),
            Entry::Flush(_) => continue,
        };
        update.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// A time as SQLAlchemy stores it in SQLite; UTC.
pub(crate) fn stamp(at: OffsetDateTime) -> String {
    let (date, (hour, minute, second, micro)) = (at.date(), at.time().as_hms_micro());
    format!("{date} {hour:02}:{minute:02}:{second:02}.{micro:06}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn stamp_is_what_sqlalchemy_reads() {
        let at = OffsetDateTime::from_unix_timestamp_nanos(1_790_000_000_000_042_000).unwrap();
        assert_eq!(stamp(at), "2026-09-21 14:13:20.000042");
    }
}
