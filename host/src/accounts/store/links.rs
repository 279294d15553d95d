//! Links: which row of a target backend a user of another backend is.

use super::{Store, StoreError, bounded, on, seconds};

/// Whose link, and where to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LinkKey {
    /// The backend that authenticates the user.
    pub backend: String,
    /// His id there.
    pub subject: String,
    /// The backend that keeps the row.
    pub target: String,
}

/// What the store knows of a user in a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The row's id; none = the name was free, a row was about to be made, and whether it
    /// was is not known.
    pub id: Option<String>,
    /// The row's name, folded.
    pub username: String,
    /// The roles that the host gave.
    pub roles: Vec<String>,
}

/// A row that was found or made.
#[derive(Debug, Clone, Copy)]
pub struct Linked<'a> {
    /// The row's id.
    pub id: &'a str,
    /// The row's name.
    pub username: &'a str,
    /// The roles that the host gave.
    pub roles: &'a [String],
}

/// Whose row it is, or was about to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedRow {
    /// Whose, and where.
    pub key: LinkKey,
    /// The row's id; none as in [`Link::id`].
    pub id: Option<String>,
}

const FIND: &str = "SELECT target_id, username, roles FROM links WHERE backend = $1 AND subject = $2 AND target = $3";

const INTEND: &str = "INSERT INTO links (backend, subject, target, username, roles, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, '[]', $5, $5) ON CONFLICT (backend, subject, target) \
    DO UPDATE SET updated_at = excluded.updated_at WHERE links.target_id IS NULL";

/// How long a note stands for others, in seconds: longer than any login takes.
const NOTE: u64 = 300;

const EXPIRE: &str = "DELETE FROM links WHERE target = $1 AND username = $2 AND target_id IS NULL \
    AND updated_at < $3 AND NOT (backend = $4 AND subject = $5)";

const FORGET: &str =
    "DELETE FROM links WHERE backend = $1 AND subject = $2 AND target = $3 AND target_id IS NULL";

/// A link that is there keeps its row.
const LINK: &str = "INSERT INTO links (backend, subject, target, target_id, username, roles, created_at, updated_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7) \
    ON CONFLICT (backend, subject, target) DO UPDATE SET target_id = excluded.target_id, \
        username = excluded.username, roles = excluded.roles, updated_at = excluded.updated_at \
    WHERE links.target_id IS NULL OR links.target_id = excluded.target_id";

const HELD: &str = "SELECT COUNT(*), COUNT(target_id) FROM links WHERE target = $1 AND username = $2 \
    AND NOT (backend = $3 AND subject = $4)";

/// More are not told one by one.
const TO: &str = "SELECT backend, subject, target, target_id FROM links \
    WHERE username = $1 AND ($2 = '' OR target = $2) ORDER BY target, backend, subject LIMIT 20";

/// The one that was found, and no other that came in its place.
const UNLINK: &str = "DELETE FROM links WHERE backend = $1 AND subject = $2 AND target = $3 \
    AND COALESCE(target_id, '') = $4";

/// Whether a name is somebody else's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Nobody's.
    No,
    /// The row of this name is linked to another user.
    Linked,
    /// A row of this name is about to be made for another user, or was, and whether it
    /// was is not known.
    Noted,
}

impl Store {
    /// The link of a user, if there is one.
    pub async fn link(&self, key: &LinkKey) -> Result<Option<Link>, StoreError> {
        type Row = (Option<String>, String, String);
        let row: Option<Row> = on!(self, pool => bounded(
            sqlx::query_as(FIND)
                .bind(&key.backend).bind(&key.subject).bind(&key.target)
                .fetch_optional(pool)
        ).await)?;
        Ok(row.map(|(id, username, roles)| Link {
            id,
            username,
            roles: serde_json::from_str(&roles).unwrap_or_default(),
        }))
    }

    /// Notes that the name is free and a row of it is about to be made. A link or a note
    /// that is there stays as it is, the note as if made now. What others noted long ago
    /// of a name that is free came to nothing, and goes.
    pub async fn intend(&self, key: &LinkKey, username: &str, now: u64) -> Result<(), StoreError> {
        on!(self, pool => bounded(
            sqlx::query(EXPIRE)
                .bind(&key.target).bind(fold(username))
                .bind(seconds(now.saturating_sub(NOTE)))
                .bind(&key.backend).bind(&key.subject)
                .execute(pool)
        ).await.map(drop))?;
        on!(self, pool => bounded(
            sqlx::query(INTEND)
                .bind(&key.backend).bind(&key.subject).bind(&key.target)
                .bind(fold(username)).bind(seconds(now))
                .execute(pool)
        ).await.map(drop))
    }

    /// Takes such a note back; a link stays.
    pub async fn forget(&self, key: &LinkKey) -> Result<(), StoreError> {
        on!(self, pool => bounded(
            sqlx::query(FORGET)
                .bind(&key.backend).bind(&key.subject).bind(&key.target)
                .execute(pool)
        ).await.map(drop))
    }

    /// Links a user to a row, or renews what is known of it.
    ///
    /// # Errors
    /// [`StoreError::Taken`]: the user is linked to another row, or the row to another user.
    pub async fn put_link(
        &self,
        key: &LinkKey,
        row: Linked<'_>,
        now: u64,
    ) -> Result<(), StoreError> {
        let roles = serde_json::json!(row.roles).to_string();
        let written = on!(self, pool => bounded(
            sqlx::query(LINK)
                .bind(&key.backend).bind(&key.subject).bind(&key.target)
                .bind(row.id).bind(fold(row.username)).bind(roles).bind(seconds(now))
                .execute(pool)
        ).await.map(|done| done.rows_affected()));
        match written {
            Ok(0) => Err(StoreError::Taken),
            Ok(_) => Ok(()),
            Err(StoreError::Query(error)) if is_duplicate(&error) => Err(StoreError::Taken),
            Err(error) => Err(error),
        }
    }

    /// Whose the rows of this name are, in one target or in all; at most 20.
    pub async fn links_to(
        &self,
        username: &str,
        target: Option<&str>,
    ) -> Result<Vec<LinkedRow>, StoreError> {
        type Row = (String, String, String, Option<String>);
        let rows: Vec<Row> = on!(self, pool => bounded(
            sqlx::query_as(TO)
                .bind(fold(username)).bind(target.unwrap_or_default())
                .fetch_all(pool)
        ).await)?;
        let found = rows
            .into_iter()
            .map(|(backend, subject, target, id)| LinkedRow {
                key: LinkKey {
                    backend,
                    subject,
                    target,
                },
                id,
            });
        Ok(found.collect())
    }

    /// Drops a link, or a note; false = it is gone, or another one now.
    pub async fn unlink(&self, link: &LinkedRow) -> Result<bool, StoreError> {
        let LinkKey {
            backend,
            subject,
            target,
        } = &link.key;
        on!(self, pool => bounded(
            sqlx::query(UNLINK)
                .bind(backend).bind(subject).bind(target)
                .bind(link.id.as_deref().unwrap_or_default())
                .execute(pool)
        ).await.map(|done| done.rows_affected() > 0))
    }

    /// Is the row of this name somebody else's, or about to be?
    pub async fn held(&self, key: &LinkKey, username: &str) -> Result<Held, StoreError> {
        let (all, linked): (i64, i64) = on!(self, pool => bounded(
            sqlx::query_as(HELD)
                .bind(&key.target).bind(fold(username))
                .bind(&key.backend).bind(&key.subject)
                .fetch_one(pool)
        ).await)?;
        Ok(match (all - linked, linked) {
            (0, 0) => Held::No,
            (0, _) => Held::Linked,
            _ => Held::Noted,
        })
    }
}

/// Names that differ by case alone are one.
pub(in crate::accounts) fn fold(username: &str) -> String {
    username.trim().to_lowercase()
}

pub(in crate::accounts) fn is_duplicate(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .is_some_and(|error| error.is_unique_violation())
}
