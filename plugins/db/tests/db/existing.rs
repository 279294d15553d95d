//! A database found existing: what is said when it does not fit, and that it stays as it was.

use countersign_sdk::{AuthPlugin, Kind};
use serde_json::json;

use crate::support::{Folder, PASSWORD, login, one, open, run, user};

#[tokio::test]
async fn missing_file_outside_of_the_state_folder_is_an_error_and_is_not_made() {
    let folder = Folder::new();
    for access in ["read", "counters", "full"] {
        let opened = open(&folder, &folder.airflow(), json!({ "access": access })).await;
        let error = opened.err().unwrap();
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(
            error.detail().contains("airflow.db does not exist"),
            "{error}"
        );
        assert!(error.detail().contains("airflow db migrate"), "{error}");
    }
    assert!(folder.files().is_empty());
}

#[tokio::test]
async fn missing_table_is_an_error_that_names_it_and_nothing_is_made() {
    let folder = Folder::new();
    let path = folder.airflow();
    std::fs::File::create_new(&path).unwrap();
    for (statement, table) in [
        (
            "CREATE TABLE alembic_version (version_num VARCHAR(32))",
            "ab_user",
        ),
        ("CREATE TABLE ab_user (id INTEGER)", "ab_role"),
        ("CREATE TABLE ab_role (id INTEGER)", "ab_user_role"),
    ] {
        run(&path, statement).await;
        let before = folder.files();
        let error = open(&folder, &path, json!({ "access": "full" }))
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(
            error.detail().contains(&format!("no table {table};")),
            "{error}"
        );
        assert!(error.detail().contains("airflow db migrate"), "{error}");
        assert_eq!(folder.files(), before);
    }
}

#[tokio::test]
async fn file_that_is_no_database_is_unavailable_with_its_path() {
    let folder = Folder::new();
    std::fs::write(
        folder.airflow(),
        "not a database, not at all, but long enough ".repeat(40),
    )
    .unwrap();
    let error = open(&folder, &folder.airflow(), json!({}))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.detail().contains("airflow.db"), "{error}");
    assert!(error.detail().contains("file is not a database"), "{error}");
}

#[tokio::test]
async fn folder_in_the_place_of_the_file_is_an_error() {
    let folder = Folder::new();
    std::fs::create_dir(folder.airflow()).unwrap();
    let error = open(&folder, &folder.airflow(), json!({}))
        .await
        .err()
        .unwrap();
    assert!(
        error.detail().contains("airflow.db is not a file"),
        "{error}"
    );
}

#[tokio::test]
async fn schema_and_persistent_settings_stay_as_they_were_at_every_access() {
    let folder = Folder::new();
    let path = folder.make_airflow(&user(1, "ada")).await;
    let query = "SELECT (SELECT journal_mode FROM pragma_journal_mode),
                        (SELECT user_version FROM pragma_user_version),
                        (SELECT schema_version FROM pragma_schema_version)";
    let before: (String, i64, i64) = one(&path, query).await;
    assert_eq!((before.0.as_str(), before.1), ("delete", 0));
    for access in ["read", "counters", "full"] {
        let db = open(&folder, &path, json!({ "access": access }))
            .await
            .unwrap();
        assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
        assert!(!db.capabilities().fresh);
        db.shutdown().await;
        let after: (String, i64, i64) = one(&path, query).await;
        assert_eq!(after, before, "{access}");
    }
}

#[tokio::test]
async fn airflows_database_linked_into_the_state_folder_is_still_airflows() {
    let folder = Folder::new();
    let path = folder.make_airflow(&user(1, "ada")).await;
    let link = folder.state().join("users.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let db = open(&folder, &link, json!({})).await.unwrap();
    assert!(!db.capabilities().fresh);
    let add = json!({ "username": "eve", "password": "x" });
    let error = db.manage("user_add", add).await.unwrap_err();
    assert!(error.detail().contains("access: full"), "{error}");
}
