//! One suite, three databases: SQLite in a file, PostgreSQL and MariaDB in a server that
//! is started once for this process and ends with it. Each test has a database of its own.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use countersign_db::{Config, Db};
use countersign_sdk::prelude::*;
use countersign_sdk::testing;
use serde_json::{Value, json};
use sqlx::mysql::MySqlConnection;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use crate::support::{self, CHEAP, Folder, HASH};

/// Makes a test of each function for each database.
macro_rules! on_each_database {
    ($($name:ident,)*) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name($crate::bed::Kind::Sqlite).await })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() { super::$name($crate::bed::Kind::Postgres).await })*
        }
        mod mariadb {
            $(#[tokio::test] async fn $name() { super::$name($crate::bed::Kind::MariaDb).await })*
        }
    };
}
pub(crate) use on_each_database;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    MariaDb,
}

/// A database of one test.
pub(crate) struct Bed {
    pub(crate) kind: Kind,
    pub(crate) url: String,
    folder: Folder,
}

impl Bed {
    /// With Airflow's tables and these rows.
    pub(crate) async fn airflow(kind: Kind, rows: &str) -> Self {
        let bed = Self::empty(kind).await;
        bed.run(match kind {
            Kind::Sqlite => include_str!("airflow.sql"),
            Kind::Postgres => include_str!("airflow-postgres.sql"),
            Kind::MariaDb => include_str!("airflow-mariadb.sql"),
        })
        .await;
        bed.run(rows).await;
        bed
    }

    /// Without tables.
    pub(crate) async fn empty(kind: Kind) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder = Folder::new();
        let url = match kind {
            Kind::Sqlite => {
                std::fs::File::create_new(folder.airflow()).unwrap();
                format!("sqlite://{}", folder.airflow().display())
            }
            Kind::Postgres | Kind::MariaDb => {
                let server = kind.server();
                let name = format!("t{}", COUNT.fetch_add(1, Ordering::Relaxed));
                let create = format!("CREATE DATABASE {name}");
                run_on(kind, server.url(), &create).await;
                format!("{}/{name}", server.url().strip_suffix("/testbed").unwrap())
            }
        };
        Bed { kind, url, folder }
    }

    /// An instance; `more` is added to the configuration.
    pub(crate) async fn open(&self, more: Value) -> Result<Db> {
        Db::configure(config(&self.url, more), testing::cx(&self.folder.state())).await
    }

    pub(crate) async fn run(&self, statements: &str) {
        if statements.is_empty() {
            return; // MySQL takes nothing for an error
        }
        if self.kind == Kind::Sqlite {
            support::run(&self.folder.airflow(), statements).await;
        } else {
            run_on(self.kind, &self.url, statements).await;
        }
    }

    /// Writes in SQLite, without an end until the answer is dropped; a server locks rows only.
    pub(crate) async fn write_lock(&self) -> Option<sqlx::SqliteConnection> {
        if self.kind != Kind::Sqlite {
            return None;
        }
        let mut own = support::connect(&self.folder.airflow()).await;
        let begin = sqlx::query("BEGIN IMMEDIATE").execute(&mut own);
        begin.await.unwrap();
        Some(own)
    }

    /// One value as text: `SELECT what FROM from`.
    pub(crate) async fn value(&self, what: &str, from: &str) -> Option<String> {
        let query = AssertSqlSafe(format!("SELECT CONCAT('', {what}) FROM {from}"));
        let found: Option<String> = match self.kind {
            Kind::Sqlite => {
                let mut own = support::connect(&self.folder.airflow()).await;
                sqlx::query_scalar(query).fetch_one(&mut own).await.unwrap()
            }
            Kind::Postgres => {
                let mut own = PgConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(query).fetch_one(&mut own).await.unwrap()
            }
            Kind::MariaDb => {
                let mut own = MySqlConnection::connect(&self.url).await.unwrap();
                sqlx::query_scalar(query).fetch_one(&mut own).await.unwrap()
            }
        };
        found.filter(|text| !text.is_empty())
    }

    /// login_count and fail_login_count of a user.
    pub(crate) async fn counts(&self, id: i64) -> (Option<String>, Option<String>) {
        let from = format!("ab_user WHERE id = {id}");
        (
            self.value("login_count", &from).await,
            self.value("fail_login_count", &from).await,
        )
    }
}

/// A configuration.
pub(crate) fn config(url: &str, more: Value) -> Config {
    let mut config = json!({ "url": url, "hash": CHEAP });
    let more = more.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(more);
    serde_json::from_value(config).unwrap()
}

/// A statement that adds an active user with the password of these tests.
pub(crate) fn user(id: i64, name: &str) -> String {
    row(id, name, &format!("'{HASH}'"), "TRUE")
}

/// A statement that adds a user with this SQL for his hash and his `active`.
pub(crate) fn row(id: i64, name: &str, hash: &str, active: &str) -> String {
    support::row(id, name, hash, active)
}

async fn run_on(kind: Kind, url: &str, statements: &str) {
    let statements = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
    match kind {
        Kind::Postgres => {
            let mut own = PgConnection::connect(url).await.unwrap();
            statements.execute(&mut own).await.unwrap();
            own.close().await.unwrap();
        }
        Kind::MariaDb => {
            let mut own = MySqlConnection::connect(url).await.unwrap();
            statements.execute(&mut own).await.unwrap();
            own.close().await.unwrap();
        }
        Kind::Sqlite => unreachable!("a file has no server"),
    }
}

/// A server of the test bed.
pub(crate) struct Server {
    facts: BTreeMap<String, String>,
    /// Ends when its standard input does: with this process.
    child: Child,
    prefix: &'static str,
}

impl Kind {
    /// The server that the tests share.
    pub(crate) fn server(self) -> &'static Server {
        static POSTGRES: OnceLock<Server> = OnceLock::new();
        static MARIADB: OnceLock<Server> = OnceLock::new();
        match self {
            Kind::Postgres => POSTGRES.get_or_init(|| Server::start("postgres/pg.sh", "PG")),
            Kind::MariaDb => MARIADB.get_or_init(|| Server::start("mariadb/mariadb.sh", "MARIADB")),
            Kind::Sqlite => unreachable!("a file has no server"),
        }
    }
}

impl Server {
    /// Starts a server; it ends with the value's process at the latest.
    pub(crate) fn start(script: &str, prefix: &'static str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let bed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/testbed");
        let name = format!(
            "countersign-{prefix}-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let folder: PathBuf = std::env::temp_dir().join(name);
        let mut child = Command::new(bed.join(script))
            .args([Path::new("run"), &folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut facts = BTreeMap::new();
        while !facts.contains_key(&format!("{prefix}_URL")) {
            let line = lines.next().expect("the server did not start").unwrap();
            let (key, value) = line.split_once('=').unwrap();
            facts.insert(key.to_owned(), value.to_owned());
        }
        Server {
            facts,
            child,
            prefix,
        }
    }

    /// Its database `testbed`.
    pub(crate) fn url(&self) -> &str {
        self.fact("URL")
    }

    pub(crate) fn fact(&self, name: &str) -> &str {
        &self.facts[&format!("{}_{name}", self.prefix)]
    }

    /// Ends it and waits.
    pub(crate) fn stop(mut self) {
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}
