//! Which of the remembered tokens still need the key that signed them.

use super::store::{Store, StoreError, bounded, on, seconds};

const NEWEST: &str = "SELECT expires_at FROM tokens WHERE kid = $1 AND expires_at > $2 AND revoked_at IS NULL \
    ORDER BY expires_at DESC LIMIT 1";

/// More are not told one by one.
const FOREVER: &str = "SELECT tokens.kind, COALESCE(bots.name, tokens.owner), tokens.id FROM tokens \
    LEFT JOIN bots ON tokens.kind = 'bot' AND bots.id = tokens.owner \
    WHERE tokens.kid = $1 AND tokens.expires_at IS NULL AND tokens.revoked_at IS NULL \
    ORDER BY tokens.created_at, tokens.id LIMIT 20";

impl Store {
    /// The newest `exp` among the live tokens that a key has signed, and those that never expire,
    /// each as a person would find it: `bot NAME (token ID)`.
    pub async fn needs_key(
        &self,
        kid: &str,
        now: u64,
    ) -> Result<(Option<u64>, Vec<String>), StoreError> {
        let newest: Option<i64> = on!(self, pool => bounded(
            sqlx::query_scalar(NEWEST).bind(kid).bind(seconds(now)).fetch_optional(pool)
        ).await)?;
        let forever: Vec<(String, String, String)> = on!(self, pool => bounded(
            sqlx::query_as(FOREVER).bind(kid).fetch_all(pool)
        ).await)?;
        let forever = forever.into_iter();
        let forever = forever.map(|(kind, owner, id)| format!("{kind} {owner} (token {id})"));
        let newest = newest.and_then(|at| u64::try_from(at).ok());
        Ok((newest, forever.collect()))
    }
}
