//! A user of Flask-AppBuilder's tables as he is written, and the statements that write him.

use time::OffsetDateTime;

use crate::accounts::{Account, select};
use crate::counters::stamp;
use crate::sql::{Argument, Dialect, Transaction, is_same_name, with};

/// The next id: where the table has no sequence of its own, as SQLAlchemy makes it on
/// PostgreSQL, the one beside it.
const NEXT: &str =
    "nextval(COALESCE(pg_get_serial_sequence('ab_user', 'id'), 'ab_user_id_seq')::regclass)";

/// What is written of a user. Not `Debug`: it may hold a hash.
pub(crate) struct Profile {
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    /// The text of a hash; `None` leaves what is there, a new user gets an empty one.
    pub(crate) password: Option<String>,
}

impl Profile {
    /// The address that Flask-AppBuilder makes up where there is none.
    pub(crate) fn email_or_default(email: Option<String>, username: &str) -> String {
        email
            .filter(|email| !email.is_empty())
            .unwrap_or_else(|| format!("{username}@email.notfound"))
    }

    /// What is wrong with it. The widths are those of Airflow's columns; SQLite itself
    /// would take any length.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.username.is_empty() {
            return Err("the username is empty".to_owned());
        }
        check_text("the username", &self.username, 512)?;
        check_text("the e-mail address", &self.email, 512)?;
        check_text("the first name", &self.first_name, 256)?;
        check_text("the last name", &self.last_name, 256)
    }

    /// The rows that hold this id, this name or this address, or one that the database
    /// holds equal: they are in the way of this profile, or one is to be changed.
    pub(crate) async fn present(
        &self,
        transaction: &mut Transaction,
        id: Option<i64>,
    ) -> sqlx::Result<Vec<Account>> {
        let dialect = transaction.dialect();
        let query = format!(
            "{} WHERE id = :id OR {} OR email = :email",
            select(dialect),
            dialect.same_name("username", ":username")
        );
        let named = [
            with("id", id),
            with("username", self.username.as_str()),
            with("email", self.email.as_str()),
        ];
        let rows = transaction.fetch(&query, &named).await?;
        rows.iter().map(Account::read).collect()
    }

    /// Has this row the profile's name?
    pub(crate) fn names(&self, row: &Account) -> bool {
        is_same_name(&row.username, &self.username)
    }

    /// Adds an active user; without an id the database gives one.
    pub(crate) async fn insert(
        &self,
        transaction: &mut Transaction,
        id: Option<i64>,
    ) -> sqlx::Result<i64> {
        let dialect = transaction.dialect();
        let new_id = match dialect {
            Dialect::Postgres => format!("COALESCE(:id, {NEXT})"),
            Dialect::Sqlite | Dialect::MySql => ":id".to_owned(),
        };
        let now = dialect.time(":now");
        let insert = format!(
            "INSERT INTO ab_user (id, username, email, first_name, last_name, password, active,
                                  login_count, fail_login_count, created_on, changed_on)
             VALUES ({new_id}, :username, :email, :first_name, :last_name, :password, TRUE,
                     0, 0, {now}, {now})"
        );
        let mut named = self.arguments(id);
        if self.password.is_none() {
            named.retain(|(name, _)| *name != "password");
            named.push(with("password", ""));
        }
        let made = transaction.insert(&insert, &named).await?;
        if let (Some(id), Dialect::Postgres) = (id, dialect) {
            // The sequence knows nothing of ids that are given: it must not give them again.
            let sequence = NEXT.trim_start_matches("nextval(").trim_end_matches(')');
            let ahead = format!("SELECT setval({sequence}, GREATEST({NEXT}, :id))");
            transaction.fetch(&ahead, &[with("id", id)]).await?;
        }
        Ok(made)
    }

    /// Brings the row of this id to this profile.
    pub(crate) async fn update(&self, transaction: &mut Transaction, id: i64) -> sqlx::Result<()> {
        let now = transaction.dialect().time(":now");
        let update = format!(
            "UPDATE ab_user
             SET username = :username, email = :email, first_name = :first_name,
                 last_name = :last_name, password = COALESCE(:password, password),
                 changed_on = {now}
             WHERE id = :id"
        );
        let named = self.arguments(Some(id));
        transaction.execute(&update, &named).await.map(drop)
    }

    fn arguments(&self, id: Option<i64>) -> Vec<(&'static str, Argument)> {
        vec![
            with("id", id),
            with("username", self.username.as_str()),
            with("email", self.email.as_str()),
            with("first_name", self.first_name.as_str()),
            with("last_name", self.last_name.as_str()),
            with("password", self.password.as_deref()),
            with("now", stamp(OffsetDateTime::now_utc())),
        ]
    }
}

fn check_text(field: &str, text: &str, most: usize) -> Result<(), String> {
    if text.chars().any(char::is_control) {
        return Err(format!("{field} contains control characters"));
    }
    if text.chars().count() > most {
        return Err(format!("{field} is longer than {most} characters"));
    }
    Ok(())
}
