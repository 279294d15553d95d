//! The database: found or made, its tables checked, its errors in words.
//!
//! A database found existing stays as it is: no tables, no persistent pragma. It
//! may be a live Airflow's. Only an empty place in the state folder is filled.

mod embedded;
mod file;
mod inspect;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_sdk::{AuthError, Result};

use crate::config::Access;
use crate::location::{Location, Options, Server};
use crate::sql::{self, Dialect, Pool, Row, Transaction};
use inspect::Facts;

/// An open database.
pub(crate) struct Database {
    pool: Pool,
    /// What errors call it: a path, or host and database; no user, no password.
    place: String,
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
    /// Opens a database with Flask-AppBuilder's tables; `check` opens it for reading and
    /// makes nothing.
    pub(crate) async fn open(location: &Location, access: Access, check: bool) -> Result<Self> {
        let read_only = check || access == Access::Read;
        match location {
            Location::File(file) => Self::open_file(file, access, check).await,
            Location::Server(server) => {
                let database = Self::bare(connect(server, read_only).await?, &server.place);
                let facts = Facts::of_server(&database.pool).await;
                let facts = facts.map_err(|error| database.failed("read the schema", &error))?;
                facts.check(&database.place, false)?;
                Ok(Database {
                    has_groups: facts.has_groups(),
                    ..database
                })
            }
        }
    }

    /// Opens a database of any tables, for reading.
    pub(crate) async fn open_any(location: &Location) -> Result<Self> {
        match location {
            Location::File(file) => Self::open_any_file(file).await,
            Location::Server(server) => Ok(Self::bare(connect(server, true).await?, &server.place)),
        }
    }

    fn bare(pool: Pool, place: &str) -> Self {
        Database {
            pool,
            place: place.to_owned(),
            has_groups: false,
            is_ours: false,
            fresh: AtomicBool::new(false),
            is_absent: false,
        }
    }

    /// The connections.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.pool.dialect()
    }

    /// All rows of a statement with these arguments; `doing` is said where it fails.
    pub(crate) async fn fetch(
        &self,
        doing: &str,
        text: &str,
        named: &[(&str, sql::Argument)],
    ) -> Result<Vec<Row>> {
        let rows = self.pool.fetch(text, named).await;
        rows.map_err(|error| self.failed(doing, &error))
    }

    /// Made by us, and no user was ever added?
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh.load(Ordering::Relaxed)
    }

    /// Begins a transaction that writes.
    pub(crate) async fn begin(&self) -> Result<Transaction> {
        let begun = self.pool.begin().await;
        begun.map_err(|error| self.failed("begin to write", &error))
    }

    /// Begins a transaction that only reads.
    pub(crate) async fn begin_reading(&self) -> Result<Transaction> {
        let begun = self.pool.begin_reading().await;
        begun.map_err(|error| self.failed("begin to read", &error))
    }

    /// Commits a transaction that added users.
    pub(crate) async fn commit_users(&self, mut transaction: Transaction) -> Result<()> {
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
        failed(&self.place, doing, error)
    }
}

async fn connect(server: &Server, read_only: bool) -> Result<Pool> {
    let pool = match &server.options {
        Options::Postgres(options) => sql::postgres(options.clone(), read_only).await,
        Options::MySql(options) => sql::mysql(options.clone(), read_only).await,
    };
    pool.map_err(|error| {
        if is_unencrypted_sha2(&error) {
            return AuthError::unavailable(format!("{}: {SHA2}", server.place));
        }
        failed(&server.place, "connect", &error)
    })
}

/// MySQL 8's default for its accounts asks for the password itself, which is sent by TLS alone.
const SHA2: &str = "cannot connect: the account's plugin is caching_sha2_password (or \
    sha256_password), whose password is sent only by TLS, and the connection has none; let the \
    server offer TLS and write ?ssl-mode=REQUIRED, better VERIFY_IDENTITY with ssl-ca, or \
    connect by ?socket=/path";

fn is_unencrypted_sha2(error: &sqlx::Error) -> bool {
    error.to_string().contains("RSA auth backend disabled")
}

fn failed(place: &str, doing: &str, error: &sqlx::Error) -> AuthError {
    AuthError::unavailable(format!("{place}: cannot {doing}: {error}"))
        .retry_after(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_that_would_be_sent_in_the_open_is_told_with_its_remedy() {
        // The driver's own words, of a server that is not in the test bed.
        let words = "RSA auth backend disabled; enable feature `mysql-rsa` or use TLS.";
        let error = sqlx::Error::Configuration(words.into());
        assert!(is_unencrypted_sha2(&error));
        assert!(!is_unencrypted_sha2(&sqlx::Error::PoolTimedOut));
        assert!(SHA2.contains("?ssl-mode=REQUIRED"));
    }
}
