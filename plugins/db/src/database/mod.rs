//! The database: found or made, its tables checked, its errors in words.
//!
//! A database found existing stays as it is: no tables, no persistent pragma. It
//! may be a live Airflow's. Only an empty place in the state folder is filled.

mod embedded;
mod inspect;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_sdk::{AuthError, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions, Sqlite, Transaction};

use crate::config::Access;
use crate::location::Location;
use inspect::Facts;

/// Each connection is a thread; reads are short.
const CONNECTIONS: u32 = 3;
/// How long to wait for another program's lock.
const BUSY: Duration = Duration::from_secs(2);

/// An open database with Flask-AppBuilder's tables.
pub(crate) struct Database {
    pool: SqlitePool,
    path: PathBuf,
    /// Groups may carry roles: the tables are missing from older schemas.
    pub(crate) has_groups: bool,
    /// Made by us, in the state folder.
    pub(crate) is_ours: bool,
    /// Made by us, and no user was ever added.
    fresh: AtomicBool,
    /// Under `check`: the file that `serve` would make is not there yet.
    pub(crate) is_absent: bool,
}

impl Database {
    /// Opens the database; `check` opens it for reading and makes nothing.
    pub(crate) async fn open(location: &Location, access: Access, check: bool) -> Result<Self> {
        let path = &location.path;
        let may_make = location.embedded && access == Access::Full;
        let mut options = options(path).read_only(check || access == Access::Read);
        if !inspect::exists(path)? {
            match (may_make, check) {
                (false, _) => return Err(missing_file(path, location.embedded)),
                (true, true) => return Ok(Self::absent(path, options)),
                (true, false) => embedded::make_file(path)?,
            }
        } else if check && inspect::is_idle_wal(path) {
            // Opening it the usual way would leave -wal and -shm files behind.
            options = options.immutable(true);
        }
        let pool = pool().connect_with(options.clone()).await;
        let pool = pool.map_err(|error| failed(path, "open", &error))?;
        let mut facts = Facts::read(&pool)
            .await
            .map_err(|error| failed(path, "read the schema", &error))?;
        if may_make && facts.is_blank() {
            if check {
                return Ok(Self::absent(path, options));
            }
            let made = embedded::make_tables(&pool).await;
            made.map_err(|error| failed(path, "make the tables", &error))?;
            facts = Facts::made();
        }
        facts.check(path, location.embedded)?;
        Ok(Database {
            path: path.clone(),
            has_groups: facts.has_groups(),
            is_ours: location.embedded && facts.version > 0,
            fresh: AtomicBool::new(location.embedded && facts.version == embedded::FRESH),
            is_absent: false,
            pool,
        })
    }

    fn absent(path: &Path, options: SqliteConnectOptions) -> Self {
        Database {
            pool: pool().connect_lazy_with(options),
            path: path.to_owned(),
            has_groups: true,
            is_ours: true,
            fresh: AtomicBool::new(true),
            is_absent: true,
        }
    }

    /// The connections.
    pub(crate) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Made by us, and no user was ever added?
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh.load(Ordering::Relaxed)
    }

    /// Begins a transaction that writes, holding the write lock from the start: a
    /// lock taken later could fail half-way.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        let begun = self.pool.begin_with("BEGIN IMMEDIATE").await;
        begun.map_err(|error| self.failed("begin to write", &error))
    }

    /// Commits a transaction that added users.
    pub(crate) async fn commit_users(
        &self,
        mut transaction: Transaction<'static, Sqlite>,
    ) -> Result<()> {
        if self.is_ours {
            let marked = embedded::mark_used(&mut transaction).await;
            marked.map_err(|error| self.failed("mark the first user", &error))?;
        }
        let committed = transaction.commit().await;
        committed.map_err(|error| self.failed("commit", &error))?;
        self.fresh.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// A database error is an outage, never a failed login.
    pub(crate) fn failed(&self, doing: &str, error: &sqlx::Error) -> AuthError {
        failed(&self.path, doing, error)
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY)
        .thread_name(|id| format!("plugin-db-{id}"))
        .disable_statement_logging()
}

fn pool() -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(BUSY)
        .test_before_acquire(false)
}

fn failed(path: &Path, doing: &str, error: &sqlx::Error) -> AuthError {
    AuthError::unavailable(format!("{}: cannot {doing}: {error}", path.display()))
        .retry_after(Duration::from_secs(1))
}

fn missing_file(path: &Path, embedded: bool) -> AuthError {
    let remedy = if embedded {
        "set `access: full`, or leave it out, so that it is made"
    } else {
        "for Airflow run `airflow db migrate`, which makes it; for a database of \
         Countersign's own use url: sqlite://{state}/users.db"
    };
    AuthError::invalid(format!("url: {} does not exist; {remedy}", path.display()))
}
