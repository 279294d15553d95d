//! Bots: programs that have roles and tokens of their own. Rows of the store; what may be done
//! to them, and by whom, is the faces' business.

use std::fmt;

use serde::{Deserialize, Serialize};
use sqlx::{FromRow, Row};

use super::derived::Parent;
use super::store::{Store, StoreError, bounded, fold, is_duplicate, on, random_uuid, seconds};
use crate::clock;
use crate::config::shapes::is_our_client;

/// A name is at most this long.
const LONGEST_NAME: usize = 128;

/// A bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// A UUID.
    pub id: String,
    /// Unique, whatever its case.
    pub name: String,
    /// How people call it; may be empty.
    pub display_name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// Its address; may be empty.
    pub email: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Its public keys, a JWK set; empty = none.
    pub jwks: String,
    /// Seconds since 1970.
    pub created_at: u64,
    /// Who made it.
    pub created_by: String,
    /// Seconds since 1970.
    pub updated_at: u64,
    /// Who changed it last.
    pub updated_by: String,
}

/// What a new bot is like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewBot {
    /// See [`Bot::name`].
    pub name: String,
    /// See [`Bot::display_name`].
    pub display_name: String,
    /// See [`Bot::description`].
    pub description: String,
    /// See [`Bot::email`].
    pub email: String,
    /// See [`Bot::roles`].
    pub roles: Vec<String>,
    /// See [`Bot::jwks`].
    pub jwks: String,
}

/// Which of the bots, by their names: the nearest on one side of this one.
#[derive(Debug, Clone, Copy)]
pub enum Side<'a> {
    /// After this name; the empty one is before all others.
    After(&'a str),
    /// Before this name.
    Before(&'a str),
}

/// Why a bot cannot be had, made or changed.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum BotError {
    #[error("there is no bot \"{0}\"")]
    NoSuchBot(String),
    #[error("there is a bot \"{0}\" already")]
    Exists(String),
    #[error(
        "\"{0}\" is no name for a bot: 1 to {LONGEST_NAME} letters, digits and . _ - @, the first a letter or a digit"
    )]
    Name(String),
    #[error("\"{0}\" is this server's own name among OAuth clients, and none for a bot")]
    Reserved(String),
    #[error("the system has no random numbers")]
    Random,
    #[error(transparent)]
    Store(#[from] StoreError),
}

const COLUMNS: &str = "id, name, display_name, description, email, roles, jwks, created_at, created_by, updated_at, updated_by";

impl Store {
    /// Makes a bot; `by` is who asks for it.
    ///
    /// # Errors
    /// [`BotError`]: the name is none, taken, or one of our own clients'.
    pub async fn create_bot(&self, new: &NewBot, by: &str, now: u64) -> Result<Bot, BotError> {
        if !is_name(&new.name) {
            return Err(BotError::Name(new.name.chars().take(64).collect()));
        }
        if is_our_client(&new.name) {
            return Err(BotError::Reserved(new.name.clone()));
        }
        let bot = Bot {
            id: random_uuid().ok_or(BotError::Random)?,
            name: new.name.clone(),
            display_name: new.display_name.clone(),
            description: new.description.clone(),
            email: new.email.clone(),
            roles: new.roles.clone(),
            jwks: new.jwks.clone(),
            created_at: now,
            created_by: by.to_owned(),
            updated_at: now,
            updated_by: by.to_owned(),
        };
        let written = on!(self, pool => bounded(
            sqlx::query("INSERT INTO bots (id, folded, name, display_name, description, email, roles, jwks, created_at, created_by, updated_at, updated_by, searched) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9, $10, $11)")
                .bind(&bot.id).bind(fold(&bot.name)).bind(&bot.name)
                .bind(&bot.display_name).bind(&bot.description).bind(&bot.email)
                .bind(list(&bot.roles)).bind(&bot.jwks).bind(seconds(now)).bind(by).bind(searched(&bot))
                .execute(pool)
        ).await.map(drop));
        match written {
            Ok(()) => Ok(bot),
            Err(StoreError::Query(error)) if is_duplicate(&error) => {
                Err(BotError::Exists(bot.name))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The bot of this name.
    ///
    /// # Errors
    /// [`BotError`]: there is none.
    pub async fn bot(&self, name: &str) -> Result<Bot, BotError> {
        // No text that somebody sends is anything but a name to the database.
        if !is_name(name) {
            return Err(BotError::NoSuchBot(name.chars().take(64).collect()));
        }
        let query = "WHERE folded = $1";
        let found = self.find_bot(query, &fold(name)).await?;
        found.ok_or_else(|| BotError::NoSuchBot(name.to_owned()))
    }

    /// The bot of this id.
    ///
    /// # Errors
    /// [`BotError`]: there is none.
    pub async fn bot_by_id(&self, id: &str) -> Result<Bot, BotError> {
        let found = self.find_bot("WHERE id = $1", id).await?;
        found.ok_or_else(|| BotError::NoSuchBot(id.to_owned()))
    }

    /// Bots by their names, those on this side, at most `limit`; `search` is a part of name,
    /// display name or description.
    pub async fn bots(
        &self,
        search: &str,
        side: Side<'_>,
        limit: u32,
    ) -> Result<Vec<Bot>, StoreError> {
        let (name, is, order) = match side {
            Side::After(name) => (name, ">", "ASC"),
            Side::Before(name) => (name, "<", "DESC"),
        };
        let query = format!(
            "SELECT {COLUMNS} FROM bots WHERE folded {is} $1 AND ($2 = '' OR searched LIKE $3 ESCAPE '\\') \
             ORDER BY folded {order} LIMIT $4"
        );
        let (pattern, name, limit) = (containing(search), fold(name), i64::from(limit));
        let mut found: Vec<Bot> = on!(self, pool => bounded(
            sqlx::query_as(sqlx::AssertSqlSafe(query))
                .bind(name).bind(search).bind(pattern).bind(limit)
                .fetch_all(pool)
        ).await)?;
        if matches!(side, Side::Before(_)) {
            found.reverse();
        }
        Ok(found)
    }

    /// How many bots there are that [`bots`](Self::bots) would find.
    pub async fn count_bots(&self, search: &str) -> Result<u64, StoreError> {
        const COUNT: &str =
            "SELECT COUNT(*) FROM bots WHERE $1 = '' OR searched LIKE $2 ESCAPE '\\'";
        let count: i64 = on!(self, pool => bounded(
            sqlx::query_scalar(COUNT).bind(search).bind(containing(search)).fetch_one(pool)
        ).await)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Writes what is new of a bot: its texts, roles and keys.
    ///
    /// # Errors
    /// [`BotError`]: it is gone.
    pub async fn change_bot(&self, bot: &Bot, by: &str, now: u64) -> Result<(), BotError> {
        const CHANGE: &str = "UPDATE bots SET display_name = $2, description = $3, email = $4, roles = $5, \
            jwks = $6, updated_at = $7, updated_by = $8, searched = $9 WHERE id = $1";
        let changed = on!(self, pool => bounded(
            sqlx::query(CHANGE)
                .bind(&bot.id).bind(&bot.display_name).bind(&bot.description).bind(&bot.email)
                .bind(list(&bot.roles)).bind(&bot.jwks).bind(seconds(now)).bind(by).bind(searched(bot))
                .execute(pool)
        ).await.map(|done| done.rows_affected()))?;
        match changed {
            0 => Err(BotError::NoSuchBot(bot.name.clone())),
            _ => Ok(()),
        }
    }

    /// Removes a bot, and ends what was given for its key. Its tokens are to be revoked before,
    /// and looked for again after.
    ///
    /// # Errors
    /// [`BotError`]: it is gone.
    pub async fn delete_bot(&self, bot: &Bot) -> Result<(), BotError> {
        let (key, now) = (Parent::Bot(&bot.id), clock::unix_now());
        self.end_derived(key, now).await?;
        let gone = on!(self, pool => bounded(
            sqlx::query("DELETE FROM bots WHERE id = $1").bind(&bot.id).execute(pool)
        ).await.map(|done| done.rows_affected()))?;
        match gone {
            0 => Err(BotError::NoSuchBot(bot.name.clone())),
            // What was given between the two.
            _ => Ok(self.end_derived(key, now).await?),
        }
    }

    async fn find_bot(&self, which: &str, value: &str) -> Result<Option<Bot>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM bots {which}");
        on!(self, pool => bounded(
            sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(value).fetch_optional(pool)
        ).await)
    }
}

impl fmt::Display for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl<'r, R> FromRow<'r, R> for Bot
where
    R: Row,
    &'r str: sqlx::ColumnIndex<R>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let time = |name| {
            row.try_get(name)
                .map(|at: i64| at.try_into().unwrap_or_default())
        };
        let roles: String = row.try_get("roles")?;
        Ok(Bot {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            display_name: row.try_get("display_name")?,
            description: row.try_get("description")?,
            email: row.try_get("email")?,
            roles: serde_json::from_str(&roles).unwrap_or_default(),
            jwks: row.try_get("jwks")?,
            created_at: time("created_at")?,
            created_by: row.try_get("created_by")?,
            updated_at: time("updated_at")?,
            updated_by: row.try_get("updated_by")?,
        })
    }
}

/// What a search looks in. Folded here, since SQLite folds ASCII alone.
fn searched(bot: &Bot) -> String {
    let texts = [&*bot.name, &*bot.display_name, &*bot.description];
    fold(&texts.join("\n"))
}

/// A pattern of LIKE for texts that contain this one.
fn containing(search: &str) -> String {
    let mut pattern = String::from("%");
    for character in fold(search).chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

fn list(texts: &[String]) -> String {
    serde_json::json!(texts).to_string()
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte);
    let first = name.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphanumeric())
        && name.len() <= LONGEST_NAME
        && name.bytes().all(fits)
}
