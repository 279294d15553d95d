//! Reading users of Flask-AppBuilder's tables: one rule for whom a typed name means, and
//! the roles he has.

use countersign_sdk::{Result, User};

use crate::database::Database;
use crate::sql::{Row, is_same_name, with};

/// Rows that a database may hold equal, by its collation, before the rule is applied.
const ROWS: usize = 50;

const ROLES: &str = "
    SELECT role.name
    FROM ab_role AS role JOIN ab_user_role AS own ON own.role_id = role.id
    WHERE own.user_id = :id
    ORDER BY role.id";

const ROLES_WITH_GROUPS: &str = "
    SELECT name FROM ab_role
    WHERE id IN (SELECT role_id FROM ab_user_role WHERE user_id = :id)
       OR id IN (SELECT granted.role_id
                 FROM ab_group_role AS granted
                 JOIN ab_user_group AS belongs ON belongs.group_id = granted.group_id
                 WHERE belongs.user_id = :id)
    ORDER BY id";

/// A user, as he is stored. Not `Debug`: it holds a hash.
pub(crate) struct Account {
    pub(crate) id: String,
    /// The row of `ab_user`; `None` in other tables.
    pub(crate) row: Option<i64>,
    pub(crate) username: String,
    pub(crate) active: bool,
    /// The stored hash, if there is any text.
    pub(crate) hash: Option<String>,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
}

impl Account {
    /// Whom this name means: the user with this name, in any case of A-Z; else the one
    /// with exactly this e-mail address. A name that means two users means nobody.
    pub(crate) async fn find(database: &Database, name: &str) -> Result<Option<Self>> {
        let dialect = database.dialect();
        // Everything is read in one query, so that time tells nothing.
        let query = format!(
            "{} WHERE {} OR email = :name LIMIT {ROWS}",
            select(dialect),
            dialect.same_name("username", ":name")
        );
        // PostgreSQL refuses NUL, which no stored name has: the rule finds nobody.
        let asked = with("name", name.replace('\0', ""));
        let rows = database.fetch("look up a user", &query, &[asked]).await?;
        let crowded = rows.len() == ROWS;
        let mut named = Vec::new();
        let mut addressed = Vec::new();
        for row in rows {
            let account =
                Account::read(&row).map_err(|error| database.failed("look up a user", &error))?;
            if is_same_name(&account.username, name) {
                named.push(account);
            } else if account.email == name {
                addressed.push(account);
            }
        }
        let mut found = if named.is_empty() { addressed } else { named };
        if found.len() > 1 || crowded {
            let ids: Vec<&str> = found.iter().map(|one| one.id.as_str()).collect();
            tracing::error!(
                ids = ids.join(" and "),
                "two rows of ab_user answer to one name: neither can log in; rename one of them"
            );
            return Ok(None);
        }
        Ok(found.pop())
    }

    /// Reads a row of [`select`].
    pub(crate) fn read(row: &Row) -> sqlx::Result<Self> {
        let text = |column| row.text(column).map(Option::unwrap_or_default);
        let id = row.id("id")?;
        Ok(Account {
            id: id.to_string(),
            row: Some(id),
            username: text("username")?,
            email: text("email")?,
            first_name: text("first_name")?,
            last_name: text("last_name")?,
            active: row.number("active")? == Some(1),
            hash: row.bytes("password")?.filter(|text| !text.is_empty()),
        })
    }

    /// The user for the host, with these roles.
    pub(crate) fn into_user(self, roles: Vec<String>) -> User {
        let mut user = User::new(self.id, self.username);
        user.email = self.email;
        user.first_name = self.first_name;
        user.last_name = self.last_name;
        user.roles = roles;
        user
    }
}

/// `SELECT … FROM ab_user`, for [`Account::read`].
pub(crate) fn select(dialect: crate::sql::Dialect) -> String {
    let password = dialect.bytes("password");
    format!(
        "SELECT id, username, email, first_name, last_name,
                CASE WHEN active THEN 1 ELSE 0 END AS active, {password} AS password
         FROM ab_user"
    )
}

/// The statement that reads the names of the roles of the user `:id`, those of his groups too.
pub(crate) fn roles_query(database: &Database) -> &'static str {
    if database.has_groups {
        ROLES_WITH_GROUPS
    } else {
        ROLES
    }
}

/// The names of a user's roles.
pub(crate) async fn roles(database: &Database, id: i64) -> Result<Vec<String>> {
    let doing = "read a user's roles";
    let rows = database
        .fetch(doing, roles_query(database), &[with("id", id)])
        .await?;
    names(&rows).map_err(|error| database.failed(doing, &error))
}

/// The column `name` of these rows.
pub(crate) fn names(rows: &[Row]) -> sqlx::Result<Vec<String>> {
    rows.iter()
        .map(|row| row.text("name").map(Option::unwrap_or_default))
        .collect()
}
