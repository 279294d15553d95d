//! Tokens that are remembered one by one: bots', and users' own. What is kept is what they are
//! and a hash, never the token.

use serde_json::{Value, json};
use sqlx::{FromRow, Row};

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
    /// Seconds since 1970, to the minute; none = never.
    pub last_used_at: Option<u64>,
}

const COLUMNS: &str = "id, kind, owner, name, form, audience, kid, principal, expiry, created_at, created_by, expires_at, revoked_at, last_used_at";

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
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }
}

impl Store {
    /// Remembers a token, before it is handed out; `hash` is [`opaque::hash`](super::opaque::hash) of it.
    pub async fn put_token(&self, token: &Lasting, hash: &str) -> Result<(), StoreError> {
        const PUT: &str = "INSERT INTO tokens (id, kind, owner, name, form, hash, audience, kid, principal, expiry, created_at, created_by, expires_at) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        let (kind, owner) = token.owner.columns();
        let principal = token.principal.as_ref().map(written).unwrap_or_default();
        on!(self, pool => bounded(
            sqlx::query(PUT)
                .bind(&token.id).bind(kind).bind(owner).bind(&token.name).bind(form(token.form))
                .bind(hash).bind(token.audience.as_deref().unwrap_or_default()).bind(&token.kid)
                .bind(principal).bind(token.expiry.name()).bind(seconds(token.created_at))
                .bind(&token.created_by).bind(token.expires_at.map(seconds))
                .execute(pool)
        ).await.map(drop))
    }

    /// The tokens of an owner, the newest first; at most 1,000.
    pub async fn tokens_of(&self, owner: &Owner) -> Result<Vec<Lasting>, StoreError> {
        let query = format!(
            "SELECT {COLUMNS} FROM tokens WHERE kind = $1 AND owner = $2 ORDER BY created_at DESC, id LIMIT 1000"
        );
        let (kind, owner) = owner.columns();
        on!(self, pool => bounded(
            sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(kind).bind(owner).fetch_all(pool)
        ).await)
    }

    /// The token of this id.
    pub async fn token(&self, id: &str) -> Result<Option<Lasting>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM tokens WHERE id = $1");
        on!(self, pool => bounded(
            sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(id).fetch_optional(pool)
        ).await)
    }

    /// The token with this hash, whether it is good or not.
    pub async fn token_by_hash(&self, hash: &str) -> Result<Option<Lasting>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM tokens WHERE hash = $1");
        on!(self, pool => bounded(
            sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(hash).fetch_optional(pool)
        ).await)
    }

    /// Revokes a token: at every host of ours it is refused from then on.
    pub async fn revoke_token(&self, token: &Lasting, now: u64) -> Result<(), StoreError> {
        const REVOKE: &str =
            "UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
        on!(self, pool => bounded(
            sqlx::query(REVOKE).bind(&token.id).bind(seconds(now)).execute(pool)
        ).await.map(drop))?;
        let what = super::store::Revocable::Token(&token.id);
        self.revoke(what, token.expires_at, now).await
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
            last_used_at: time("last_used_at")?,
        })
    }
}
