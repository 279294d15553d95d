//! Users in Flask-AppBuilder's tables: an Airflow database that another program
//! owns, or one of the deployment's own in the state folder.
//!
//! A login in a straight line: `login` looks the name up in `accounts`, verifies
//! the stored `hash` in the CPU pool, and leaves the statistics to `counters`,
//! which write after the answer. `manage` is `countersign users …`.

mod accounts;
mod config;
mod counters;
mod database;
mod hash;
mod location;
mod login;
mod manage;

use countersign_sdk::prelude::*;
use serde_json::Value;

use accounts::Account;
pub use config::{Access, Config, Tables};
use counters::Counters;
use database::Database;
use hash::Method;
use location::Location;

/// A backend over one database.
pub struct Db {
    cx: Cx,
    database: Database,
    /// `None`: nothing may be written.
    counters: Option<Counters>,
    /// For new passwords, and for the hash that equalises time.
    method: Method,
    access: Access,
}

impl Configure for Db {
    type Config = Config;

    async fn configure(config: Config, cx: Cx) -> Result<Self> {
        let method = config.method()?;
        let Tables::Fab = config.schema;
        let location = Location::parse(&config.url, cx.state())?;
        let default = if location.embedded {
            Access::Full
        } else {
            Access::Counters
        };
        let access = config.access.unwrap_or(default);
        let database = Database::open(&location, access, cx.is_check()).await?;
        let writes = access >= Access::Counters && !cx.is_check();
        let counters = writes.then(|| Counters::start(&cx, database.pool().clone()));
        Ok(Db {
            cx,
            database,
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
        offered.manage = true;
        offered.lookup = true;
        // POSIX locks: two copies of SQLite in one process must not hold one file.
        offered.exclusive = true;
        offered.fresh = self.database.is_fresh();
        offered
    }

    async fn manage(&self, operation: &str, arguments: Value) -> Result<Value> {
        self.manage_users(operation, arguments).await
    }

    async fn lookup(&self, username: &str) -> Result<Option<User>> {
        match Account::find(&self.database, username).await? {
            Some(account) if account.active => account.into_user(&self.database).await.map(Some),
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
        let read = sqlx::query("SELECT 1 FROM ab_user LIMIT 1")
            .fetch_optional(self.database.pool())
            .await;
        read.map(drop)
            .map_err(|error| self.database.failed("read ab_user", &error))
    }

    async fn shutdown(&self) {
        if let Some(counters) = &self.counters {
            counters.flush().await;
        }
        self.database.pool().close().await;
    }
}

impl Db {
    fn count(&self, record: impl FnOnce(&Counters)) {
        if let Some(counters) = &self.counters {
            record(counters);
        }
    }
}

export_plugin!(Db);
