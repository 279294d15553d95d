//! Leases: what one host does for all, such as rotating keys. Who has one keeps it until its end
//! or until he gives it back; the database's clock decides, not the hosts'.

use std::time::Duration;

use super::{Pool, Store, StoreError, bounded};

/// Whoever has it may prolong it; others may take it after its end.
macro_rules! take {
    ($now:literal) => {
        concat!(
            "INSERT INTO leases (name, holder, until) VALUES ($1, $2, ",
            $now,
            " + $3) ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, \
             until = excluded.until WHERE leases.holder = excluded.holder OR leases.until <= ",
            $now
        )
    };
}

const TAKE_SQLITE: &str = take!("CAST(strftime('%s', 'now') AS INTEGER)");

const TAKE_POSTGRES: &str = take!("EXTRACT(EPOCH FROM clock_timestamp())::bigint");

const GIVE_BACK: &str = "DELETE FROM leases WHERE holder = $1 AND name = $2";

const GIVE_ALL_BACK: &str = "DELETE FROM leases WHERE holder = $1";

impl Store {
    /// Takes the lease of this name, or prolongs it; false = another host has it.
    ///
    /// # Errors
    /// The store does not answer: then nobody knows who has it, and this host has not.
    pub async fn lease(&self, name: &str, time: Duration) -> Result<bool, StoreError> {
        let holder = self.shared.host();
        let time = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let taken = match &self.pool {
            Pool::Sqlite(pool) => {
                let query = sqlx::query(TAKE_SQLITE).bind(name).bind(holder).bind(time);
                bounded(query.execute(pool))
                    .await
                    .map(|done| done.rows_affected())
            }
            Pool::Postgres(pool) => {
                let query = sqlx::query(TAKE_POSTGRES)
                    .bind(name)
                    .bind(holder)
                    .bind(time);
                bounded(query.execute(pool))
                    .await
                    .map(|done| done.rows_affected())
            }
        };
        Ok(taken? > 0)
    }

    /// Gives this lease back, if this host has it: what it was for is done.
    ///
    /// # Errors
    /// The store does not answer: it ends by itself.
    pub async fn give_lease_back(&self, name: &str) -> Result<(), StoreError> {
        let holder = self.shared.host();
        super::on!(self, pool => bounded(
            sqlx::query(GIVE_BACK).bind(holder).bind(name).execute(pool)
        ).await.map(drop))
    }

    /// Gives all leases back that this host has.
    ///
    /// # Errors
    /// The store does not answer: they end by themselves.
    pub async fn give_leases_back(&self) -> Result<(), StoreError> {
        let holder = self.shared.host();
        super::on!(self, pool => bounded(
            sqlx::query(GIVE_ALL_BACK).bind(holder).execute(pool)
        ).await.map(drop))
    }
}
