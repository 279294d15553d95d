//! Connections to a server: how many, how long they are waited for, and what each is
//! told at its beginning.

use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Database, Executor};

use super::Pool;

/// A login holds a connection for one or two reads, never while it hashes.
const CONNECTIONS: u32 = 8;
/// How long to wait for a free connection, or for a new one.
const CONNECT: Duration = Duration::from_secs(3);

/// Opens a pool on PostgreSQL; times out on the server, too, so that nothing piles up there.
pub(crate) async fn postgres(options: PgConnectOptions, read_only: bool) -> sqlx::Result<Pool> {
    let pool: PgPoolOptions = limits();
    let set = if read_only {
        "SET statement_timeout = '5s'; SET default_transaction_read_only = on"
    } else {
        "SET statement_timeout = '5s'; SET lock_timeout = '2s'"
    };
    let pool = pool.after_connect(move |connection, _| {
        Box::pin(async move { connection.execute(sqlx::raw_sql(set)).await.map(drop) })
    });
    let pool = pool
        .connect_with(options.disable_statement_logging())
        .await?;
    Ok(Pool::Postgres(pool))
}

/// Opens a pool on MySQL or MariaDB.
pub(crate) async fn mysql(options: MySqlConnectOptions, read_only: bool) -> sqlx::Result<Pool> {
    let pool: MySqlPoolOptions = limits();
    let pool = pool.after_connect(move |connection, _| {
        Box::pin(async move {
            // MariaDB's name for it; MySQL has none for statements that write.
            let _ = connection
                .execute("SET SESSION max_statement_time = 5")
                .await;
            let set = if read_only {
                "SET SESSION TRANSACTION READ ONLY"
            } else {
                "SET SESSION innodb_lock_wait_timeout = 2"
            };
            connection.execute(set).await.map(drop)
        })
    });
    let pool = pool
        .connect_with(options.disable_statement_logging())
        .await?;
    Ok(Pool::MySql(pool))
}

fn limits<DB: Database>() -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(CONNECT)
}
