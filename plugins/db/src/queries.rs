//! Users of any tables, read by the operator's own statements.
//!
//! Each is parsed by the database when the backend is configured, and its columns are
//! checked. It then runs within a SELECT of ours that takes every column as text: what
//! type an id has is the database's affair.

use countersign_sdk::{AuthError, Result};

use crate::accounts::Account;
use crate::config;
use crate::database::Database;
use crate::sql::parameters::{replace, rewrite, single};
use crate::sql::{Row, with};

const COLUMNS: [&str; 7] = [
    "id",
    "username",
    "password",
    "active",
    "email",
    "first_name",
    "last_name",
];
const NEEDED: [&str; 3] = ["id", "username", "password"];

/// Checked statements.
pub(crate) struct Queries {
    user: String,
    has_active: bool,
    roles: Option<String>,
}

impl Queries {
    /// Checks the statements against the database.
    pub(crate) async fn prepare(queries: &config::Queries, database: &Database) -> Result<Self> {
        let asked = Asked::of(database, "queries.user", &queries.user, &["username"]).await?;
        asked.check_user_columns()?;
        let columns = asked.columns.iter().map(|name| {
            let column = format!("asked.{name}");
            let value = match name.as_str() {
                "password" => database.dialect().bytes(&database.dialect().text(&column)),
                _ => database.dialect().text(&column),
            };
            format!("{value} AS {name}")
        });
        let columns: Vec<String> = columns.collect();
        let user = asked.within(&columns.join(", "), " LIMIT 2").await?;
        let roles = match &queries.roles {
            None => None,
            Some(text) => {
                let asked = Asked::of(database, "queries.roles", text, &["id", "username"]).await?;
                let [column] = asked.columns.as_slice() else {
                    return Err(asked.wrong(&format!(
                        "it must give one column, the name of a role; it gives {}",
                        asked.columns.join(", ")
                    )));
                };
                let column = format!("asked.{}", database.dialect().quoted(column));
                let name = database.dialect().text(&column);
                Some(asked.within(&format!("{name} AS name"), "").await?)
            }
        };
        Ok(Queries {
            user,
            has_active: asked.columns.iter().any(|name| name == "active"),
            roles,
        })
    }

    /// Whom this name means: the one row that the statement gives for it.
    pub(crate) async fn find(&self, database: &Database, name: &str) -> Result<Option<Account>> {
        let doing = "look up a user";
        // PostgreSQL refuses NUL. A name with one is nobody's, and costs as much.
        let asked = with("username", name.replace('\0', ""));
        let rows = match database.pool().fetch(&self.user, &[asked]).await {
            // The name is no number, no uuid or whatever it is compared with.
            Err(error) if is_data_exception(&error) => return Ok(None),
            rows => rows.map_err(|error| database.failed(doing, &error))?,
        };
        match rows.as_slice() {
            _ if name.contains('\0') => Ok(None),
            [] => Ok(None),
            [row] => match self.read(row) {
                Ok(Some(account)) => Ok(Some(account)),
                Ok(None) => Err(AuthError::unavailable(
                    "queries.user gave a row whose id or username is NULL or empty",
                )),
                Err(error) => Err(database.failed(doing, &error)),
            },
            _ => {
                tracing::error!("queries.user gives two rows for one name: neither can log in");
                Ok(None)
            }
        }
    }

    fn read(&self, row: &Row) -> sqlx::Result<Option<Account>> {
        let has = |column: &str| row.has(column);
        let text = |column: &str| match has(column) {
            true => row.text(column).map(Option::unwrap_or_default),
            false => Ok(String::new()),
        };
        let active = !self.has_active || is_true(&text("active")?);
        let account = Account {
            id: text("id")?,
            row: None,
            username: text("username")?,
            active,
            hash: row.bytes("password")?.filter(|text| !text.is_empty()),
            email: text("email")?,
            first_name: text("first_name")?,
            last_name: text("last_name")?,
        };
        Ok(Some(account).filter(|found| !found.id.is_empty() && !found.username.is_empty()))
    }

    /// The names of a user's roles, sorted, each once.
    pub(crate) async fn roles(&self, database: &Database, user: &Account) -> Result<Vec<String>> {
        let Some(query) = &self.roles else {
            return Ok(Vec::new());
        };
        let doing = "read a user's roles";
        let named = [
            with("id", user.id.as_str()),
            with("username", user.username.as_str()),
        ];
        let rows = database.fetch(doing, query, &named).await?;
        let names = crate::accounts::names(&rows);
        let mut names = names.map_err(|error| database.failed(doing, &error))?;
        names.retain(|name| !name.is_empty());
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }
}

/// A statement that the database has parsed.
struct Asked<'a> {
    database: &'a Database,
    key: &'static str,
    /// With `:name` parameters, each with its type where the database tells it.
    text: String,
    columns: Vec<String>,
}

impl<'a> Asked<'a> {
    async fn of(
        database: &'a Database,
        key: &'static str,
        text: &str,
        known: &[&str],
    ) -> Result<Self> {
        let dialect = database.dialect();
        let wrong =
            |problem: &dyn std::fmt::Display| AuthError::invalid(format!("{key}: {problem}"));
        let text = single(text, dialect).map_err(|problem| wrong(&problem))?;
        let check = |name: &str| match known.contains(&name) {
            true => Ok(format!(":{name}")),
            false => Err(format!(
                "the parameter :{name} is unknown; known are :{}",
                known.join(", :")
            )),
        };
        replace(text, dialect, |name, _| check(name)).map_err(|problem| wrong(&problem))?;
        let (native, order) = rewrite(text, dialect).map_err(|problem| wrong(&problem))?;
        let described = database.pool().describe(native).await;
        let described = described.map_err(|error| refused(database, key, &error))?;
        // An argument is sent as text; PostgreSQL compares it with a number only when told so.
        let typed = |name: &str| {
            let index = order.iter().position(|known| known == name);
            match index.and_then(|index| described.parameters.get(index)) {
                Some(kind) if kind != "TEXT" => format!("CAST(CAST(:{name} AS TEXT) AS {kind})"),
                _ => format!(":{name}"),
            }
        };
        let text = replace(text, dialect, |name, _| Ok(typed(name)));
        Ok(Asked {
            database,
            key,
            text: text.map_err(|problem| wrong(&problem))?,
            columns: described.columns,
        })
    }

    fn check_user_columns(&self) -> Result<()> {
        let has = |name: &&str| self.columns.iter().any(|column| column == name);
        if let Some(missing) = NEEDED.iter().find(|name| !has(name)) {
            return Err(self.wrong(&format!(
                "it gives no column {missing}; write `… AS {missing}`; needed are {}, \
                 and {} may be given",
                NEEDED.join(", "),
                COLUMNS[NEEDED.len()..].join(", ")
            )));
        }
        match self
            .columns
            .iter()
            .find(|name| !COLUMNS.contains(&name.as_str()))
        {
            Some(other) => Err(self.wrong(&format!(
                "its column {other:?} has no meaning here; known are {}",
                COLUMNS.join(", ")
            ))),
            None => Ok(()),
        }
    }

    /// The statement within one of ours, which the database has parsed too.
    async fn within(&self, columns: &str, end: &str) -> Result<String> {
        let text = format!("SELECT {columns} FROM (\n{}\n) AS asked{end}", self.text);
        let (native, _) = rewrite(&text, self.database.dialect())
            .map_err(|problem| self.wrong(&problem.to_string()))?;
        match self.database.pool().describe(native).await {
            Ok(_) => Ok(text),
            Err(error) => Err(refused(self.database, self.key, &error)),
        }
    }

    fn wrong(&self, problem: &str) -> AuthError {
        AuthError::invalid(format!("{}: {problem}", self.key))
    }
}

/// What the database says of a wrong statement is the operator's to read; all else is an outage.
fn refused(database: &Database, key: &str, error: &sqlx::Error) -> AuthError {
    match error {
        sqlx::Error::Database(said) => AuthError::invalid(format!(
            "{key}: the database refuses it: {}",
            said.message()
        )),
        other => database.failed("parse a statement", other),
    }
}

fn is_data_exception(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| code.len() == 5 && code.starts_with("22"))
}

/// As the databases write a truth as text; `\u{1}` is MySQL's BIT(1).
fn is_true(text: &str) -> bool {
    ["1", "true", "t", "\u{1}"]
        .iter()
        .any(|yes| text.eq_ignore_ascii_case(yes))
}
