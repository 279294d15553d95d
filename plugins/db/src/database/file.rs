//! Databases in a file of SQLite.

use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use countersign_sdk::{AuthError, Result};
use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use super::inspect::{self, Facts};
use super::{Database, embedded, failed};
use crate::config::Access;
use crate::location::DatabaseFile;
use crate::sql::Pool;

/// Each connection is a thread; reads are short.
const CONNECTIONS: u32 = 3;
/// How long to wait for another program's lock.
const BUSY: Duration = Duration::from_secs(2);

impl Database {
    /// Opens a file with Flask-AppBuilder's tables, or makes it in the state folder.
    pub(super) async fn open_file(
        file: &DatabaseFile,
        access: Access,
        check: bool,
    ) -> Result<Self> {
        let path = &file.path;
        let place = path.display().to_string();
        let may_make = file.embedded && access == Access::Full;
        let mut options = options(path).read_only(check || access == Access::Read);
        if !inspect::exists(path)? {
            match (may_make, check) {
                (false, _) => return Err(missing_file(path, file.embedded)),
                (true, true) => return Ok(Self::absent(&place, options)),
                (true, false) => embedded::make_file(path)?,
            }
        } else if check && inspect::is_idle_wal(path) {
            // Opening it the usual way would leave -wal and -shm files behind.
            options = options.immutable(true);
        }
        let opened = pool().connect_with(options.clone()).await;
        let pool = opened.map_err(|error| failed(&place, "open", &error))?;
        let mut facts = Facts::of_file(&pool)
            .await
            .map_err(|error| failed(&place, "read the schema", &error))?;
        if may_make && facts.is_blank() {
            if check {
                return Ok(Self::absent(&place, options));
            }
            let made = embedded::make_tables(&pool).await;
            made.map_err(|error| failed(&place, "make the tables", &error))?;
            facts = Facts::made();
        }
        facts.check(&place, file.embedded)?;
        Ok(Database {
            place,
            has_groups: facts.has_groups(),
            is_ours: file.embedded && facts.version > 0,
            fresh: AtomicBool::new(file.embedded && facts.version == embedded::FRESH),
            is_absent: false,
            pool: Pool::Sqlite(pool),
        })
    }

    /// Opens a file of any tables, for reading.
    pub(super) async fn open_any_file(file: &DatabaseFile) -> Result<Self> {
        let place = file.path.display().to_string();
        if !inspect::exists(&file.path)? {
            return Err(AuthError::invalid(format!(
                "url: {place} does not exist; the database of `queries` is not made here"
            )));
        }
        let pool = pool()
            .connect_with(options(&file.path).read_only(true))
            .await;
        let pool = pool.map_err(|error| failed(&place, "open", &error))?;
        Ok(Self::bare(Pool::Sqlite(pool), &place))
    }

    fn absent(place: &str, options: SqliteConnectOptions) -> Self {
        Database {
            pool: Pool::Sqlite(pool().connect_lazy_with(options)),
            place: place.to_owned(),
            has_groups: true,
            is_ours: true,
            fresh: AtomicBool::new(true),
            is_absent: true,
        }
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

fn missing_file(path: &Path, embedded: bool) -> AuthError {
    let remedy = if embedded {
        "set `access: full`, or leave it out, so that it is made"
    } else {
        "for Airflow run `airflow db migrate`, which makes it; for a database of \
         Countersign's own use url: sqlite://{state}/users.db"
    };
    AuthError::invalid(format!("url: {} does not exist; {remedy}", path.display()))
}
