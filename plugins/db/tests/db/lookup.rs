//! Whom a typed name means where rows are in each other's way, and whose request is ours.

use countersign_sdk::prelude::*;
use countersign_sdk::testing;
use serde_json::json;

use crate::support::{Folder, PASSWORD, capture, log, login, open, user};

#[tokio::test]
async fn name_wins_over_the_same_address_of_another() {
    let folder = Folder::new();
    let rows = format!(
        "{} {} UPDATE ab_user SET username = 'bob@example.org' WHERE id = 7;",
        user(7, "ada"),
        user(8, "bob"),
    );
    let path = folder.make_airflow(&rows).await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    let found = login(&db, "bob@example.org", PASSWORD)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.id, "7");
}

#[tokio::test]
async fn name_of_two_rows_means_nobody_and_is_logged_by_their_ids() {
    capture();
    let folder = Folder::new();
    let path = folder.airflow();
    let tables = include_str!("airflow.sql").replace("COLLATE \"NOCASE\" ", "");
    std::fs::File::create_new(&path).unwrap();
    crate::support::run(&path, &tables).await;
    let rows = [(9101, "ada"), (9102, "Ada"), (9103, "bob")];
    for (id, name) in rows {
        crate::support::run(&path, &user(id, name)).await;
    }
    let db = open(&folder, &path, json!({})).await.unwrap();
    for name in ["ada", "Ada", "ADA"] {
        assert_eq!(login(&db, name, PASSWORD).await.unwrap(), None, "{name}");
        assert_eq!(db.lookup(name).await.unwrap(), None, "{name}");
    }
    assert!(login(&db, "BOB", PASSWORD).await.unwrap().is_some());
    assert!(
        login(&db, "ada@example.org", PASSWORD)
            .await
            .unwrap()
            .is_some()
    );
    assert!(log().contains("9101 and 9102"), "{}", log());
}

#[tokio::test]
async fn request_without_a_name_and_a_password_is_not_this_plugins_kind() {
    let folder = Folder::new();
    let path = folder.make_airflow(&user(7, "ada")).await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    for body in [
        "",
        "{}",
        "[]",
        r#"{"username":"ada"}"#,
        r#"{"username":"ada","password":""}"#,
        r#"{"username":"","password":"correct horse"}"#,
        r#"{"username":7,"password":"correct horse"}"#,
        r#"{"username":"ada","password":["correct horse"]}"#,
    ] {
        let answer = db.create_token(testing::request(&[], body)).await;
        assert_eq!(answer, Ok(None), "{body}");
    }
}
