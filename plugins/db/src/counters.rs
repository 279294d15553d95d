//! What a login leaves behind, log-in statistics above all, written after the answer by
//! one task behind a bounded queue: a lock, a full disk or a missing grant never changes
//! an outcome.

use std::time::Duration;

use countersign_sdk::Cx;
use time::OffsetDateTime;
use tokio::sync::{mpsc, oneshot};

use crate::rehash::Rehash;
use crate::sql::{Dialect, Pool, with};

/// Logins whose statistics may wait: far more than one busy timeout of logins.
const WAITING: usize = 1024;
/// Logins written in one transaction.
const BATCH: usize = 64;
/// How long a shutdown waits for what is left.
const FLUSH: Duration = Duration::from_secs(3);

/// An id that no row has.
const NOBODY: i64 = -1;

const FAILURE: &str =
    "UPDATE ab_user SET fail_login_count = COALESCE(fail_login_count, 0) + 1 WHERE id = :id";

/// The queue to the task that writes.
pub(crate) struct Counters {
    queue: mpsc::Sender<Entry>,
}

enum Entry {
    Success { id: i64, at: OffsetDateTime },
    Failure { id: i64 },
    Rehash(Box<Rehash>),
    Flush(oneshot::Sender<()>),
}

impl Counters {
    /// Starts the task; it ends when this is dropped.
    pub(crate) fn start(cx: &Cx, pool: Pool) -> Self {
        let (queue, entries) = mpsc::channel(WAITING);
        cx.spawn(write(cx.clone(), pool, entries));
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

    /// Nobody's password was wrong: the same work, so that its time tells nothing.
    pub(crate) fn nobody(&self) {
        self.failure(NOBODY);
    }

    /// This password is to be hashed anew.
    pub(crate) fn rehash(&self, rehash: Rehash) {
        self.record(Entry::Rehash(Box::new(rehash)));
    }

    fn record(&self, entry: Entry) {
        if self.queue.try_send(entry).is_err() {
            tracing::debug!("the queue of log-in statistics is full: one entry is lost");
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

async fn write(cx: Cx, pool: Pool, mut entries: mpsc::Receiver<Entry>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut failing = false;
    while entries.recv_many(&mut batch, BATCH).await > 0 {
        let written = write_batch(&pool, &batch).await;
        if let (Err(error), false) = (&written, failing) {
            tracing::warn!(%error, "log-in statistics could not be written; logins go on");
        }
        failing = written.is_err();
        for entry in batch.drain(..) {
            match entry {
                Entry::Rehash(rehash) => rehash.run(&cx, &pool).await,
                Entry::Flush(done) => drop(done.send(())),
                Entry::Success { .. } | Entry::Failure { .. } => {}
            }
        }
    }
}

/// The additions are SQL's, so that none is lost beside other writers. All writers
/// take the rows in one order, so that no two wait for each other.
async fn write_batch(pool: &Pool, batch: &[Entry]) -> sqlx::Result<()> {
    let mut logins: Vec<(i64, Option<OffsetDateTime>)> = batch
        .iter()
        .filter_map(|entry| match entry {
            Entry::Success { id, at } => Some((*id, Some(*at))),
            Entry::Failure { id } => Some((*id, None)),
            Entry::Rehash(_) | Entry::Flush(_) => None,
        })
        .collect();
    if logins.is_empty() {
        return Ok(());
    }
    logins.sort_by_key(|(id, _)| *id);
    let success = success(pool.dialect());
    let mut transaction = pool.begin().await?;
    for (id, at) in logins {
        let id = with("id", id);
        match at {
            Some(at) => {
                transaction
                    .execute(&success, &[id, with("at", stamp(at))])
                    .await?
            }
            None => transaction.execute(FAILURE, &[id]).await?,
        };
    }
    transaction.commit().await
}

fn success(dialect: Dialect) -> String {
    let at = dialect.time(":at");
    format!(
        "UPDATE ab_user
         SET login_count = COALESCE(login_count, 0) + 1, last_login = {at}, fail_login_count = 0
         WHERE id = :id"
    )
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
