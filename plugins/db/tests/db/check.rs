//! `countersign check`: looks, makes nothing, leaves nothing behind.

use countersign_sdk::{AuthPlugin, Kind};
use serde_json::json;

use crate::support::{Folder, PASSWORD, check, open, user};

#[tokio::test]
async fn check_before_the_first_start_is_content_and_makes_no_file() {
    let folder = Folder::new();
    let db = check(&folder, &folder.embedded(), json!({})).await.unwrap();
    assert_eq!(db.health().await, Ok(()));
    db.shutdown().await;
    assert!(folder.files().is_empty());
}

#[tokio::test]
async fn check_of_an_existing_database_leaves_every_byte() {
    let folder = Folder::new();
    let airflow = folder.make_airflow(&user(1, "ada")).await;
    let embedded = folder.embedded();
    open(&folder, &embedded, json!({}))
        .await
        .unwrap()
        .shutdown()
        .await;
    let before = folder.files();
    for path in [&airflow, &embedded] {
        let db = check(&folder, path, json!({})).await.unwrap();
        db.lookup("ada").await.unwrap();
        assert_eq!(db.health().await, Ok(()));
        db.shutdown().await;
        assert_eq!(folder.files(), before);
    }
}

#[tokio::test]
async fn check_beside_a_running_instance_sees_what_it_wrote() {
    let folder = Folder::new();
    let path = folder.embedded();
    let serving = open(&folder, &path, json!({})).await.unwrap();
    let ada = json!({ "username": "ada", "password": PASSWORD });
    serving.manage("user_add", ada).await.unwrap();
    let db = check(&folder, &path, json!({})).await.unwrap();
    assert!(db.lookup("ada").await.unwrap().is_some());
    let error = db
        .manage("user_add", json!({ "username": "eve", "password": "x" }))
        .await;
    assert_eq!(error.unwrap_err().kind(), Kind::Unavailable);
}

#[tokio::test]
async fn check_of_a_wrong_place_is_the_error_of_serve() {
    let folder = Folder::new();
    let error = check(&folder, &folder.airflow(), json!({}))
        .await
        .err()
        .unwrap();
    assert!(error.detail().contains("does not exist"), "{error}");
    let path = folder.make_airflow("DROP TABLE ab_user_role;").await;
    let error = check(&folder, &path, json!({})).await.err().unwrap();
    assert!(error.detail().contains("no table ab_user_role;"), "{error}");
}
