//! A user as he is written, and the statements that write him.

use sqlx::{Row, Sqlite, Transaction};
use time::OffsetDateTime;

use super::check_text;
use crate::counters::stamp;

/// What `users add` and `users import` write. Not `Debug`: it may hold a hash.
pub(super) struct Profile {
    pub(super) username: String,
    pub(super) email: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    /// The text of a hash; `None` leaves what is there, a new user gets an empty one.
    pub(super) password: Option<String>,
}

/// A row that is in the way of a profile, or is the one to change.
pub(super) struct Present {
    pub(super) id: i64,
    pub(super) same_name: bool,
    pub(super) same_email: bool,
    pub(super) profile: Profile,
}

impl Profile {
    /// The address that Flask-AppBuilder makes up where there is none.
    pub(super) fn email_or_default(email: Option<String>, username: &str) -> String {
        email
            .filter(|email| !email.is_empty())
            .unwrap_or_else(|| format!("{username}@email.notfound"))
    }

    /// What is wrong with it, for the operator.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.username.is_empty() {
            return Err("the username is empty".to_owned());
        }
        check_text("the username", &self.username, 512)?;
        check_text("the e-mail address", &self.email, 512)?;
        check_text("the first name", &self.first_name, 256)?;
        check_text("the last name", &self.last_name, 256)
    }

    /// The rows that hold this id, this name in any case, or this address.
    pub(super) async fn present(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        id: Option<i64>,
    ) -> sqlx::Result<Vec<Present>> {
        let rows = sqlx::query(
            "SELECT id, username, email, first_name, last_name,
                    CAST(CAST(password AS BLOB) AS TEXT) AS password,
                    username = $2 COLLATE NOCASE AS same_name,
                    email = $3 COLLATE BINARY AS same_email
             FROM ab_user
             WHERE id = $1 OR username = $2 COLLATE NOCASE OR email = $3 COLLATE BINARY",
        )
        .bind(id)
        .bind(&self.username)
        .bind(&self.email)
        .fetch_all(&mut **transaction)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Present {
                    id: row.try_get("id")?,
                    same_name: row.try_get("same_name")?,
                    same_email: row.try_get("same_email")?,
                    profile: Profile {
                        username: row.try_get("username")?,
                        email: row.try_get("email")?,
                        first_name: row.try_get("first_name")?,
                        last_name: row.try_get("last_name")?,
                        password: row.try_get("password")?,
                    },
                })
            })
            .collect()
    }

    /// Adds an active user; without an id the database gives one.
    pub(super) async fn insert(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        id: Option<i64>,
    ) -> sqlx::Result<i64> {
        sqlx::query_scalar(
            "INSERT INTO ab_user (id, username, email, first_name, last_name, password, active,
                                  login_count, fail_login_count, created_on, changed_on)
             VALUES ($1, $2, $3, $4, $5, $6, 1, 0, 0, $7, $7)
             RETURNING id",
        )
        .bind(id)
        .bind(&self.username)
        .bind(&self.email)
        .bind(&self.first_name)
        .bind(&self.last_name)
        .bind(self.password.as_deref().unwrap_or_default())
        .bind(stamp(OffsetDateTime::now_utc()))
        .fetch_one(&mut **transaction)
        .await
    }

    /// Brings the row of this id to this profile.
    pub(super) async fn update(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        id: i64,
    ) -> sqlx::Result<()> {
        sqlx::query(
            "UPDATE ab_user
             SET username = $2, email = $3, first_name = $4, last_name = $5,
                 password = COALESCE($6, password), changed_on = $7
             WHERE id = $1",
        )
        .bind(id)
        .bind(&self.username)
        .bind(&self.email)
        .bind(&self.first_name)
        .bind(&self.last_name)
        .bind(&self.password)
        .bind(stamp(OffsetDateTime::now_utc()))
        .execute(&mut **transaction)
        .await
        .map(drop)
    }
}
