//! What can be wrong with the store. No variant can hold a password.

use std::io;
use std::time::Duration;

use sqlx::migrate::MigrateError;

use super::Location;

/// PostgreSQL's codes for starting, ending, being a standby that takes no one, and having too
/// many connections.
const AWAY: [&str; 4] = ["57P03", "57P01", "57P02", "53300"];

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum StoreError {
    #[error("the store {place} cannot be used: {error}")]
    At {
        place: String,
        error: Box<StoreError>,
    },
    #[error("the url is none of PostgreSQL")]
    Url,
    #[error("the file cannot be made: {0}")]
    File(io::Error),
    #[error("{0}")]
    Query(sqlx::Error),
    #[error("there is no connection to it, or none is free; the log has the reason")]
    Unreachable,
    #[error("the connection to it was lost")]
    Lost,
    #[error("no answer within {limit}", limit = humantime::format_duration(*.0))]
    Slow(Duration),
    #[error("its tables are of version {found}, and this program knows versions up to {known}")]
    Newer { found: i64, known: i64 },
    #[error("its tables cannot be brought to version {known}: {error}", known = super::migrations::KNOWN)]
    Migrate { error: MigrateError },
    #[error(
        "{0}; this host refuses it from now on, and writes it down as soon as the store answers"
    )]
    Owed(Box<StoreError>),
    #[error("the row is linked to another user already")]
    Taken,
    #[error("{0} in it is damaged")]
    Damaged(&'static str),
    #[error("the system has no random numbers")]
    Random,
}

impl StoreError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            StoreError::At { error, .. } => error.help(),
            StoreError::Newer { .. } => {
                "start the version that wrote it, or restore the store from before that version"
            }
            StoreError::Owed(_) => {
                "do it again when the store answers: the other hosts refuse it from then on, and if this process ends before, nobody does"
            }
            StoreError::Url => "write postgres://USER:PASSWORD@HOST:5432/DATABASE",
            StoreError::File(_) => "check that the user of this process may write the state folder",
            StoreError::Damaged(_) => "restore the store, or remove that row",
            StoreError::Random => "check the system's random number generator",
            StoreError::Query(_)
            | StoreError::Unreachable
            | StoreError::Lost
            | StoreError::Slow(_)
            | StoreError::Migrate { .. }
            | StoreError::Taken => {
                "check that the database answers and that its user may create tables; store.url says where it is"
            }
        }
    }

    /// Has the database answered, and the query broke a rule that its row should keep?
    pub(super) fn is_answer(&self) -> bool {
        matches!(self, StoreError::Query(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    /// Is it there but not in sight, so that waiting may help, and no setting does?
    pub fn is_away(&self) -> bool {
        match self {
            StoreError::At { error, .. } | StoreError::Owed(error) => error.is_away(),
            StoreError::Unreachable | StoreError::Lost | StoreError::Slow(_) => true,
            StoreError::Query(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut) => true,
            StoreError::Query(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default();
                AWAY.contains(&code.as_ref())
            }
            _ => false,
        }
    }

    pub(super) fn at(self, location: &Location) -> Self {
        StoreError::At {
            place: location.to_string(),
            error: Box::new(self),
        }
    }
}
