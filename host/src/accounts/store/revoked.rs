//! What is refused though its signature holds: tokens, sessions, keys. All of it is in memory
//! as well, so that nobody who verifies a token asks the store.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::{Store, StoreError, bounded, on, seconds};

/// What was revoked and would be good otherwise: id → when it may be forgotten; none = never.
#[derive(Debug, Default)]
pub(super) struct Revoked(RwLock<HashMap<String, Option<u64>>>);

/// What is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocable<'a> {
    /// A token, by its `jti`.
    Token(&'a str),
    /// A session in the browser, by its id.
    Session(&'a str),
    /// A key, by its `kid`: every token that it signed.
    Key(&'a str),
}

const REVOKE: &str =
    "INSERT INTO revoked (id, until, at) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING";

const ALL: &str = "SELECT id, until FROM revoked WHERE until IS NULL OR until > $1";

impl Revocable<'_> {
    fn id(self) -> String {
        match self {
            Revocable::Token(id) => format!("token {id}"),
            Revocable::Session(id) => format!("session {id}"),
            Revocable::Key(id) => format!("key {id}"),
        }
    }
}

impl Store {
    /// Was it revoked? Asks nobody.
    pub fn is_revoked(&self, what: Revocable<'_>) -> bool {
        let known = self
            .revoked
            .0
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        !known.is_empty() && known.contains_key(&what.id())
    }

    /// Refuses it from now on. `until` (seconds since 1970) is when it would not be good any
    /// more anyway; none = never.
    pub async fn revoke(
        &self,
        what: Revocable<'_>,
        until: Option<u64>,
        now: u64,
    ) -> Result<(), StoreError> {
        let id = what.id();
        on!(self, pool => bounded(
            sqlx::query(REVOKE)
                .bind(&id).bind(until.map(seconds)).bind(seconds(now))
                .execute(pool)
        ).await.map(drop))?;
        self.revoked.put(id, until);
        Ok(())
    }

    /// Reads all that is revoked.
    pub(super) async fn read_revoked(&self, now: u64) -> Result<(), StoreError> {
        let rows: Vec<(String, Option<i64>)> = on!(self, pool => bounded(
            sqlx::query_as(ALL).bind(seconds(now)).fetch_all(pool)
        ).await)?;
        for (id, until) in rows {
            let until = until.map(|until| u64::try_from(until).unwrap_or_default());
            self.revoked.put(id, until);
        }
        Ok(())
    }
}

impl Revoked {
    fn put(&self, id: String, until: Option<u64>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(id, until);
    }
}
