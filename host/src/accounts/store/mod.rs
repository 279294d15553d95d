//! The host's store: what it must remember and no plugin keeps. SQLite in the state
//! folder, or PostgreSQL (`store.url`) that several hosts share.
//!
//! It is opened at start. Every query has a time limit; a store that does not
//! answer is an outage of the logins that need it, and of no others, until `store.outage`
//! is over.
//!
//! Hosts on one PostgreSQL agree by it: what one has changed the others learn by
//! [`changes`], which a task of each host follows ([`watch`]); what one does for all stands
//! under a [lease](leases).

mod changes;
mod chores;
mod error;
mod leases;
mod links;
mod migrations;
mod owed;
mod postgres;
mod revoked;
mod rings;
mod shared;
mod sight;
mod sqlite;
mod touched;
mod used;
mod watch;

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{PgPool, SqlitePool};
use tokio::time::timeout;

use crate::clock;
use crate::config::Config;
use crate::config::values::Secret;
use crate::metering;

pub use error::StoreError;
pub use links::{Held, Link, LinkKey, Linked, LinkedRow};
pub(in crate::accounts) use links::{fold, is_duplicate};
pub use revoked::Revocable;
pub use rings::StoredRing;
pub use sight::Outage;

/// The longest that one query may take, the wait for a connection included.
const QUERY_LIMIT: Duration = Duration::from_secs(3);

/// The longest that opening may take: another host may be changing the tables.
const OPEN_LIMIT: Duration = Duration::from_secs(30);

/// Where a store is.
#[derive(Clone)]
pub enum Location {
    /// A file of its own in the state folder: no plugin opens it.
    Sqlite(PathBuf),
    /// A database that other hosts may use as well.
    Postgres(Secret),
}

/// An open store, with the tables of this version.
#[derive(Debug)]
pub struct Store {
    location: Location,
    pub(in crate::accounts) pool: Pool,
    revoked: revoked::Revoked,
    owed: owed::Owed,
    touched: touched::Touched,
    shared: shared::Shared,
    sight: sight::Sight,
    closed: AtomicBool,
}

#[derive(Debug)]
pub(in crate::accounts) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Does the same on either kind of pool: our SQL is what both understand.
macro_rules! on {
    ($store:expr, $pool:ident => $query:expr) => {
        match &$store.pool {
            $crate::accounts::store::Pool::Sqlite($pool) => $query,
            $crate::accounts::store::Pool::Postgres($pool) => $query,
        }
    };
}
pub(in crate::accounts) use on;

impl Location {
    /// Where a configuration keeps its store.
    pub fn of(config: &Config) -> Self {
        match config.store.url.expose() {
            "" => Location::Sqlite(config.state.join("store.db")),
            _ => Location::Postgres(config.store.url.clone()),
        }
    }
}

impl Store {
    /// Opens the store; makes it, or brings its tables up to date, where that is missing.
    ///
    /// # Errors
    /// [`StoreError`]: unreachable, of a newer version, or not to be written.
    pub async fn open(location: Location) -> Result<Store, StoreError> {
        let opening = async {
            let pool = match &location {
                Location::Sqlite(file) => Pool::Sqlite(sqlite::open(file).await?),
                Location::Postgres(url) => Pool::Postgres(postgres::open(url).await?),
            };
            Ok(pool)
        };
        let opened = match timeout(OPEN_LIMIT, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(StoreError::Slow(OPEN_LIMIT)),
        };
        let pool = opened.map_err(|error: StoreError| error.at(&location))?;
        let store = Store::with(location, pool);
        let read = store.read_all(clock::unix_now()).await;
        read.map_err(|error| error.at(&store.location))?;
        Ok(store)
    }

    /// Does in the background what has to be done as long as somebody holds the store: learns
    /// what other hosts change, and tidies up.
    pub fn attend(self: &Arc<Self>) {
        if self.is_shared() {
            tokio::spawn(watch::watch(Arc::downgrade(self)));
        }
        tokio::spawn(owed::pay(Arc::downgrade(self)));
        tokio::spawn(chores::chores(Arc::downgrade(self)));
    }

    /// What is remembered in memory. Changes from then on are followed.
    async fn read_all(&self, now: u64) -> Result<(), StoreError> {
        if let Pool::Postgres(pool) = &self.pool {
            self.shared.saw(bounded(changes::newest(pool)).await?);
        }
        self.read_revoked(now).await
    }

    /// Looks whether the store could be opened. Makes and changes nothing.
    ///
    /// # Errors
    /// The same as of [`open`](Self::open).
    pub async fn check(location: &Location) -> Result<(), StoreError> {
        let checking = async {
            match location {
                Location::Sqlite(file) => sqlite::check(file).await,
                Location::Postgres(url) => postgres::check(url).await,
            }
        };
        let checked = match timeout(OPEN_LIMIT, checking).await {
            Ok(checked) => checked,
            Err(_) => Err(StoreError::Slow(OPEN_LIMIT)),
        };
        checked.map_err(|error| error.at(location))
    }

    /// Opens the store to be read, if there is one yet. Makes and changes nothing.
    ///
    /// # Errors
    /// [`StoreError`]: unreachable.
    pub async fn look(location: Location) -> Result<Option<Store>, StoreError> {
        let looking = async {
            let pool = match &location {
                Location::Sqlite(file) => sqlite::look(file).await?.map(Pool::Sqlite),
                Location::Postgres(url) => postgres::look(url).await?.map(Pool::Postgres),
            };
            Ok(pool)
        };
        let looked = match timeout(OPEN_LIMIT, looking).await {
            Ok(looked) => looked,
            Err(_) => Err(StoreError::Slow(OPEN_LIMIT)),
        };
        let pool = looked.map_err(|error: StoreError| error.at(&location))?;
        Ok(pool.map(|pool| Store::with(location, pool)))
    }

    fn with(location: Location, pool: Pool) -> Self {
        Store {
            location,
            pool,
            revoked: revoked::Revoked::default(),
            owed: owed::Owed::default(),
            touched: touched::Touched::default(),
            shared: shared::Shared::default(),
            sight: sight::Sight::default(),
            closed: AtomicBool::new(false),
        }
    }

    /// Is this the store at `location`?
    pub fn is_at(&self, location: &Location) -> bool {
        match (&self.location, location) {
            (Location::Sqlite(mine), Location::Sqlite(other)) => mine == other,
            (Location::Postgres(mine), Location::Postgres(other)) => {
                mine.expose() == other.expose()
            }
            _ => false,
        }
    }

    /// Writes what waits to be written, and closes all connections.
    pub async fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        if let Err(error) = self.pay().await {
            let lost = self.count_owed();
            tracing::error!(%error, lost, "revocations could not be written: do them again");
        }
        if let Err(error) = self.write_touched().await {
            tracing::warn!(%error, "when tokens were used last could not be written");
        }
        // They end by themselves otherwise.
        let _ = self.give_leases_back().await;
        let closing = async { on!(self, pool => pool.close().await) };
        let _ = timeout(QUERY_LIMIT, closing).await;
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }
}

/// Seconds since 1970, as databases count them.
pub(in crate::accounts) fn seconds(now: u64) -> i64 {
    i64::try_from(now).unwrap_or(i64::MAX)
}

/// A random UUID (version 4). None = the system has no random numbers.
pub(in crate::accounts) fn random_uuid() -> Option<String> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string(),
    )
}

/// Runs a query within its limit.
pub(in crate::accounts) async fn bounded<T>(
    query: impl Future<Output = sqlx::Result<T>>,
) -> Result<T, StoreError> {
    let error = match timeout(QUERY_LIMIT, query).await {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(sqlx::Error::PoolTimedOut)) => StoreError::Unreachable,
        Ok(Err(error)) => StoreError::Query(error),
        Err(_) => StoreError::Slow(QUERY_LIMIT),
    };
    if !error.is_answer() {
        metering::store_failed();
    }
    Err(error)
}

impl fmt::Display for Location {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Sqlite(file) => write!(f, "{}", Path::display(file)),
            Location::Postgres(url) => f.write_str(&postgres::place(url)),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
