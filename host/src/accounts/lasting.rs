//! Tokens that are remembered one by one: bots', and users' own. What is kept is what they are
//! and a hash, never the token.

use serde_json::{Value, json};
use sqlx::{FromRow, Row};

use super::derived::Parent;
use super::provision::Principal;
use super::store::{Store, StoreError, bounded, on, seconds};
use crate::backends::user;
use crate::config::shapes::{Expiry, TokenForm};
use countersign_abi::User;

/// Whose a token is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A bot's, by the bot's id.
    Bot(String),
    /// A user's own: his backend and his id there, `BACKEND:ID`.
    User(String),
}

/// What is known of a token.
#[derive(Debug, Clone)]
pub struct Lasting {
    /// `jti` of a signed one; 32 hexadecimal characters.
    pub id: String,
    /// Whose it is.
    pub owner: Owner,
    /// What its owner calls it; may be empty.
    pub name: String,
    /// A signed token, or an opaque one.
    pub form: TokenForm,
    /// The name of its audience; none = the default one.
    pub audience: Option<String>,
    /// The key that signed it; empty for an opaque one.
    pub kid: String,
    /// Of a user's token: who he was when he made it.
    pub principal: Option<Principal>,
    /// How long it was made for.
    pub expiry: Expiry,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Who asked for it.
    pub created_by: String,
    /// Seconds since 1970; none = never.
    pub expires_at: Option<u64>,
    /// Seconds since 1970; none = it was not.
    pub revoked_at: Option<u64>,
    /// Seconds since 1970: another has taken its place, and it is revoked then; none = it stays.
    pub ends_at: Option<u64>,
    /// Seconds since 1970; a use at another host is known after a minute. None = never.
    pub last_used_at: Option<u64>,
}

/// Who makes the tokens of `bots.seed`.
pub const SEEDER: &str = "bots.seed";

/// What these are called once their file is written. As long as their bot is there, they are not
/// forgotten: no other is made in their place.
pub const SEEDED: &str = "seed";

const COLUMNS: &str = "id, kind, owner, name, form, audience, kid, principal, expiry, created_at, created_by, expires_at, revoked_at, ends_at, last_used_at";

impl Owner {
    /// The user's own, as the store names him.
    pub fn user(principal: &Principal) -> Self {
        Owner::User(format!("{}:{}", principal.backend, principal.user.id))
    }

    fn columns(&self) -> (&'static str, &str) {
        match self {
            Owner::Bot(id) => ("bot", id),
            Owner::User(id) => ("user", id),
        }
    }
}

impl Lasting {
    /// Is it good at this time?
    pub fn is_live(&self, now: u64) -> bool {
        self.revoked_at.is_none() && self.end().is_none_or(|at| at > now)
    }

    /// When it is good no more, if nobody revokes it before; none = never.
    pub fn end(&self) -> Option<u64> {
        match (self.expires_at, self.ends_at) {
            (Some(expires), Some(ends)) => Some(expires.min(ends)),
            (expires, ends) => expires.or(ends),
        }
    }
}

impl Store {
    /// Remembers a token, before it is handed out; `hash` is [`opaque::hash`](super::opaque::hash)
    /// of it. The answer is whether its bot is still there: a token that is made while its bot
    /// is deleted must not outlive it.
    pub async fn put_token(&self, token: &Lasting, hash: &str) -> Result<bool, StoreError> {
        /// Changes nothing, and whoever deletes the bot waits.
        const HOLD: &str = "UPDATE bots SET name = name WHERE id = $1";
        const PUT: &str = "INSERT INTO tokens (id, kind, owner, name, form, hash, audience, kid, principal, expiry, created_at, created_by, expires_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        let (kind, owner) = token.owner.columns();
        let principal = token.principal.as_ref().map(written).unwrap_or_default();
        on!(self, pool => bounded(async {
            let mut work = pool.begin().await?;
            if let Owner::Bot(id) = &token.owner {
                let held = sqlx::query(HOLD).bind(id).execute(&mut *work).await?;
                if held.rows_affected() == 0 {
                    return Ok(false);
                }
            }
            sqlx::query(PUT)
                .bind(&token.id).bind(kind).bind(owner).bind(&token.name).bind(form(token.form))
                .bind(hash).bind(token.audience.as_deref().unwrap_or_default()).bind(&token.kid)
                .bind(principal).bind(token.expiry.name()).bind(seconds(token.created_at))
                .bind(&token.created_by).bind(token.expires_at.map(seconds))
                .execute(&mut *work).await?;
            work.commit().await.map(|()| true)
        }).await)
    }

    /// The tokens of an owner, the newest first; at most 1,000: of more, those that are over at
    /// `now` are left out before any that is good.
    pub async fn tokens_of(&self, owner: &Owner, now: u64) -> Result<Vec<Lasting>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS} FROM tokens WHERE kind = $1 AND owner = $2 ORDER BY CASE WHEN revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > $3) AND (ends_at IS NULL OR ends_at > $3) THEN 0 ELSE 1 END, \
             created_at DESC, id LIMIT 1000"
        );
        let (kind, owner) = owner.columns();
        let mut tokens: Vec<Lasting> = on!(self, pool => bounded(
            sqlx::query_as(sqlx::AssertSqlSafe(query))
                .bind(kind).bind(owner).bind(seconds(now))
                .fetch_all(pool)
        ).await)?;
        tokens.iter_mut().for_each(|token| self.add_use(token));
        tokens.sort_by(|one, other| {
            let newest = other.created_at.cmp(&one.created_at);
            newest.then_with(|| one.id.cmp(&other.id))
        });
        Ok(tokens)
    }

    /// Users' own tokens that somebody of this name made, the newest first; at most 1,000.
    pub async fn tokens_made_by(&self, username: &str) -> Result<Vec<Lasting>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS} FROM tokens WHERE kind = 'user' AND created_by = $1 ORDER BY created_at DESC, id LIMIT 1000"
        );
        let mut tokens: Vec<Lasting> = on!(self, pool => bounded(
            sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(username).fetch_all(pool)
        ).await)?;
        tokens.iter_mut().for_each(|token| self.add_use(token));
        Ok(tokens)
    }

    /// The token of this id.
    pub async fn token(&self, id: &str) -> Result<Option<Lasting>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM tokens WHERE id = $1");
        let mut token: Option<Lasting> = on!(self, pool => bounded(
            sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(id).fetch_optional(pool)
        ).await)?;
        token.iter_mut().for_each(|token| self.add_use(token));
        Ok(token)
    }

    /// The token with this hash, whether it is good or not.
    pub async fn token_by_hash(&self, hash: &str) -> Result<Option<Lasting>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM tokens WHERE hash = $1");
        on!(self, pool => bounded(
            sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(hash).fetch_optional(pool)
        ).await)
    }

    /// The tokens of an owner that were not revoked, the oldest first; at most 1,000.
    pub async fn unrevoked_tokens_of(&self, owner: &Owner) -> Result<Vec<Lasting>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS} FROM tokens WHERE kind = $1 AND owner = $2 AND revoked_at IS NULL \
             ORDER BY created_at, id LIMIT 1000"
        );
        let (kind, owner) = owner.columns();
        on!(self, pool => bounded(
            sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(kind).bind(owner).fetch_all(pool)
        ).await)
    }

    /// Revokes a token: at every host of ours it is refused from then on, as is what was given
    /// for it. Refused first and marked then, so that what is cut off in between can be done again.
    pub async fn revoke_token(&self, token: &Lasting, now: u64) -> Result<(), StoreError> {
        const REVOKE: &str =
            "UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        let what = super::store::Revocable::Token(&token.id);
        let parent = Parent::Token(&token.id);
        self.revoke(what, token.expires_at, now).await?;
        self.end_derived(parent, now).await?;
        on!(self, pool => bounded(
            sqlx::query(REVOKE).bind(&token.id).bind(seconds(now)).execute(pool)
        ).await.map(drop))?;
        // What was given between the two.
        self.end_derived(parent, now).await
    }

    /// Another token has taken its place: it is good until `at`, unless it ends before anyway.
    pub async fn end_token(&self, token: &Lasting, at: u64) -> Result<(), StoreError> {
        const END: &str =
            "UPDATE tokens SET ends_at = $2 WHERE id = $1 AND (ends_at IS NULL OR ends_at > $2)";
        on!(self, pool => bounded(
            sqlx::query(END).bind(&token.id).bind(seconds(at)).execute(pool)
        ).await.map(drop))
    }

    /// Calls a token something else.
    pub async fn name_token(&self, id: &str, name: &str) -> Result<(), StoreError> {
        const NAME: &str = "UPDATE tokens SET name = $2 WHERE id = $1";
        on!(self, pool => bounded(
            sqlx::query(NAME).bind(id).bind(name).execute(pool)
        ).await.map(drop))
    }

    /// Tokens whose end has come and that nobody has revoked yet; at most 1,000.
    pub async fn ended_tokens(&self, now: u64) -> Result<Vec<Lasting>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS} FROM tokens WHERE ends_at <= $1 AND revoked_at IS NULL ORDER BY ends_at LIMIT 1000"
        );
        on!(self, pool => bounded(
            sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(seconds(now)).fetch_all(pool)
        ).await)
    }

    /// Bots' live tokens whose time is over by `until`, the next one first, with their bots'
    /// names; those that another has replaced are left out, and those that have more than the
    /// last quarter of their time before them. At most `limit`.
    pub async fn expiring_tokens(
        &self,
        now: u64,
        until: u64,
        limit: u32,
    ) -> Result<Vec<(String, Lasting)>, StoreError> {
        let columns = COLUMNS.split(", ").map(|name| format!("tokens.{name}"));
        let query = format!(
            "SELECT bots.name AS bot, {} FROM tokens JOIN bots ON bots.id = tokens.owner \
             WHERE kind = 'bot' AND revoked_at IS NULL AND ends_at IS NULL \
             AND expires_at > $1 AND expires_at <= $2 \
             AND (expires_at - $1) * 4 <= expires_at - tokens.created_at ORDER BY expires_at LIMIT $3",
            columns.collect::<Vec<_>>().join(", ")
        );
        on!(self, pool => bounded(async {
            let rows = sqlx::query(sqlx::AssertSqlSafe(query))
                .bind(seconds(now)).bind(seconds(until)).bind(i64::from(limit))
                .fetch_all(pool).await?;
            let read = |row| Ok((Row::try_get(row, "bot")?, Lasting::from_row(row)?));
            rows.iter().map(read).collect()
        }).await)
    }

    /// The last use of a token that was read, where it is not written yet.
    fn add_use(&self, token: &mut Lasting) {
        token.last_used_at = token.last_used_at.max(self.touched(&token.id));
    }

    /// How many live tokens bots have, and how many of them are over by each of `until`; those
    /// that another has replaced are left out of these.
    pub async fn count_bot_tokens<const N: usize>(
        &self,
        now: u64,
        until: [u64; N],
    ) -> Result<(u64, [u64; N]), StoreError> {
        const LIVE: &str = "SELECT COUNT(*) FROM tokens WHERE kind = 'bot' AND revoked_at IS NULL \
            AND (expires_at IS NULL OR expires_at > $1) AND (ends_at IS NULL OR ends_at > $1)";
        const EXPIRING: &str = "SELECT COUNT(*) FROM tokens WHERE kind = 'bot' AND revoked_at IS NULL \
            AND ends_at IS NULL AND expires_at > $1 AND expires_at <= $2";
        let live: i64 = on!(self, pool => bounded(
            sqlx::query_scalar(LIVE).bind(seconds(now)).fetch_one(pool)
        ).await)?;
        let mut expiring = [0; N];
        for (count, until) in expiring.iter_mut().zip(until) {
            let found: i64 = on!(self, pool => bounded(
                sqlx::query_scalar(EXPIRING).bind(seconds(now)).bind(seconds(until)).fetch_one(pool)
            ).await)?;
            *count = found.try_into().unwrap_or_default();
        }
        Ok((live.try_into().unwrap_or_default(), expiring))
    }
}

/// A user as he is remembered.
pub fn written(principal: &Principal) -> String {
    json!({ "backend": principal.backend, "home": principal.home, "user": user::as_json(&principal.user) })
        .to_string()
}

/// A user as he was remembered; none = the text is none of ours.
pub fn read(text: &str) -> Option<Principal> {
    let value: Value = serde_json::from_str(text).ok()?;
    Some(Principal {
        backend: value["backend"].as_str()?.to_owned(),
        home: value["home"].as_str()?.to_owned(),
        user: User::try_from(value["user"].clone()).ok()?,
    })
}

fn form(form: TokenForm) -> &'static str {
    match form {
        TokenForm::Jwt => "jwt",
        TokenForm::Opaque => "opaque",
    }
}

impl<'r, R> FromRow<'r, R> for Lasting
where
    R: Row,
    &'r str: sqlx::ColumnIndex<R>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let text = |name| row.try_get::<String, _>(name);
        let time = |name| -> sqlx::Result<Option<u64>> {
            let at: Option<i64> = row.try_get(name)?;
            Ok(at.map(|at| at.try_into().unwrap_or_default()))
        };
        let owner = match text("kind")?.as_str() {
            "bot" => Owner::Bot(text("owner")?),
            _ => Owner::User(text("owner")?),
        };
        let expiry = text("expiry")?;
        let expiry = Expiry::ALL.into_iter().find(|each| each.name() == expiry);
        Ok(Lasting {
            id: text("id")?,
            owner,
            name: text("name")?,
            form: match text("form")?.as_str() {
                "opaque" => TokenForm::Opaque,
                _ => TokenForm::Jwt,
            },
            audience: Some(text("audience")?).filter(|name| !name.is_empty()),
            kid: text("kid")?,
            principal: read(&text("principal")?),
            expiry: expiry.unwrap_or_default(),
            created_at: time("created_at")?.unwrap_or_default(),
            created_by: text("created_by")?,
            expires_at: time("expires_at")?,
            revoked_at: time("revoked_at")?,
            ends_at: time("ends_at")?,
            last_used_at: time("last_used_at")?,
        })
    }
}
