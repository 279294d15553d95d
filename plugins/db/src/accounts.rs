//! Reading users: one rule for whom a typed name means, and the roles he has.

use countersign_sdk::{Result, User};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::database::Database;

// `COLLATE NOCASE` is `lower(username) = lower(…)` with an index to use: both fold
// A-Z alone. A name wins over an e-mail address. Two rows are enough to see that a
// name is ambiguous. Everything is read in one query, so that time tells nothing.
const FIND: &str = "
    SELECT id, username, email, first_name, last_name,
           COALESCE(active = 1, 0) AS active, CAST(password AS BLOB) AS password,
           username = $1 COLLATE NOCASE AS by_name
    FROM ab_user
    WHERE username = $1 COLLATE NOCASE OR email = $1 COLLATE BINARY
    ORDER BY by_name DESC
    LIMIT 2";

const ROLES: &str = "
    SELECT role.name
    FROM ab_role AS role JOIN ab_user_role AS own ON own.role_id = role.id
    WHERE own.user_id = $1
    ORDER BY role.id";

const ROLES_WITH_GROUPS: &str = "
    SELECT name FROM ab_role
    WHERE id IN (SELECT role_id FROM ab_user_role WHERE user_id = $1)
       OR id IN (SELECT granted.role_id
                 FROM ab_group_role AS granted
                 JOIN ab_user_group AS member ON member.group_id = granted.group_id
                 WHERE member.user_id = $1)
    ORDER BY id";

/// A row of `ab_user`. Not `Debug`: it holds a hash.
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) username: String,
    pub(crate) active: bool,
    /// The stored hash, if there is any text.
    pub(crate) hash: Option<String>,
    email: String,
    first_name: String,
    last_name: String,
}

impl Account {
    /// Whom this name means: the user with this name, in any case of A-Z; else the one
    /// with exactly this e-mail address. A name that means two users means nobody.
    pub(crate) async fn find(database: &Database, name: &str) -> Result<Option<Self>> {
        let failed = |error| database.failed("look up a user", &error);
        let rows = sqlx::query(FIND)
            .bind(name)
            .fetch_all(database.pool())
            .await;
        let rows = rows.map_err(failed)?;
        let read = |row: &SqliteRow| Ok((row.try_get("by_name")?, Account::read(row)?));
        let found: sqlx::Result<Vec<(bool, Account)>> = rows.iter().map(read).collect();
        let mut found = found.map_err(failed)?.into_iter();
        match (found.next(), found.next()) {
            (Some((by_name, one)), Some((other_by_name, other))) if by_name == other_by_name => {
                tracing::error!(
                    ids = %format_args!("{} and {}", one.id, other.id),
                    "two rows of ab_user answer to one name: neither can log in; rename one of them"
                );
                Ok(None)
            }
            (first, _) => Ok(first.map(|(_, account)| account)),
        }
    }

    fn read(row: &SqliteRow) -> sqlx::Result<Self> {
        let text = |column| {
            row.try_get::<Option<String>, _>(column)
                .map(Option::unwrap_or_default)
        };
        Ok(Account {
            id: row.try_get("id")?,
            username: text("username")?,
            email: text("email")?,
            first_name: text("first_name")?,
            last_name: text("last_name")?,
            active: row.try_get("active")?,
            // Bytes that are not text are no hash, and no reason to fail.
            hash: row
                .try_get::<Option<Vec<u8>>, _>("password")?
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .filter(|text| !text.is_empty()),
        })
    }

    /// The user for the host, with his own roles and those of his groups.
    pub(crate) async fn into_user(self, database: &Database) -> Result<User> {
        let mut user = User::new(self.id.to_string(), self.username);
        user.email = self.email;
        user.first_name = self.first_name;
        user.last_name = self.last_name;
        user.roles = roles(database, self.id).await?;
        Ok(user)
    }
}

/// The names of a user's roles.
pub(crate) async fn roles(database: &Database, id: i64) -> Result<Vec<String>> {
    let query = if database.has_groups {
        ROLES_WITH_GROUPS
    } else {
        ROLES
    };
    let names = sqlx::query_scalar(query)
        .bind(id)
        .fetch_all(database.pool())
        .await;
    names.map_err(|error| database.failed("read a user's roles", &error))
}
