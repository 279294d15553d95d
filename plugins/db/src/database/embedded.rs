//! The deployment's own database: its file, its tables, and whether a user was ever added.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use countersign_sdk::{AuthError, Result};
use sqlx::SqlitePool;

use crate::sql::Transaction;

/// `PRAGMA user_version` of a database with tables, before its first user.
pub(super) const FRESH: i64 = 1;
/// … and from then on, for ever.
pub(super) const USED: i64 = 2;

const TABLES: &str = include_str!("embedded.sql");

/// Makes an empty file for the owner alone; SQLite gives its -wal and -shm the same mode.
pub(super) fn make_file(path: &Path) -> Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    made.map(drop).map_err(|error| {
        AuthError::unavailable(format!("{} cannot be made: {error}", path.display()))
    })
}

/// Makes the tables and roles, all or nothing: an interrupted start is begun anew.
pub(super) async fn make_tables(pool: &SqlitePool) -> sqlx::Result<()> {
    let mut connection = pool.acquire().await?;
    // Persistent, and outside any transaction; readers then never wait for a writer.
    sqlx::query("PRAGMA journal_mode = WAL")
        .execute(&mut *connection)
        .await?;
    drop(connection);
    let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::raw_sql(TABLES).execute(&mut *transaction).await?;
    sqlx::query("PRAGMA user_version = 1")
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

/// Remembers, in the transaction that adds the first user, that there was one.
pub(super) async fn mark_used(transaction: &mut Transaction) -> sqlx::Result<()> {
    transaction
        .execute("PRAGMA user_version = 2", &[])
        .await
        .map(drop)
}
