//! An outage is never a failed login.

use countersign_sdk::{AuthPlugin, Kind};
use serde_json::json;

use crate::support::{Folder, PASSWORD, connect, login, open, user};

#[tokio::test]
async fn locked_database_is_unavailable_and_heals() {
    let folder = Folder::new();
    let path = folder.make_airflow(&user(1, "ada")).await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    let mut other = connect(&path).await;
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut other)
        .await
        .unwrap();
    let (answer, health) = tokio::join!(login(&db, "ada", PASSWORD), db.health());
    for error in [answer.unwrap_err(), health.unwrap_err()] {
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.detail().contains("database is locked"), "{error}");
    }
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
    assert_eq!(db.health().await, Ok(()));
}

#[tokio::test]
async fn row_of_the_wrong_type_is_unavailable_not_a_panic() {
    let folder = Folder::new();
    let path = folder
        .make_airflow(&format!(
            "{} UPDATE ab_user SET first_name = x'ff';",
            user(1, "ada")
        ))
        .await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    let error = login(&db, "ada", PASSWORD).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
}

#[tokio::test]
async fn closed_database_is_unavailable() {
    let folder = Folder::new();
    let path = folder.make_airflow(&user(1, "ada")).await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    db.shutdown().await;
    let error = login(&db, "ada", PASSWORD).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
}
