//! Folders, databases and logs of their own for each test.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use countersign_db::Db;
use countersign_sdk::prelude::*;
use countersign_sdk::testing;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

/// The password of every user of these tests, unless said otherwise.
pub(crate) const PASSWORD: &str = "correct horse";
/// Its hash, of the lowest cost.
pub(crate) const HASH: &str = "scrypt:16:1:1$abcdefgh12345678$d8fc8cbc88ccca6e6d84b35d8c39c95b05c1dfbdb5b6a02710952c84c08e899caf0b9003c8fd53912527cfca6027177aa7cf038df31d2e88984001ad4bf0338d";
/// The hash of "", as Airflow stores it for users of a directory.
pub(crate) const HASH_OF_EMPTY: &str = "scrypt:16:1:1$abcdefgh12345678$2d4feeddccd25d58c2df47991c269f1b02280f8bd7f78610cbcb5d38e3fad6da2f92fe7a0e9f057c789436688ae6f024dbc77ece54a66d32ab8618c8262024c5";
/// What new passwords and decoys of these tests cost: next to nothing.
pub(crate) const CHEAP: &str = "scrypt:16:1:1";

/// A folder with a state folder in it; both go when it is dropped.
pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "countersign-db-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let root = std::env::temp_dir().join(name);
        std::fs::create_dir_all(root.join("state")).unwrap();
        Folder { root }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    /// The embedded database.
    pub(crate) fn embedded(&self) -> PathBuf {
        self.state().join("users.db")
    }

    /// Airflow's database, outside of the state folder.
    pub(crate) fn airflow(&self) -> PathBuf {
        self.root.join("airflow.db")
    }

    /// Makes Airflow's database with its tables, and these statements.
    pub(crate) async fn make_airflow(&self, statements: &str) -> PathBuf {
        let path = self.airflow();
        std::fs::File::create_new(&path).unwrap();
        run(&path, include_str!("airflow.sql")).await;
        run(&path, statements).await;
        path
    }

    /// All files below, by relative path, with their bytes.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.push((path.clone(), std::fs::read(&path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// A statement that adds an active user with [`PASSWORD`]; names are plain words.
pub(crate) fn user(id: i64, name: &str) -> String {
    row(id, name, &format!("'{HASH}'"), "1")
}

/// A statement that adds a user with this SQL for his hash and his `active`.
pub(crate) fn row(id: i64, name: &str, hash: &str, active: &str) -> String {
    format!(
        "INSERT INTO ab_user (id, first_name, last_name, username, email, password, active)
         VALUES ({id}, 'First', 'Last', '{name}', '{name}@example.org', {hash}, {active});"
    )
}

pub(crate) async fn connect(path: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path);
    SqliteConnection::connect_with(&options).await.unwrap()
}

pub(crate) async fn run(path: &Path, statements: &str) {
    let mut connection = connect(path).await;
    let statements = AssertSqlSafe(statements.to_owned());
    sqlx::raw_sql(statements)
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

pub(crate) async fn one<T>(path: &Path, query: &str) -> T
where
    T: for<'r> sqlx::FromRow<'r, SqliteRow> + Send + Unpin,
{
    let mut connection = connect(path).await;
    let query = AssertSqlSafe(query.to_owned());
    let found = sqlx::query_as(query)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    found
}

/// login_count, fail_login_count, last_login of a user.
pub(crate) async fn statistics(path: &Path, id: i64) -> (Option<i64>, Option<i64>, Option<String>) {
    let query =
        "SELECT login_count, fail_login_count, CAST(last_login AS TEXT) FROM ab_user WHERE id =";
    one(path, &format!("{query} {id}")).await
}

/// An instance; `more` is added to the configuration.
pub(crate) async fn open(folder: &Folder, path: &Path, more: Value) -> Result<Db> {
    Db::configure(config(path, more), testing::cx(&folder.state())).await
}

/// The same under `countersign check`.
pub(crate) async fn check(folder: &Folder, path: &Path, more: Value) -> Result<Db> {
    Db::configure(config(path, more), testing::cx_of_check(&folder.state())).await
}

fn config(path: &Path, more: Value) -> countersign_db::Config {
    let mut config = json!({ "url": format!("sqlite://{}", path.display()), "hash": CHEAP });
    config
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    serde_json::from_value(config).unwrap()
}

/// A login with these credentials.
pub(crate) async fn login(db: &Db, username: &str, password: &str) -> Result<Option<User>> {
    let body = json!({ "username": username, "password": password }).to_string();
    db.create_token(testing::request(&[], body)).await
}

/// Everything that any instance of this process has logged, at every level.
pub(crate) fn log() -> String {
    String::from_utf8(capture().lock().unwrap().clone()).unwrap()
}

/// Begins to capture the log.
pub(crate) fn capture() -> &'static Mutex<Vec<u8>> {
    static LOG: OnceLock<Mutex<Vec<u8>>> = OnceLock::new();
    static SUBSCRIBER: OnceLock<()> = OnceLock::new();
    let log = LOG.get_or_init(Mutex::default);
    SUBSCRIBER.get_or_init(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(|| Writer)
            .init();
    });
    log
}

/// The statements that are read and the hashes that are computed meanwhile, in order, as the
/// log of this thread tells them.
pub(crate) async fn steps<T>(work: impl Future<Output = T>) -> (T, Vec<String>) {
    capture(); // so that every level is on
    let heard = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&heard);
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .without_time()
        .with_writer(move || Heard(Arc::clone(&writer)))
        .finish();
    let done = {
        let _here = tracing::subscriber::set_default(subscriber);
        work.await
    };
    let text = String::from_utf8(heard.lock().unwrap().clone()).unwrap();
    let is_step = |line: &&str| {
        ["reads statement=", "verifies method="]
            .iter()
            .any(|step| line.contains(step))
    };
    let steps = text.lines().filter(is_step);
    (done, steps.map(str::to_owned).collect())
}

struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Writer;

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        capture().lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
