//! The tables of the store, version by version. A version that was released is never
//! changed: what is new comes as the next one.
//!
//! sqlx keeps which ones a database has, runs each in a transaction of its own, and on
//! PostgreSQL holds an advisory lock meanwhile: hosts that start together wait for
//! each other.

use std::borrow::Cow;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};

use super::StoreError;

/// In both databases' common tongue. Times are seconds since 1970.
const VERSIONS: [(i64, &str, &str); 5] = [
    (1, "links", include_str!("001_links.sql")),
    (2, "shared", include_str!("002_shared.sql")),
    (3, "bots", include_str!("003_bots.sql")),
    (4, "grants", include_str!("004_grants.sql")),
    (5, "keys of grants", include_str!("005_keys_of_grants.sql")),
];

/// The newest version.
pub(super) const KNOWN: i64 = VERSIONS.len() as i64;

/// What brings a database to the newest version.
pub(super) fn migrator() -> Migrator {
    let versions = VERSIONS.iter().map(|(version, name, text)| {
        Migration::new(
            *version,
            Cow::Borrowed(name),
            MigrationType::Simple,
            sqlx::SqlStr::from_static(text),
            false,
        )
    });
    Migrator::with_migrations(versions.collect())
}

/// What went wrong, in the store's words.
pub(super) fn failed(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(found) => StoreError::Newer {
            found,
            known: KNOWN,
        },
        error => StoreError::Migrate { error },
    }
}

/// The newest version that a database has, for a check; none = no tables yet.
pub(super) const NEWEST: &str = "SELECT MAX(version) FROM _sqlx_migrations";

/// Does this program know the version that was found?
pub(super) fn judge(found: Option<i64>) -> Result<(), StoreError> {
    match found {
        Some(found) if found > KNOWN => Err(StoreError::Newer {
            found,
            known: KNOWN,
        }),
        _ => Ok(()),
    }
}
