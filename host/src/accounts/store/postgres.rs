//! The store as a PostgreSQL database that several hosts share.

use std::io;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};
use tokio::time::timeout;

use super::{QUERY_LIMIT, StoreError, migrations};
use crate::config::values::Secret;

const CONNECTIONS: u32 = 4;

/// How long to wait for a connection.
const ACQUIRE: Duration = Duration::from_secs(2);

/// How long the first connection may take.
const REACH: Duration = Duration::from_secs(10);

/// Opens the database and makes the tables that are missing.
pub(super) async fn open(url: &Secret) -> Result<PgPool, StoreError> {
    let connection = reach(url).await?;
    let _ = connection.close().await;
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(ACQUIRE)
        .after_release(|connection, _| Box::pin(is_alive(connection)))
        .connect_with(options(url)?)
        .await
        .map_err(StoreError::Query)?;
    let migrated = migrations::migrator().run(&pool).await;
    migrated.map_err(migrations::failed)?;
    Ok(pool)
}

/// Looks at the version of the tables that are there.
pub(super) async fn check(url: &Secret) -> Result<(), StoreError> {
    let mut connection = reach(url).await?;
    let there: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut connection)
        .await
        .map_err(StoreError::Query)?;
    let newest = if there {
        let newest = sqlx::query_scalar(migrations::NEWEST);
        let newest = newest.fetch_one(&mut connection).await;
        newest.map_err(StoreError::Query)?
    } else {
        None
    };
    let _ = connection.close().await;
    migrations::judge(newest)
}

/// Opens a database that has the tables, to be read.
pub(super) async fn look(url: &Secret) -> Result<Option<PgPool>, StoreError> {
    let connection = reach(url).await?;
    let _ = connection.close().await;
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(ACQUIRE)
        .connect_with(options(url)?)
        .await
        .map_err(StoreError::Query)?;
    let there: bool = sqlx::query_scalar("SELECT to_regclass('links') IS NOT NULL")
        .fetch_one(&pool)
        .await
        .map_err(StoreError::Query)?;
    Ok(there.then_some(pool))
}

/// Host, port and database of a url, for people.
pub(super) fn place(url: &Secret) -> String {
    options(url).map_or_else(
        |_| "store.url".into(),
        |options| {
            let (host, port) = (options.get_host(), options.get_port());
            let database = options.get_database().unwrap_or_default();
            format!("PostgreSQL {host}:{port}/{database}")
        },
    )
}

/// A connection, or why there is none: a pool would say only that it has waited.
async fn reach(url: &Secret) -> Result<PgConnection, StoreError> {
    match timeout(REACH, options(url)?.connect()).await {
        Ok(reached) => reached.map_err(StoreError::Query),
        Err(_) => Err(StoreError::Slow(REACH)),
    }
}

/// Does it still answer? The pool would wait for ever for one that the network has swallowed, and
/// its place would be taken meanwhile.
async fn is_alive(connection: &mut PgConnection) -> sqlx::Result<bool> {
    match timeout(QUERY_LIMIT, connection.ping()).await {
        Ok(answered) => answered.map(|()| true),
        // As an error: nothing is said to it any more.
        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}

pub(super) fn options(url: &Secret) -> Result<PgConnectOptions, StoreError> {
    let options: PgConnectOptions = url.expose().parse().map_err(|_| StoreError::Url)?;
    Ok(options
        .application_name("countersign")
        .disable_statement_logging())
}
