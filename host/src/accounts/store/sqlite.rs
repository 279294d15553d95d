//! The store as a file in the state folder.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use sqlx::ConnectOptions;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::{StoreError, migrations};

/// Each connection is a thread; queries are short.
const CONNECTIONS: u32 = 2;

/// How long a writer waits for another.
const BUSY: Duration = Duration::from_secs(2);

/// Opens the file; makes it where it is missing, for the owner alone: SQLite gives its
/// `-wal` and `-shm` the same mode.
pub(super) async fn open(file: &Path) -> Result<SqlitePool, StoreError> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(StoreError::File(error));
        }
        _ => {}
    }
    let options = options(file)
        .journal_mode(SqliteJournalMode::Wal)
        // What was acknowledged, such as a revocation, outlives a power cut.
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(BUSY)
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .map_err(StoreError::Query)?;
    let migrated = migrations::migrator().run(&pool).await;
    migrated.map_err(migrations::failed)?;
    Ok(pool)
}

/// Looks at the version of a file that is there.
pub(super) async fn check(file: &Path) -> Result<(), StoreError> {
    if !file.exists() {
        return Ok(());
    }
    let connecting = read_only(file).connect().await;
    let mut connection = connecting.map_err(StoreError::Query)?;
    let tables = "SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
    let tables: i64 = sqlx::query_scalar(tables)
        .fetch_one(&mut connection)
        .await
        .map_err(StoreError::Query)?;
    if tables == 0 {
        return Ok(());
    }
    let newest = sqlx::query_scalar(migrations::NEWEST);
    let newest = newest.fetch_one(&mut connection).await;
    migrations::judge(newest.map_err(StoreError::Query)?)
}

/// Opens a file that is there and has the tables, to be read.
pub(super) async fn look(file: &Path) -> Result<Option<SqlitePool>, StoreError> {
    if !file.exists() {
        return Ok(None);
    }
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(BUSY)
        .connect_with(read_only(file))
        .await
        .map_err(StoreError::Query)?;
    let tables = "SELECT COUNT(*) FROM sqlite_master WHERE name = 'links'";
    let tables: i64 = sqlx::query_scalar(tables)
        .fetch_one(&pool)
        .await
        .map_err(StoreError::Query)?;
    Ok((tables > 0).then_some(pool))
}

/// Makes nothing: without a log beside it nobody writes, and opening it the usual way would
/// make one.
fn read_only(file: &Path) -> SqliteConnectOptions {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    options(file)
        .read_only(true)
        .immutable(!Path::new(&log).exists())
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(BUSY)
        .thread_name(|id| format!("store-{id}"))
        .disable_statement_logging()
}
