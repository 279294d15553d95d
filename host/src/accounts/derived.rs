//! Signed tokens that were given for a credential that lasts, a bot's or a user's: they live by
//! themselves, and end with it.

use super::store::{Revocable, Store, StoreError, bounded, on, seconds};

/// What a token was given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent<'a> {
    /// The opaque token of this id.
    Token(&'a str),
    /// The key of the bot of this id.
    Bot(&'a str),
}

impl Parent<'_> {
    /// As it is kept.
    fn name(self) -> String {
        match self {
            Parent::Token(id) => format!("token {id}"),
            Parent::Bot(id) => format!("bot {id}"),
        }
    }
}

impl Store {
    /// Remembers a token by its `jti`, before it is handed out, until nobody takes it any more;
    /// false = what it was given for is gone, and it must not be.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn derive(
        &self,
        parent: Parent<'_>,
        id: &str,
        until: u64,
    ) -> Result<bool, StoreError> {
        const PUT: &str = "INSERT INTO derived (id, parent, until) VALUES ($1, $2, $3)";
        on!(self, pool => bounded(
            sqlx::query(PUT).bind(id).bind(parent.name()).bind(seconds(until)).execute(pool)
        ).await.map(drop))?;
        // Whoever ends the parent from here on finds it.
        let (live, parent) = match parent {
            Parent::Token(id) => (
                "SELECT COUNT(*) FROM tokens WHERE id = $1 AND revoked_at IS NULL",
                id,
            ),
            Parent::Bot(id) => ("SELECT COUNT(*) FROM bots WHERE id = $1", id),
        };
        let live: i64 = on!(self, pool => bounded(
            sqlx::query_scalar(live).bind(parent).fetch_one(pool)
        ).await)?;
        Ok(live > 0)
    }

    /// Was the token of this `jti` given for an opaque one?
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn was_given_for_token(&self, id: &str) -> Result<bool, StoreError> {
        const FOUND: &str = "SELECT COUNT(*) FROM derived WHERE id = $1 AND parent LIKE 'token %'";
        let found: i64 = on!(self, pool => bounded(
            sqlx::query_scalar(FOUND).bind(id).fetch_one(pool)
        ).await)?;
        Ok(found > 0)
    }

    /// Revokes what was given for a credential that has just ended.
    ///
    /// # Errors
    /// The store does not answer: ending it once more revokes the rest.
    pub async fn end_derived(&self, parent: Parent<'_>, now: u64) -> Result<(), StoreError> {
        const GIVEN: &str = "SELECT id, until FROM derived WHERE parent = $1 AND until > $2";
        let given: Vec<(String, i64)> = on!(self, pool => bounded(
            sqlx::query_as(GIVEN).bind(parent.name()).bind(seconds(now)).fetch_all(pool)
        ).await)?;
        for (id, until) in given {
            let until = u64::try_from(until).unwrap_or_default();
            self.revoke(Revocable::Token(&id), Some(until), now).await?;
        }
        Ok(())
    }
}
