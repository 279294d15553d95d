//! The deployment's own database: made once, private, and fresh until its first user.

use std::os::unix::fs::PermissionsExt;

use countersign_sdk::{AuthPlugin, Kind};
use serde_json::{Value, json};

use crate::support::{Folder, PASSWORD, login, one, open, run};

fn ada() -> Value {
    json!({ "username": "ada", "password": PASSWORD, "roles": ["Admin"] })
}

#[tokio::test]
async fn first_start_makes_the_file_for_its_owner_alone_with_airflows_roles() {
    let folder = Folder::new();
    let path = folder.embedded();
    let db = open(&folder, &path, json!({})).await.unwrap();
    db.manage("user_add", ada()).await.unwrap();
    for (file, _) in folder.files() {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
    db.shutdown().await;
    let roles: (String,) = one(
        &path,
        "SELECT group_concat(name) FROM (SELECT name FROM ab_role ORDER BY id)",
    )
    .await;
    assert_eq!(roles.0, "Admin,Public,Viewer,User,Op");
    let mode: (String,) = one(&path, "PRAGMA journal_mode").await;
    assert_eq!(mode.0, "wal");
}

#[tokio::test]
async fn fresh_is_true_until_the_first_user_and_never_again() {
    let folder = Folder::new();
    let path = folder.embedded();
    let db = open(&folder, &path, json!({})).await.unwrap();
    assert!(db.capabilities().fresh);
    db.shutdown().await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    assert!(db.capabilities().fresh, "a restart before the first user");
    db.manage("user_add", json!({ "username": "", "password": "x" }))
        .await
        .unwrap_err();
    assert!(db.capabilities().fresh, "a refused user");
    db.manage("user_add", ada()).await.unwrap();
    assert!(!db.capabilities().fresh);
    db.shutdown().await;
    run(&path, "DELETE FROM ab_user").await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    assert!(
        !db.capabilities().fresh,
        "an emptied table is not a new one"
    );
    let mut added = db.manage("user_add", ada()).await.unwrap();
    assert_eq!(added["id"].take(), json!(2), "an id is never given twice");
}

#[tokio::test]
async fn fresh_ends_with_an_import() {
    let folder = Folder::new();
    let db = open(&folder, &folder.embedded(), json!({})).await.unwrap();
    db.manage("user_import", json!({ "users": [] }))
        .await
        .unwrap();
    assert!(db.capabilities().fresh, "nobody was added");
    let users = json!({ "users": [{ "id": 4, "username": "bob", "roles": [] }] });
    db.manage("user_import", users).await.unwrap();
    assert!(!db.capabilities().fresh);
}

#[tokio::test]
async fn interrupted_first_start_is_begun_anew() {
    let folder = Folder::new();
    let path = folder.embedded();
    std::fs::File::create_new(&path).unwrap();
    let db = open(&folder, &path, json!({})).await.unwrap();
    assert!(db.capabilities().fresh, "an empty file");
    db.shutdown().await;

    let folder = Folder::new();
    let path = folder.embedded();
    std::fs::File::create_new(&path).unwrap();
    run(&path, "PRAGMA journal_mode = WAL").await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    assert!(db.capabilities().fresh, "a file without tables");
    db.manage("user_add", ada()).await.unwrap();
    let ada = login(&db, "ada", PASSWORD).await.unwrap().unwrap();
    assert_eq!(
        (ada.id.as_str(), ada.roles),
        ("1", vec!["Admin".to_owned()])
    );
}

#[tokio::test]
async fn airflow_database_copied_into_the_state_folder_keeps_its_tables_and_is_not_fresh() {
    let folder = Folder::new();
    let airflow = folder.make_airflow("").await;
    let path = folder.embedded();
    std::fs::copy(airflow, &path).unwrap();
    let db = open(&folder, &path, json!({})).await.unwrap();
    assert!(!db.capabilities().fresh);
    db.manage("user_add", ada()).await.unwrap();
    db.shutdown().await;
    let (version, mode): (i64, String) = one(
        &path,
        "SELECT user_version, journal_mode FROM pragma_user_version, pragma_journal_mode",
    )
    .await;
    assert_eq!((version, mode.as_str()), (0, "delete"));
}

#[tokio::test]
async fn database_of_a_newer_version_is_refused() {
    let folder = Folder::new();
    let path = folder.embedded();
    open(&folder, &path, json!({}))
        .await
        .unwrap()
        .shutdown()
        .await;
    run(&path, "PRAGMA user_version = 3").await;
    let error = open(&folder, &path, json!({})).await.err().unwrap();
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.detail().contains("newer Countersign"), "{error}");
}

#[tokio::test]
async fn lesser_access_makes_no_database() {
    let folder = Folder::new();
    for access in ["read", "counters"] {
        let opened = open(&folder, &folder.embedded(), json!({ "access": access })).await;
        let error = opened.err().unwrap();
        assert!(error.detail().contains("`access: full`"), "{error}");
    }
    assert!(folder.files().is_empty());
}

#[tokio::test]
async fn counters_are_lost_to_a_lock_while_readers_and_logins_go_on() {
    let folder = Folder::new();
    let path = folder.embedded();
    let db = open(&folder, &path, json!({})).await.unwrap();
    db.manage("user_add", ada()).await.unwrap();
    let mut other = crate::support::connect(&path).await;
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .unwrap();
    assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
    assert_eq!(db.health().await, Ok(()));
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
}
