//! What users have agreed to: a client has tokens for one of them, and refreshes them. Each
//! refresh token is used once; the next one is of the next generation.
//!
//! Who refreshes twice at once, or has lost the answer, is forgiven for a moment
//! ([`GRACE`]): both get tokens of the same generation. Any other second use means that
//! somebody has a copy, and nobody knows which of the two is the thief: the grant is over for
//! both (RFC 9700 section 4.14.2).

use super::lasting::{read, written};
use super::provision::Principal;
use super::store::{Revocable, Store, StoreError, bounded, on, seconds};

/// Seconds in which a refresh token may be used again.
pub const GRACE: u64 = 30;

/// How often it is looked who has used a token: whoever was slower than another looks again, and
/// sees what that one made of it.
const LOOKS: u32 = 3;

/// What a user has agreed to.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Of the code, or of the device, that it began with.
    pub id: String,
    /// The client that has it.
    pub client: String,
    /// The thumbprint of the key that its refresh tokens are bound to (RFC 9449 section 5); none =
    /// they are bound to none.
    pub key: Option<String>,
    /// Who it is for.
    pub principal: Principal,
    /// The name of the audience; none = the default one.
    pub audience: Option<String>,
    /// The generation that its next tokens are of.
    pub generation: u64,
    /// When it ends, in seconds since 1970.
    pub ends_at: u64,
}

/// The tokens of one generation of a grant, as they are remembered.
#[derive(Debug, Clone)]
pub struct Pair<'a> {
    /// [`opaque::hash`](super::opaque::hash) of the refresh token.
    pub hash: &'a str,
    /// When the refresh token expires, in seconds since 1970.
    pub expires_at: u64,
    /// `jti` of the access token.
    pub access_id: &'a str,
    /// Until when anybody takes the access token.
    pub access_until: u64,
}

/// What a refresh token is good for.
#[derive(Debug)]
pub enum Taken {
    /// The next tokens of its grant.
    Next(Box<Grant>),
    /// Nothing: it was used before. The grant must end.
    Reused(Box<Grant>),
    /// Nothing: whose it was, and why.
    Refused(Box<Grant>, &'static str),
    /// Nobody knows it.
    Unknown,
}

/// A row of a token and its grant: grant, token's generation, its end; client, key, principal,
/// audience, generation, when that began, end, end before its time.
type Row = (
    String,
    i64,
    i64,
    String,
    String,
    String,
    String,
    i64,
    i64,
    i64,
    Option<i64>,
);

const FIND: &str = "SELECT t.grant_id, t.generation, t.expires_at, g.client, g.jkt, g.principal, g.audience, g.generation, g.advanced_at, g.ends_at, g.revoked_at \
    FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id WHERE t.hash = $1";

const BEGIN: &str = "INSERT INTO grants (id, client, principal, audience, generation, advanced_at, created_at, ends_at, jkt) \
    VALUES ($1, $2, $3, $4, 0, $5, $5, $6, $7) ON CONFLICT (id) DO NOTHING";

const ADVANCE: &str = "UPDATE grants SET generation = $2 + 1, advanced_at = $3, jkt = $4 \
    WHERE id = $1 AND generation = $2 AND revoked_at IS NULL";

const PUT: &str = "INSERT INTO refresh_tokens (hash, grant_id, generation, created_at, expires_at, access_id, access_until) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// One that is not there yet is revoked before it begins.
const REVOKE: &str = "INSERT INTO grants (id, client, principal, audience, generation, advanced_at, created_at, ends_at, revoked_at) \
    VALUES ($1, '', '', '', 0, $2, $2, $3, $2) \
    ON CONFLICT (id) DO UPDATE SET revoked_at = COALESCE(grants.revoked_at, excluded.revoked_at)";

const ACCESS: &str =
    "SELECT access_id, access_until FROM refresh_tokens WHERE grant_id = $1 AND access_until > $2";

/// Seconds for which a grant that never began is remembered as revoked: longer than any code
/// lives.
const TOMBSTONE: u64 = 3_600;

impl Store {
    /// Begins a grant; false = it was begun before, or is over already.
    pub async fn begin_grant(&self, grant: &Grant, now: u64) -> Result<bool, StoreError> {
        let principal = written(&grant.principal);
        let audience = grant.audience.as_deref().unwrap_or_default();
        on!(self, pool => bounded(
            sqlx::query(BEGIN)
                .bind(&grant.id).bind(&grant.client).bind(principal).bind(audience)
                .bind(seconds(now)).bind(seconds(grant.ends_at))
                .bind(grant.key.as_deref().unwrap_or_default())
                .execute(pool)
        ).await.map(|done| done.rows_affected() > 0))
    }

    /// Uses a refresh token, unless it is another client's, or bound to another key than the one
    /// that this client has proved to have. Of a grant that is bound to none, the tokens are bound
    /// to that key from then on.
    pub async fn take_refresh(
        &self,
        hash: &str,
        client: &str,
        key: Option<&str>,
        now: u64,
    ) -> Result<Taken, StoreError> {
        for _ in 0..LOOKS {
            let Some((grant, held)) = self.find_refresh(hash).await? else {
                return Ok(Taken::Unknown);
            };
            let grant = Box::new(grant);
            if grant.client != client {
                return Ok(Taken::Refused(grant, "it is another client's"));
            }
            if !grant.is_for(key) {
                return Ok(Taken::Refused(grant, "it is bound to another key"));
            }
            if held.revoked {
                return Ok(Taken::Refused(grant, "it was revoked"));
            }
            if held.expires_at <= now || grant.ends_at <= now {
                return Ok(Taken::Refused(grant, "it has expired"));
            }
            let current = grant.generation;
            if held.generation == current {
                let advanced = on!(self, pool => bounded(
                    sqlx::query(ADVANCE)
                        .bind(&grant.id).bind(seconds(current)).bind(seconds(now))
                        .bind(key.unwrap_or_default())
                        .execute(pool)
                ).await.map(|done| done.rows_affected()))?;
                if advanced == 0 {
                    // Somebody else was faster: what he made of it decides.
                    continue;
                }
                let generation = current + 1;
                return Ok(Taken::Next(Box::new(Grant {
                    generation,
                    key: key.map(str::to_owned),
                    ..*grant
                })));
            }
            // Either way: a host whose clock is ahead must not make the moment longer.
            let at_once = now.abs_diff(held.advanced_at) <= GRACE;
            return Ok(match held.generation + 1 == current && at_once {
                true => Taken::Next(grant),
                false => Taken::Reused(grant),
            });
        }
        Ok(Taken::Unknown)
    }

    /// Remembers the tokens of a grant, before they are handed out; false = the grant is over,
    /// and they must not be.
    pub async fn put_refresh(
        &self,
        grant: &Grant,
        pair: &Pair<'_>,
        now: u64,
    ) -> Result<bool, StoreError> {
        on!(self, pool => bounded(
            sqlx::query(PUT)
                .bind(pair.hash).bind(&grant.id).bind(seconds(grant.generation)).bind(seconds(now))
                .bind(seconds(pair.expires_at)).bind(pair.access_id).bind(seconds(pair.access_until))
                .execute(pool)
        ).await.map(drop))?;
        // Whoever revokes the grant from here on finds them.
        const LIVE: &str = "SELECT COUNT(*) FROM grants WHERE id = $1 AND revoked_at IS NULL";
        let live: i64 = on!(self, pool => bounded(
            sqlx::query_scalar(LIVE).bind(&grant.id).fetch_one(pool)
        ).await)?;
        Ok(live > 0)
    }

    /// Ends a grant: its refresh tokens and all its access tokens are refused from then on.
    pub async fn revoke_grant(&self, id: &str, now: u64) -> Result<(), StoreError> {
        let forgotten = seconds(now.saturating_add(TOMBSTONE));
        on!(self, pool => bounded(
            sqlx::query(REVOKE).bind(id).bind(seconds(now)).bind(forgotten).execute(pool)
        ).await.map(drop))?;
        let given: Vec<(String, i64)> = on!(self, pool => bounded(
            sqlx::query_as(ACCESS).bind(id).bind(seconds(now)).fetch_all(pool)
        ).await)?;
        for (id, until) in given {
            let until = u64::try_from(until).unwrap_or_default();
            self.revoke(Revocable::Token(&id), Some(until), now).await?;
        }
        Ok(())
    }

    /// The grant of a refresh token, whether that is good or not; and whether the grant goes on.
    pub async fn grant_of(&self, hash: &str) -> Result<Option<(Grant, bool)>, StoreError> {
        let found = self.find_refresh(hash).await?;
        Ok(found.map(|(grant, held)| (grant, !held.revoked)))
    }

    /// The client that was given an access token, if that came with a refresh token.
    pub async fn client_of(&self, access_id: &str) -> Result<Option<String>, StoreError> {
        const CLIENT: &str = "SELECT g.client FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id \
            WHERE t.access_id = $1";
        on!(self, pool => bounded(
            sqlx::query_scalar(CLIENT).bind(access_id).fetch_optional(pool)
        ).await)
    }

    async fn find_refresh(&self, hash: &str) -> Result<Option<(Grant, Held)>, StoreError> {
        let row: Option<Row> = on!(self, pool => bounded(
            sqlx::query_as(FIND).bind(hash).fetch_optional(pool)
        ).await)?;
        Ok(row.and_then(found))
    }
}

impl Grant {
    /// May a client refresh it that has proved to have this key, or none?
    pub fn is_for(&self, key: Option<&str>) -> bool {
        self.key.is_none() || self.key.as_deref() == key
    }
}

/// What is known of a refresh token beside its grant.
struct Held {
    generation: u64,
    expires_at: u64,
    advanced_at: u64,
    revoked: bool,
}

/// None = the row is none of ours: nothing comes of it.
fn found(row: Row) -> Option<(Grant, Held)> {
    let (
        id,
        generation,
        expires,
        client,
        key,
        principal,
        audience,
        current,
        advanced,
        ends,
        revoked,
    ) = row;
    let number = |number: i64| u64::try_from(number).unwrap_or_default();
    let grant = Grant {
        id,
        client,
        key: Some(key).filter(|key| !key.is_empty()),
        principal: read(&principal)?,
        audience: Some(audience).filter(|name| !name.is_empty()),
        generation: number(current),
        ends_at: number(ends),
    };
    let held = Held {
        generation: number(generation),
        expires_at: number(expires),
        advanced_at: number(advanced),
        revoked: revoked.is_some(),
    };
    Some((grant, held))
}
