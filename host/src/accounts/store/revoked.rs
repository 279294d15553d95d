//! What is refused though its signature holds: tokens, sessions, keys. All of it is in memory
//! as well, so that nobody who verifies a token asks the store.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::changes::{self, Topic};
use super::{Pool, Store, StoreError, bounded, chores, on, seconds};

/// What was revoked and would be good otherwise.
#[derive(Debug, Default)]
pub(super) struct Revoked(RwLock<Known>);

/// By kind: id → when it would not be good any more anyway; none = never.
#[derive(Debug, Default)]
struct Known([HashMap<Box<str>, Option<u64>>; 3]);

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

/// Whoever revokes anew may only make it longer.
const REVOKE: &str = "INSERT INTO revoked (id, until, at) VALUES ($1, $2, $3) \
    ON CONFLICT (id) DO UPDATE SET until = CASE \
        WHEN revoked.until IS NULL OR excluded.until IS NULL THEN NULL \
        WHEN revoked.until > excluded.until THEN revoked.until \
        ELSE excluded.until END";

/// Rows that are read at once: each query has its limit, however much was revoked.
const AT_ONCE: i64 = 10_000;

const ALL: &str = "SELECT id, until FROM revoked WHERE id > $1 AND (until IS NULL OR until > $2) \
    ORDER BY id LIMIT $3";

impl<'a> Revocable<'a> {
    const KINDS: [&'static str; 3] = ["token", "session", "key"];

    fn parts(self) -> (usize, &'a str) {
        match self {
            Revocable::Token(id) => (0, id),
            Revocable::Session(id) => (1, id),
            Revocable::Key(id) => (2, id),
        }
    }

    /// As the store names it.
    fn name(self) -> String {
        let (kind, id) = self.parts();
        format!("{} {id}", Self::KINDS.get(kind).unwrap_or(&""))
    }
}

impl Store {
    /// Was it revoked? Asks nobody.
    pub fn is_revoked(&self, what: Revocable<'_>) -> bool {
        let known = self.revoked.0.read();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        let (kind, id) = what.parts();
        known.0.get(kind).is_some_and(|ids| ids.contains_key(id))
    }

    /// How much is revoked and would be good otherwise.
    pub fn count_revoked(&self) -> usize {
        let known = self.revoked.0.read();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known.0.iter().map(HashMap::len).sum()
    }

    /// Refuses it from now on, at every host. `until` (seconds since 1970) is when it would not
    /// be good any more anyway; none = never.
    ///
    /// # Errors
    /// The store does not answer: this host refuses it all the same, and the others as soon as
    /// the store has taken it; but unless it does, nothing outlives this process. Do it again.
    pub async fn revoke(
        &self,
        what: Revocable<'_>,
        until: Option<u64>,
        now: u64,
    ) -> Result<(), StoreError> {
        let name = what.name();
        let written = self.write_revoked(&name, until, now).await;
        if written.is_ok() || self.owed.owe(&name, until) {
            self.revoked.put(&name, until);
            written.map_err(|error| StoreError::Owed(Box::new(error)))
        } else {
            written
        }
    }

    /// Writes it down, and tells the hosts.
    pub(super) async fn write_revoked(
        &self,
        name: &str,
        until: Option<u64>,
        now: u64,
    ) -> Result<(), StoreError> {
        let (last, at) = (until.map(seconds), seconds(now));
        match &self.pool {
            Pool::Sqlite(pool) => {
                let query = sqlx::query(REVOKE).bind(name).bind(last).bind(at);
                bounded(query.execute(pool)).await.map(drop)
            }
            Pool::Postgres(pool) => {
                bounded(async {
                    let mut transaction = changes::begin(pool).await?;
                    let query = sqlx::query(REVOKE).bind(name).bind(last).bind(at);
                    query.execute(&mut *transaction).await?;
                    changes::commit(transaction, Topic::Revoked, name, now).await
                })
                .await
            }
        }
    }

    /// Reads all that is revoked.
    pub(super) async fn read_revoked(&self, now: u64) -> Result<(), StoreError> {
        let since = seconds(now.saturating_sub(chores::MARGIN));
        let mut last = String::new();
        loop {
            let rows: Vec<(String, Option<i64>)> = on!(self, pool => bounded(
                sqlx::query_as(ALL).bind(&last).bind(since).bind(AT_ONCE).fetch_all(pool)
            ).await)?;
            let Some((name, _)) = rows.last() else {
                return Ok(());
            };
            last.clone_from(name);
            for (name, until) in rows {
                let until = until.map(|until| u64::try_from(until).unwrap_or_default());
                self.revoked.put(&name, until);
            }
        }
    }
}

impl Revoked {
    /// It was revoked, by this host or another one.
    pub(super) fn put(&self, name: &str, until: Option<u64>) {
        let Some((kind, id)) = name.split_once(' ') else {
            return;
        };
        let kind = Revocable::KINDS.iter().position(|known| *known == kind);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(ids) = kind.and_then(|kind| known.0.get_mut(kind)) {
            let longest = match (ids.get(id), until) {
                (Some(None), _) => None,
                (Some(Some(before)), Some(until)) => Some(until.max(*before)),
                _ => until,
            };
            ids.insert(id.into(), longest);
        }
    }

    /// Forgets what would not be good any more at this time.
    pub(super) fn forget(&self, time: u64) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for ids in &mut known.0 {
            ids.retain(|_, until| until.is_none_or(|until| until > time));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(revoked: &Revoked, what: Revocable<'_>) -> bool {
        let (kind, id) = what.parts();
        let known = revoked.0.read().unwrap_or_else(PoisonError::into_inner);
        known.0[kind].contains_key(id)
    }

    #[test]
    fn token_session_and_key_of_one_id_are_three() {
        let revoked = Revoked::default();
        let all = [
            Revocable::Token("a"),
            Revocable::Session("a"),
            Revocable::Key("a"),
        ];
        for what in all {
            assert!(!has(&revoked, what));
            revoked.put(&what.name(), None);
            assert!(has(&revoked, what));
        }
        assert!(!has(&revoked, Revocable::Token("a a")));
    }

    #[test]
    fn revoked_twice_is_refused_for_the_longer_time() {
        let revoked = Revoked::default();
        let token = Revocable::Token("a");
        for (until, still) in [(20, 15), (10, 15), (30, 25)] {
            revoked.put(&token.name(), Some(until));
            revoked.forget(still);
            assert!(has(&revoked, token), "{until}");
        }
        revoked.put(&token.name(), None);
        revoked.put(&token.name(), Some(40));
        revoked.forget(u64::MAX);
        assert!(has(&revoked, token), "for ever");
    }

    #[test]
    fn what_would_be_good_no_longer_is_forgotten() {
        let revoked = Revoked::default();
        revoked.put("token a", Some(10));
        revoked.forget(9);
        assert!(has(&revoked, Revocable::Token("a")));
        revoked.forget(10);
        assert!(!has(&revoked, Revocable::Token("a")));
    }
}
