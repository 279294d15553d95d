//! The host's store: one suite over SQLite and over a real PostgreSQL.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::accounts::store::{Held, Link, LinkKey, Linked, Location, Store, StoreError};
use countersign::config::values::Secret;
use countersign_tests::postgres::Postgres;
use countersign_tests::{Folder, Server, artifacts, post_json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::runtime::Runtime;

fn key(subject: &str) -> LinkKey {
    LinkKey {
        backend: "dir".into(),
        subject: subject.into(),
        target: "users".into(),
    }
}

fn row<'a>(id: &'a str, username: &'a str, roles: &'a [String]) -> Linked<'a> {
    Linked {
        id,
        username,
        roles,
    }
}

fn taken(written: Result<(), StoreError>) -> bool {
    matches!(written, Err(StoreError::Taken))
}

/// What holds over every kind of store; the place is empty.
async fn suite(place: &Location) {
    Store::check(place).await.unwrap();
    let store = Store::open(place.clone()).await.unwrap();
    assert!(store.is_at(place));
    notes_become_links_and_links_stay(&store).await;
    one_row_is_one_persons(&store).await;
    writers_at_once_agree(Arc::new(store)).await;
    // Closed and opened again, all is there, and a check finds nothing amiss.
    Store::check(place).await.unwrap();
    let store = Store::open(place.clone()).await.unwrap();
    let kept = store.link(&key("ada")).await.unwrap().unwrap();
    assert_eq!(kept.id.as_deref(), Some("1"));
    store.close().await;
}

async fn notes_become_links_and_links_stay(store: &Store) {
    let ada = key("ada");
    let link = async || store.link(&ada).await.unwrap();
    assert_eq!(link().await, None);
    store.intend(&ada, "Ada", 1).await.unwrap();
    let note = Link {
        id: None,
        username: "ada".into(),
        roles: vec![],
    };
    assert_eq!(link().await, Some(note.clone()));
    // A second note changes nothing; it can be taken back.
    store.intend(&ada, "other", 2).await.unwrap();
    assert_eq!(link().await, Some(note));
    store.forget(&ada).await.unwrap();
    assert_eq!(link().await, None);
    store.intend(&ada, "ada", 3).await.unwrap();

    let roles = ["Admin".to_owned(), "O'Brien \"x\" ü".to_owned()];
    store
        .put_link(&ada, row("1", "Ada", &roles), 4)
        .await
        .unwrap();
    let linked = link().await.unwrap();
    assert_eq!(
        (linked.id.as_deref(), &*linked.roles),
        (Some("1"), &roles[..])
    );
    store
        .put_link(&ada, row("1", "ada2", &[]), 5)
        .await
        .unwrap();
    store.intend(&ada, "ada", 6).await.unwrap();
    store.forget(&ada).await.unwrap();
    let linked = link().await.unwrap();
    assert_eq!(
        (linked.id.as_deref(), &*linked.username),
        (Some("1"), "ada2")
    );
    assert!(linked.roles.is_empty());
}

async fn one_row_is_one_persons(store: &Store) {
    let (ada, bea, cec) = (key("ada"), key("bea"), key("cec"));
    assert!(taken(store.put_link(&bea, row("1", "ada", &[]), 7).await));
    assert!(taken(store.put_link(&ada, row("2", "ada", &[]), 7).await));
    assert_eq!(store.link(&bea).await.unwrap(), None);
    let held = async |key, name| store.held(key, name).await.unwrap();
    assert_eq!(held(&bea, "ADA2").await, Held::Linked);
    assert_eq!(held(&ada, "ada2").await, Held::No, "by himself");
    assert_eq!(held(&bea, "ada").await, Held::No, "his name before");
    // A note keeps others from the name while a login may be under way, or as long as the
    // name is not known to be free.
    store.intend(&bea, "Bea", 8).await.unwrap();
    assert_eq!(held(&ada, "bea").await, Held::Noted);
    assert_eq!(held(&bea, "bea").await, Held::No, "by himself");
    store.intend(&cec, "bea", 308).await.unwrap();
    assert_eq!(held(&cec, "bea").await, Held::Noted);
    store.intend(&cec, "bea", 309).await.unwrap();
    assert_eq!(held(&cec, "bea").await, Held::No, "it came to nothing");
    store.forget(&cec).await.unwrap();
    assert_eq!(store.link(&bea).await.unwrap(), None);
    let elsewhere = LinkKey {
        target: "people".into(),
        ..key("bea")
    };
    store
        .put_link(&elsewhere, row("1", "ada2", &[]), 9)
        .await
        .unwrap();
}

async fn writers_at_once_agree(store: Arc<Store>) {
    let write = |subject: &'static str, id: usize| {
        let store = Arc::clone(&store);
        let id = id.to_string();
        tokio::spawn(async move { store.put_link(&key(subject), row(&id, "x", &[]), 10).await })
    };
    let same: Vec<_> = (0..16).map(|_| write("same", 50)).collect();
    for written in same {
        written.await.unwrap().unwrap();
    }
    // Far from the ids that the table of the logins below gives.
    let each: Vec<_> = (5_000..5_016).map(|id| write("each", id)).collect();
    let mut won = 0;
    for written in each {
        match written.await.unwrap() {
            Ok(()) => won += 1,
            Err(error) => assert!(matches!(error, StoreError::Taken), "{error}"),
        }
    }
    assert_eq!(won, 1);
    store.close().await;
}

/// A store whose tables a later version has changed.
async fn newer_is_refused(place: &Location) {
    for refused in [
        Store::open(place.clone()).await.map(drop),
        Store::check(place).await,
    ] {
        let error = refused.unwrap_err();
        let text = format!("{error} {error:?} {place} {place:?}");
        assert!(
            text.contains("its tables are of version 99, and this program knows versions up to 5"),
            "{text}"
        );
        assert!(!text.contains("testbed-pw"), "{text}");
        assert!(error.help().contains("start the version that wrote it"));
    }
}

const NEWER: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
    SELECT 99, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1";

#[test]
fn store_on_sqlite() {
    let folder = Folder::new();
    let file = folder.join("store.db");
    let place = Location::Sqlite(file.clone());
    Runtime::new().unwrap().block_on(async {
        Store::check(&place).await.unwrap();
        assert!(!file.exists(), "a check makes nothing");
        suite(&place).await;
        assert_eq!(mode(&file), 0o600);
        let before = files(folder.path());
        Store::check(&place).await.unwrap();
        assert_eq!(files(folder.path()), before, "a check leaves nothing");
        let options = SqliteConnectOptions::new().filename(&file);
        let mut connection = options.connect().await.unwrap();
        sqlx::query(NEWER).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        newer_is_refused(&place).await;
        // What is no database is said, not replaced.
        let other = folder.write(
            "other.db",
            "not a database, but long enough to look like one",
        );
        let error = Store::open(Location::Sqlite(other)).await.unwrap_err();
        assert!(error.to_string().contains("other.db"), "{error}");
    });
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn store_on_postgres() {
    let server = Postgres::start();
    let place = Location::Postgres(Secret::from(server.url.clone()));
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        // Hosts that start together for the first time.
        let opened: Vec<_> = (0..6)
            .map(|_| tokio::spawn(Store::open(place.clone())))
            .collect();
        for store in opened {
            store.await.unwrap().unwrap().close().await;
        }
        suite(&place).await;
        outage(&server, &place).await;
        let mut connection = PgConnection::connect(&server.url).await.unwrap();
        sqlx::query(NEWER).execute(&mut connection).await.unwrap();
        newer_is_refused(&place).await;
        sqlx::query("DELETE FROM _sqlx_migrations WHERE version = 99")
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    });
    logins(&server);
}

/// Down, every query ends in time; up again, the same store works.
async fn outage(server: &Postgres, place: &Location) {
    let store = Store::open(place.clone()).await.unwrap();
    server.stop();
    let begun = Instant::now();
    assert!(store.link(&key("ada")).await.is_err());
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    let error = Store::open(place.clone()).await.unwrap_err();
    assert!(
        error.to_string().contains("PostgreSQL 127.0.0.1:"),
        "{error}"
    );
    server.again();
    assert!(store.link(&key("ada")).await.unwrap().is_some());
    store.close().await;
}

/// A host with its links in PostgreSQL.
fn logins(server: &Postgres) {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("answers"), "answers");
    folder.plugin(&artifacts::fixture("provisions"), "provisions");
    let config = format!(
        "plugins: {{ directories: [plugins] }}\nstore: {{ url: \"{}\" }}\ntokens: {{ subject_backend: users }}\nbackends:\n  dir: {{ plugin: answers, config: {{}}, provision: users, registration: true }}\n  users: {{ plugin: provisions, config: {{}} }}\n",
        server.url
    );
    let host = Server::start(&folder, &config);
    let body = r#"{"username":"ada","password":"x"}"#;
    let login = || post_json(host.address, "/auth/dir/token", body).status;
    assert_eq!(login(), 201, "{}", host.log());
    assert!(!host.state.join("store.db").exists());
    server.stop();
    assert_eq!(login(), 503, "{}", host.log());
    server.again();
    assert_eq!(login(), 201, "{}", host.log());
    let (code, log) = host.stop();
    assert_eq!(code, 0, "{log}");
    assert!(!log.contains("testbed-pw"), "{log}");
}
