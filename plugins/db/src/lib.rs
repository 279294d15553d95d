//! Users in Flask-AppBuilder's tables: an Airflow database that another program
//! owns, or one of the deployment's own in the state folder. Or in any tables, read by
//! the operator's own `queries`. On SQLite, PostgreSQL, MySQL and MariaDB.
//!
//! A login in a straight line: `login` looks the name up in `accounts` (or `queries`),
//! verifies the stored `hash` in the CPU pool, and leaves the statistics to `counters`,
//! which write after the answer. `manage` is `countersign users …`, `provision` what
//! other backends' users come in by.

mod accounts;
mod config;
mod counters;
mod database;
#[cfg(fuzzing)]
pub mod fuzzing;
mod hash;
mod location;
mod login;
mod manage;
mod profile;
mod provision;
mod queries;
mod rehash;
mod roles;
mod sql;

use countersign_sdk::prelude::*;
use countersign_sdk::{Provision, Provisioned};
use serde_json::Value;

use accounts::Account;
pub use config::{Access, Config, Queries, Tables};
use counters::Counters;
use database::Database;
use hash::Method;
use location::Location;
use sql::Dialect;

/// A backend over one database.
pub struct Db {
    cx: Cx,
    database: Database,
    /// `None`: Flask-AppBuilder's tables.
    queries: Option<queries::Queries>,
    /// `None`: nothing may be written.
    counters: Option<Counters>,
    /// For new passwords, and for the hash that equalises time.
    method: Method,
    access: Access,
    /// Are passwords of another method hashed anew?
    rehashes: bool,
}

impl Configure for Db {
    type Config = Config;

    async fn configure(config: Config, cx: Cx) -> Result<Self> {
        let location = Location::parse(&config.url, cx.state())?;
        let access = config.access(location.is_embedded())?;
        let method = config.method()?;
        let (database, queries) = match &config.queries {
            Some(queries) => {
                let database = Database::open_any(&location).await?;
                let queries = queries::Queries::prepare(queries, &database).await?;
                (database, Some(queries))
            }
            None => (
                Database::open(&location, access, cx.is_check()).await?,
                None,
            ),
        };
        if queries.is_none() {
            method.check_for(database.is_ours, access)?;
        }
        let writes = access >= Access::Counters && !cx.is_check();
        let counters = writes.then(|| Counters::start(&cx, database.pool().clone()));
        Ok(Db {
            rehashes: writes && access == Access::Full && database.is_ours,
            cx,
            database,
            queries,
            counters,
            method,
            access,
        })
    }
}

impl AuthPlugin for Db {
    async fn create_token(&self, request: TokenRequest) -> Result<Option<User>> {
        match request.username_password() {
            Some((username, password)) => self.login(username, password).await,
            None => Ok(None),
        }
    }

    fn capabilities(&self) -> Capabilities {
        let mut offered = Capabilities::password();
        offered.manage = self.queries.is_none();
        offered.provision = self.access == Access::Full;
        offered.lookup = true;
        // POSIX locks: two copies of SQLite in one process must not hold one file.
        offered.exclusive = self.database.dialect() == Dialect::Sqlite;
        offered.fresh = self.database.is_fresh();
        offered
    }

    async fn provision(&self, user: Provision) -> Result<Provisioned> {
        self.provision_user(user).await
    }

    async fn manage(&self, operation: &str, arguments: Value) -> Result<Value> {
        if self.queries.is_some() {
            return Err(AuthError::not_supported(operation));
        }
        self.manage_users(operation, arguments).await
    }

    async fn lookup(&self, username: &str) -> Result<Option<User>> {
        if self.database.is_absent {
            // A check before the first start, which makes the file.
            return Ok(None);
        }
        match self.find(username).await? {
            Some(account) if account.active => self.user(account).await.map(Some),
            Some(account) => {
                Err(AuthError::denied("the user is inactive").subject(account.username))
            }
            None => Ok(None),
        }
    }

    async fn health(&self) -> Result<()> {
        if self.database.is_absent {
            return Ok(());
        }
        let (doing, read) = match self.queries {
            None => ("read ab_user", "SELECT id FROM ab_user LIMIT 1"),
            Some(_) => ("read anything", "SELECT 1"),
        };
        self.database.fetch(doing, read, &[]).await.map(drop)
    }

    async fn shutdown(&self) {
        if let Some(counters) = &self.counters {
            counters.flush().await;
        }
        self.database.pool().close().await;
    }
}

impl Db {
    async fn find(&self, name: &str) -> Result<Option<Account>> {
        match &self.queries {
            None => Account::find(&self.database, name).await,
            Some(queries) => queries.find(&self.database, name).await,
        }
    }

    /// The user for the host, with his roles.
    async fn user(&self, account: Account) -> Result<User> {
        let roles = match (&self.queries, account.row) {
            (Some(queries), _) => queries.roles(&self.database, &account).await?,
            (None, Some(row)) => accounts::roles(&self.database, row).await?,
            (None, None) => Vec::new(),
        };
        Ok(account.into_user(roles))
    }

    fn count(&self, record: impl FnOnce(&Counters)) {
        if let Some(counters) = &self.counters {
            record(counters);
        }
    }

    fn count_of(&self, row: Option<i64>, record: fn(&Counters, i64)) {
        if let Some(row) = row {
            self.count(|counters| record(counters, row));
        }
    }
}

export_plugin!(Db);
