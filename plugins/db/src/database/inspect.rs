//! What is there: the file, its journal, its tables.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use countersign_sdk::{AuthError, Result};
use sqlx::SqlitePool;

use super::embedded;
use crate::sql::{Dialect, Pool};

const NEEDED: [&str; 3] = ["ab_user", "ab_role", "ab_user_role"];
const GROUPS: [&str; 2] = ["ab_user_group", "ab_group_role"];

/// What a database says of itself.
pub(super) struct Facts {
    /// `PRAGMA user_version`: 0 in databases that are not ours.
    pub(super) version: i64,
    tables: BTreeSet<String>,
}

impl Facts {
    pub(super) async fn of_file(pool: &SqlitePool) -> sqlx::Result<Self> {
        let version = sqlx::query_scalar("PRAGMA user_version")
            .fetch_one(pool)
            .await?;
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
                .fetch_all(pool)
                .await?;
        Ok(Facts {
            version,
            tables: tables.into_iter().collect(),
        })
    }

    /// The tables that this user may see.
    pub(super) async fn of_server(pool: &Pool) -> sqlx::Result<Self> {
        let schemas = match pool.dialect() {
            Dialect::MySql => "table_schema = DATABASE()",
            _ => "table_schema = ANY (current_schemas(false))",
        };
        let name = pool.dialect().text("table_name");
        let query = format!("SELECT {name} AS name FROM information_schema.tables WHERE {schemas}");
        let mut tables = BTreeSet::new();
        for row in pool.fetch(&query, &[]).await? {
            tables.extend(row.text("name")?);
        }
        Ok(Facts { version: 0, tables })
    }

    /// What [`embedded::make_tables`] leaves.
    pub(super) fn made() -> Self {
        Facts {
            version: embedded::FRESH,
            tables: NEEDED
                .into_iter()
                .chain(GROUPS)
                .map(str::to_owned)
                .collect(),
        }
    }

    /// Nothing in it: a new file, or one whose making was interrupted.
    pub(super) fn is_blank(&self) -> bool {
        self.version == 0 && self.tables.is_empty()
    }

    pub(super) fn has_groups(&self) -> bool {
        GROUPS.iter().all(|table| self.tables.contains(*table))
    }

    /// Are all needed tables there, in a version that is known?
    pub(super) fn check(&self, place: &str, embedded: bool) -> Result<()> {
        if let Some(table) = NEEDED.iter().find(|table| !self.tables.contains(**table)) {
            return Err(AuthError::invalid(format!(
                "url: {place} has no table {table}; if it is Airflow's database, run \
                 `airflow db migrate` with the FAB auth manager configured"
            )));
        }
        if embedded && self.version > embedded::USED {
            return Err(AuthError::invalid(format!(
                "url: {place} was made by a newer Countersign (version {}, known up to {}); \
                 run that version",
                self.version,
                embedded::USED
            )));
        }
        Ok(())
    }
}

/// Is the file there? A folder in its place is an error.
pub(super) fn exists(path: &Path) -> Result<bool> {
    match path.metadata() {
        Ok(found) if found.is_file() => Ok(true),
        Ok(_) => Err(AuthError::invalid(format!(
            "url: {} is not a file",
            path.display()
        ))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(AuthError::unavailable(format!(
            "{}: {error}",
            path.display()
        ))),
    }
}

/// A write-ahead database (byte 18 of SQLite's file header is 2) that no program has open.
pub(super) fn is_idle_wal(path: &Path) -> bool {
    let mut header = [0; 20];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    read.is_ok() && header[18] == 2 && !Path::new(&journal).exists()
}
