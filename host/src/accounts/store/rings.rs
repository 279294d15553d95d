//! Key rings in the store: one row each, whose content nobody can read here, since the private
//! keys are sealed. Who writes says which version he has read; another one was faster = conflict.

use super::changes::{self, Topic};
use super::{Pool, Store, StoreError, bounded, on, seconds};

/// A ring as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRing {
    /// Grows by one with each change.
    pub version: u64,
    /// The index with its sealed keys.
    pub content: String,
}

const FIND: &str = "SELECT version, content FROM rings WHERE name = $1";

const MAKE: &str = "INSERT INTO rings (name, version, content) VALUES ($1, $2 + 1, $3) \
    ON CONFLICT (name) DO NOTHING";

const CHANGE: &str = "UPDATE rings SET version = version + 1, content = $3 \
    WHERE name = $1 AND version = $2";

impl Store {
    /// The ring of this name, if there is one.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn ring(&self, name: &str) -> Result<Option<StoredRing>, StoreError> {
        let found: Option<(i64, String)> = on!(self, pool => bounded(
            sqlx::query_as(FIND).bind(name).fetch_optional(pool)
        ).await)?;
        Ok(found.map(|(version, content)| StoredRing {
            version: u64::try_from(version).unwrap_or_default(),
            content,
        }))
    }

    /// Writes a ring whose version was `read`, 0 = there was none; all hosts are told.
    /// False = another host has changed it since: read it again, and redo.
    ///
    /// # Errors
    /// The store does not answer; whether it was written is to be found out by reading it.
    pub async fn put_ring(
        &self,
        name: &str,
        read: u64,
        content: &str,
        now: u64,
    ) -> Result<bool, StoreError> {
        let write = || {
            let text = if read == 0 { MAKE } else { CHANGE };
            (text, seconds(read))
        };
        let (text, version) = write();
        let written = match &self.pool {
            Pool::Sqlite(pool) => {
                let query = sqlx::query(text).bind(name).bind(version).bind(content);
                let written = bounded(query.execute(pool)).await?.rows_affected() > 0;
                if written {
                    self.shared.ring_changed();
                }
                written
            }
            Pool::Postgres(pool) => {
                bounded(async {
                    let mut transaction = changes::begin(pool).await?;
                    let query = sqlx::query(text).bind(name).bind(version).bind(content);
                    let written = query.execute(&mut *transaction).await?.rows_affected() > 0;
                    match written {
                        true => changes::commit(transaction, Topic::Ring, name, now).await?,
                        false => transaction.rollback().await?,
                    }
                    Ok(written)
                })
                .await?
            }
        };
        Ok(written)
    }
}
