//! What hosts on one PostgreSQL tell each other. A change is noted in the transaction that makes
//! it, under one lock, so that changes become visible in the order of their numbers: whoever has
//! seen number n has seen all before it. `NOTIFY` only wakes; what was missed is read again.
//!
//! On SQLite there is one host, which knows what it has done.

use sqlx::postgres::PgPool;
use sqlx::{Postgres, Transaction};

use super::seconds;

/// The channel that wakes.
pub(super) const CHANNEL: &str = "countersign";

/// Whoever notes a change holds it to the end of his transaction: "countersign", as far as it goes.
const LOCK: i64 = 0x636f_756e_7465_7273;

/// Changes that are read at once.
pub(super) const AT_ONCE: i64 = 1_000;

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// Something was revoked; the subject is its id.
    Revoked,
    /// A key ring has a new version; the subject is its name.
    Ring,
}

/// One change: its number, what has changed, and of what is revoked, until when it would be
/// good otherwise.
pub(super) type Row = (i64, String, String, Option<i64>);

const AFTER: &str = "SELECT c.seq, c.topic, c.subject, r.until FROM changes c \
    LEFT JOIN revoked r ON c.topic = 'revoked' AND r.id = c.subject \
    WHERE c.seq > $1 ORDER BY c.seq LIMIT $2";

const NOTE: &str = "INSERT INTO changes (seq, topic, subject, at) \
    SELECT COALESCE(MAX(seq), 0) + 1, $1, $2, $3 FROM changes";

impl Topic {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Topic::Revoked => "revoked",
            Topic::Ring => "ring",
        }
    }
}

/// What is read after the lock is what whoever had it before has left, whatever the database's
/// default is.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// Takes the lock, and bounds it: of a host that vanished without a word, which the network would
/// show hours later, the database gives the lock back by itself, and nobody waits for it longer
/// than he waits for an answer. In milliseconds.
const TAKE_LOCK: &str = "SELECT set_config('idle_in_transaction_session_timeout', '4000', true), \
    set_config('lock_timeout', '2500', true), pg_advisory_xact_lock($1)";

/// A transaction that will note a change.
pub(super) async fn begin(pool: &PgPool) -> sqlx::Result<Transaction<'static, Postgres>> {
    let mut transaction = pool.begin_with(BEGIN).await?;
    sqlx::query(TAKE_LOCK)
        .bind(LOCK)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction)
}

/// Notes the change, makes it visible, and wakes the hosts.
pub(super) async fn commit(
    mut transaction: Transaction<'static, Postgres>,
    topic: Topic,
    subject: &str,
    now: u64,
) -> sqlx::Result<()> {
    sqlx::query(NOTE)
        .bind(topic.name())
        .bind(subject)
        .bind(seconds(now))
        .execute(&mut *transaction)
        .await?;
    sqlx::query("SELECT pg_notify($1, '')")
        .bind(CHANNEL)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

/// The first changes after this one.
pub(super) async fn after(
    connection: impl sqlx::Executor<'_, Database = Postgres>,
    seq: i64,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as(AFTER)
        .bind(seq)
        .bind(AT_ONCE)
        .fetch_all(connection)
        .await
}

/// The number of the newest.
pub(super) async fn newest(
    connection: impl sqlx::Executor<'_, Database = Postgres>,
) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM changes")
        .fetch_one(connection)
        .await
}

/// Tells all hosts something that nobody needs to know later; each of `payloads` is shorter
/// than 8,000 bytes and unlike the others.
pub(super) async fn tell(
    connection: impl sqlx::Executor<'_, Database = Postgres>,
    payloads: &[String],
) -> sqlx::Result<()> {
    sqlx::query("SELECT pg_notify($1, told) FROM unnest($2::text[]) AS told")
        .bind(CHANNEL)
        .bind(payloads)
        .execute(connection)
        .await
        .map(drop)
}
