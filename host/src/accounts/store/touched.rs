//! When tokens were used last: kept in memory, and written once in a while, so that no use
//! of a token waits for the store. Whoever reads tells the later of the two.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use super::{Pool, Store, StoreError, bounded, seconds};

/// This many wait to be written; the uses of more tokens between two writings are not told.
const MOST: usize = 100_000;

/// Rows of one statement.
const AT_ONCE: usize = 1_000;

/// Token → when it was used last, of those that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Touched(Mutex<HashMap<Box<str>, u64>>);

/// Both databases take the pairs apart by themselves: one statement for many tokens.
const WRITE_SQLITE: &str = "UPDATE tokens SET last_used_at = used.value FROM json_each($1) AS used \
    WHERE tokens.id = used.key AND (last_used_at IS NULL OR last_used_at < used.value)";

const WRITE_POSTGRES: &str = "UPDATE tokens SET last_used_at = used.value::bigint \
    FROM json_each_text($1::json) AS used \
    WHERE tokens.id = used.key AND (last_used_at IS NULL OR last_used_at < used.value::bigint)";

impl Store {
    /// The token of this id was used; asks nobody. It stands in the store within a minute.
    pub fn touch(&self, id: &str, now: u64) {
        let mut waiting = self.touched.waiting();
        if let Some(at) = waiting.get_mut(id) {
            *at = now.max(*at);
        } else if waiting.len() < MOST {
            waiting.insert(id.into(), now);
        }
    }

    /// When the token of this id was used last, as far as that is not written yet.
    pub(in crate::accounts) fn touched(&self, id: &str) -> Option<u64> {
        self.touched.waiting().get(id).copied()
    }

    /// Writes what was touched. What cannot be written waits for the next time.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn write_touched(&self) -> Result<(), StoreError> {
        let waiting: Vec<_> = self.touched.waiting().clone().into_iter().collect();
        for uses in waiting.chunks(AT_ONCE) {
            self.write_uses(uses).await?;
            self.touched.wrote(uses);
        }
        Ok(())
    }

    async fn write_uses(&self, uses: &[(Box<str>, u64)]) -> Result<(), StoreError> {
        let pairs = uses
            .iter()
            .map(|(id, at)| (id.to_string(), seconds(*at).into()));
        let pairs = Value::from(pairs.collect::<Map<_, _>>()).to_string();
        match &self.pool {
            Pool::Sqlite(pool) => bounded(sqlx::query(WRITE_SQLITE).bind(pairs).execute(pool))
                .await
                .map(drop),
            Pool::Postgres(pool) => bounded(sqlx::query(WRITE_POSTGRES).bind(pairs).execute(pool))
                .await
                .map(drop),
        }
    }
}

impl Touched {
    /// Those that were used once more meanwhile go on waiting.
    fn wrote(&self, uses: &[(Box<str>, u64)]) {
        let mut waiting = self.waiting();
        for (id, at) in uses {
            if waiting.get(id) == Some(at) {
                waiting.remove(id);
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Box<str>, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
