//! Connections to one of three kinds of database, and transactions on them. Every
//! statement ends within [`STATEMENT`], whatever the network does.

use std::future::Future;
use std::io;
use std::time::Duration;

use sqlx::{
    AssertSqlSafe, Column, Either, Executor, MySql, MySqlPool, PgPool, Postgres, Sqlite,
    SqlitePool, Statement, TypeInfo,
};

use super::parameters::rewrite;
use super::{Argument, Dialect, Row};

/// How long one statement may take, the wait for a connection included.
const STATEMENT: Duration = Duration::from_secs(5);

/// Arguments of a statement by name.
pub(crate) type Named<'a> = [(&'a str, Argument)];

/// Connections.
#[derive(Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
    MySql(MySqlPool),
}

/// A transaction; dropped, it is rolled back.
pub(crate) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
    MySql(sqlx::Transaction<'static, MySql>),
}

/// What a database says of a statement that it has not run.
pub(crate) struct Description {
    pub(crate) columns: Vec<String>,
    /// The types of `$1`, `$2`, …, where the database tells them (PostgreSQL).
    pub(crate) parameters: Vec<String>,
}

/// One named argument.
pub(crate) fn with(name: &str, value: impl Into<Argument>) -> (&str, Argument) {
    (name, value.into())
}

macro_rules! bound {
    ($text:expr, $arguments:expr) => {{
        // The one place where text becomes a statement: all of it is the code's own or
        // the operator's; what a request brings is an argument.
        let mut query = sqlx::query(AssertSqlSafe($text));
        for argument in $arguments {
            query = match argument {
                Argument::Number(number) => query.bind(number),
                Argument::Text(text) => query.bind(text),
            };
        }
        query
    }};
}

impl Pool {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Pool::Sqlite(_) => Dialect::Sqlite,
            Pool::Postgres(_) => Dialect::Postgres,
            Pool::MySql(_) => Dialect::MySql,
        }
    }

    /// All rows of a statement.
    pub(crate) async fn fetch(&self, text: &str, named: &Named<'_>) -> sqlx::Result<Vec<Row>> {
        let (text, arguments) = native(self.dialect(), text, named)?;
        // Without the arguments, which are what a request brings.
        tracing::trace!(statement = text, "reads");
        within(async {
            Ok(match self {
                Pool::Sqlite(pool) => {
                    let rows = bound!(text, arguments).fetch_all(pool).await?;
                    rows.into_iter().map(Row::Sqlite).collect()
                }
                Pool::Postgres(pool) => {
                    let rows = bound!(text, arguments).fetch_all(pool).await?;
                    rows.into_iter().map(Row::Postgres).collect()
                }
                Pool::MySql(pool) => {
                    let rows = bound!(text, arguments).fetch_all(pool).await?;
                    rows.into_iter().map(Row::MySql).collect()
                }
            })
        })
        .await
    }

    /// Begins a transaction that writes. SQLite takes the write lock at once: a lock
    /// taken later could fail half-way.
    pub(crate) async fn begin(&self) -> sqlx::Result<Transaction> {
        within(async {
            Ok(match self {
                Pool::Sqlite(pool) => {
                    Transaction::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?)
                }
                Pool::Postgres(pool) => Transaction::Postgres(pool.begin().await?),
                Pool::MySql(pool) => Transaction::MySql(pool.begin().await?),
            })
        })
        .await
    }

    /// Begins a transaction that only reads: in SQLite it takes no lock that a writer holds.
    pub(crate) async fn begin_reading(&self) -> sqlx::Result<Transaction> {
        match self {
            Pool::Sqlite(pool) => within(pool.begin()).await.map(Transaction::Sqlite),
            Pool::Postgres(_) | Pool::MySql(_) => self.begin().await,
        }
    }

    /// Has a statement, in the database's own syntax, parsed but not run.
    pub(crate) async fn describe(&self, text: String) -> sqlx::Result<Description> {
        macro_rules! described {
            ($pool:expr) => {{
                let statement = $pool
                    .prepare(sqlx::SqlSafeStr::into_sql_str(AssertSqlSafe(text)))
                    .await?;
                let columns = statement.columns().iter();
                let parameters = match statement.parameters() {
                    Some(Either::Left(types)) => {
                        types.iter().map(|kind| kind.name().to_owned()).collect()
                    }
                    _ => Vec::new(),
                };
                Description {
                    columns: columns.map(|column| column.name().to_owned()).collect(),
                    parameters,
                }
            }};
        }
        within(async {
            Ok(match self {
                Pool::Sqlite(pool) => described!(pool),
                Pool::Postgres(pool) => described!(pool),
                Pool::MySql(pool) => described!(pool),
            })
        })
        .await
    }

    pub(crate) async fn close(&self) {
        match self {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
            Pool::MySql(pool) => pool.close().await,
        }
    }
}

impl Transaction {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Transaction::Sqlite(_) => Dialect::Sqlite,
            Transaction::Postgres(_) => Dialect::Postgres,
            Transaction::MySql(_) => Dialect::MySql,
        }
    }

    /// All rows of a statement.
    pub(crate) async fn fetch(&mut self, text: &str, named: &Named<'_>) -> sqlx::Result<Vec<Row>> {
        let (text, arguments) = native(self.dialect(), text, named)?;
        within(async {
            Ok(match self {
                Transaction::Sqlite(own) => {
                    let rows = bound!(text, arguments).fetch_all(&mut **own).await?;
                    rows.into_iter().map(Row::Sqlite).collect()
                }
                Transaction::Postgres(own) => {
                    let rows = bound!(text, arguments).fetch_all(&mut **own).await?;
                    rows.into_iter().map(Row::Postgres).collect()
                }
                Transaction::MySql(own) => {
                    let rows = bound!(text, arguments).fetch_all(&mut **own).await?;
                    rows.into_iter().map(Row::MySql).collect()
                }
            })
        })
        .await
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) async fn execute(&mut self, text: &str, named: &Named<'_>) -> sqlx::Result<u64> {
        let (text, arguments) = native(self.dialect(), text, named)?;
        within(async {
            Ok(match self {
                Transaction::Sqlite(own) => bound!(text, arguments)
                    .execute(&mut **own)
                    .await?
                    .rows_affected(),
                Transaction::Postgres(own) => bound!(text, arguments)
                    .execute(&mut **own)
                    .await?
                    .rows_affected(),
                Transaction::MySql(own) => bound!(text, arguments)
                    .execute(&mut **own)
                    .await?
                    .rows_affected(),
            })
        })
        .await
    }

    /// Runs an INSERT of one row; its `id`.
    pub(crate) async fn insert(&mut self, text: &str, named: &Named<'_>) -> sqlx::Result<i64> {
        if let Transaction::MySql(own) = self {
            // MySQL has no RETURNING.
            let (text, arguments) = native(Dialect::MySql, text, named)?;
            let done = within(bound!(text, arguments).execute(&mut **own)).await?;
            return i64::try_from(done.last_insert_id())
                .map_err(|_| sqlx::Error::Protocol("the new id is out of range".to_owned()));
        }
        let rows = self.fetch(&format!("{text} RETURNING id"), named).await?;
        rows.first().ok_or(sqlx::Error::RowNotFound)?.id("id")
    }

    pub(crate) async fn commit(self) -> sqlx::Result<()> {
        within(async {
            match self {
                Transaction::Sqlite(own) => own.commit().await,
                Transaction::Postgres(own) => own.commit().await,
                Transaction::MySql(own) => own.commit().await,
            }
        })
        .await
    }
}

/// The statement in the database's own syntax, with its arguments in order.
fn native(
    dialect: Dialect,
    text: &str,
    named: &Named<'_>,
) -> sqlx::Result<(String, Vec<Argument>)> {
    let missing = |name: &str| sqlx::Error::Protocol(format!("no argument for :{name}"));
    let (text, order) =
        rewrite(text, dialect).map_err(|problem| sqlx::Error::Protocol(problem.to_string()))?;
    let value = |name: &String| {
        let found = named.iter().find(|(known, _)| known == name);
        found
            .map(|(_, value)| value.clone())
            .ok_or_else(|| missing(name))
    };
    let arguments: sqlx::Result<Vec<Argument>> = order.iter().map(value).collect();
    Ok((text, arguments?))
}

async fn within<T>(work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    tokio::time::timeout(STATEMENT, work)
        .await
        .unwrap_or_else(|_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into())))
}
