//! `users add`, `list` and `passwd`.

use countersign_db::Db;
use countersign_sdk::{AuthPlugin, Kind};
use serde_json::{Value, json};

use crate::support::{Folder, PASSWORD, login, one, open, statistics, user};

async fn refused(db: &Db, operation: &str, arguments: Value) -> String {
    let error = db.manage(operation, arguments).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid);
    error.detail().to_owned()
}

#[tokio::test]
async fn add_then_list_then_login_tell_the_same_user() {
    let folder = Folder::new();
    let db = open(&folder, &folder.embedded(), json!({})).await.unwrap();
    let added = db
        .manage(
            "user_add",
            json!({ "op": "user_add", "username": "ada", "password": PASSWORD, "email": "ada@example.org",
                    "first_name": "Ada", "last_name": "L", "roles": ["Viewer", "Admin", "Viewer"] }),
        )
        .await
        .unwrap();
    assert_eq!(added["id"], json!(1));
    let bob = json!({ "username": "bob", "password": PASSWORD, "email": null, "roles": null });
    db.manage("user_add", bob).await.unwrap();
    assert_eq!(
        db.manage("user_list", json!({})).await.unwrap(),
        json!([
            { "id": 1, "username": "ada", "email": "ada@example.org", "first_name": "Ada", "last_name": "L",
              "active": true, "roles": ["Admin", "Viewer"], "last_login": null, "login_count": 0, "fail_login_count": 0 },
            { "id": 2, "username": "bob", "email": "bob@email.notfound", "first_name": "", "last_name": "",
              "active": true, "roles": ["Public"], "last_login": null, "login_count": 0, "fail_login_count": 0 },
        ])
    );
    let ada = login(&db, "ADA", PASSWORD).await.unwrap().unwrap();
    assert_eq!(ada.roles, ["Admin", "Viewer"]);
}

#[tokio::test]
async fn add_of_a_wrong_user_says_what_is_wrong_and_adds_nobody() {
    let folder = Folder::new();
    let db = open(&folder, &folder.embedded(), json!({})).await.unwrap();
    let ada = json!({ "username": "ada", "password": "x", "email": "ada@example.org" });
    db.manage("user_add", ada).await.unwrap();
    for (arguments, expected) in [
        (
            json!({ "username": "ADA", "password": "x" }),
            "there is a user \"ADA\" already",
        ),
        (
            json!({ "username": "eve", "password": "x", "email": "ada@example.org" }),
            "belongs to another user",
        ),
        (
            json!({ "username": "eve", "password": "x", "roles": ["Admin", "Root"] }),
            "there is no role \"Root\"; known are Admin, Op, Public, User, Viewer",
        ),
        (
            json!({ "username": "eve", "password": "x", "roles": ["admin"] }),
            "there is no role \"admin\"",
        ),
        (
            json!({ "username": "eve", "password": "" }),
            "the password is empty",
        ),
        (
            json!({ "username": "eve", "password": "x\0" }),
            "the password contains NUL",
        ),
        (
            json!({ "username": "", "password": "x" }),
            "the username is empty",
        ),
        (
            json!({ "username": "e\nve", "password": "x" }),
            "the username contains control characters",
        ),
        (
            json!({ "username": "e".repeat(513), "password": "x" }),
            "the username is longer than 512",
        ),
        (
            json!({ "username": "eve" }),
            "the arguments do not fit; expected {username, password",
        ),
    ] {
        let text = refused(&db, "user_add", arguments).await;
        assert!(text.contains(expected), "{text}");
    }
    let users = db.manage("user_list", json!({})).await.unwrap();
    assert_eq!(users.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn add_to_airflows_tables_works_with_full_access_and_is_refused_with_less() {
    let folder = Folder::new();
    let path = folder.make_airflow(&user(3, "ada")).await;
    let eve = json!({ "username": "eve", "password": PASSWORD, "roles": ["Op"] });
    for more in [json!({}), json!({ "access": "read" })] {
        let db = open(&folder, &path, more).await.unwrap();
        let import = json!({ "users": [] });
        for (operation, arguments) in [
            ("user_add", &eve),
            ("user_passwd", &eve),
            ("user_import", &import),
        ] {
            let text = refused(&db, operation, arguments.clone()).await;
            assert!(text.contains("set `access: full`"), "{text}");
        }
        let users = db.manage("user_list", json!({})).await.unwrap();
        assert_eq!(users[0]["username"], "ada");
    }
    let db = open(&folder, &path, json!({ "access": "full" }))
        .await
        .unwrap();
    db.manage("user_add", eve).await.unwrap();
    let eve = login(&db, "eve", PASSWORD).await.unwrap().unwrap();
    assert_eq!((eve.id.as_str(), eve.roles), ("4", vec!["Op".to_owned()]));
}

#[tokio::test]
async fn passwd_replaces_the_password_and_forgets_failures_and_nothing_else() {
    let folder = Folder::new();
    let rows = user(3, "ada")
        + "UPDATE ab_user SET login_count = 5, fail_login_count = 9, last_login = '2026-01-02 03:04:05.000006',
           changed_on = '2026-01-01 00:00:00.000000';";
    let path = folder.make_airflow(&rows).await;
    let db = open(&folder, &path, json!({ "access": "full" }))
        .await
        .unwrap();
    db.manage(
        "user_passwd",
        json!({ "username": "Ada", "password": "battery staple" }),
    )
    .await
    .unwrap();
    let last_login = Some("2026-01-02 03:04:05.000006".to_owned());
    assert_eq!(statistics(&path, 3).await, (Some(5), Some(0), last_login));
    let changed: (String,) = one(&path, "SELECT CAST(changed_on AS TEXT) FROM ab_user").await;
    assert_eq!(changed.0, "2026-01-01 00:00:00.000000");
    assert!(login(&db, "ada", PASSWORD).await.is_err());
    assert!(login(&db, "ada", "battery staple").await.unwrap().is_some());
    for (arguments, expected) in [
        (
            json!({ "username": "eve", "password": "x" }),
            "there is no user \"eve\"",
        ),
        (
            json!({ "username": "ada", "password": "" }),
            "the password is empty",
        ),
        (
            json!({ "username": "ada", "password": "\0" }),
            "the password contains NUL",
        ),
    ] {
        let text = refused(&db, "user_passwd", arguments).await;
        assert!(text.contains(expected), "{text}");
    }
    assert!(login(&db, "ada", "battery staple").await.unwrap().is_some());
}

#[tokio::test]
async fn new_password_is_stored_as_the_setting_says() {
    let folder = Folder::new();
    let path = folder.embedded();
    let ada = json!({ "username": "ada", "password": PASSWORD });
    let db = open(&folder, &path, json!({ "hash": "pbkdf2:sha256:1000" }))
        .await
        .unwrap();
    db.manage("user_add", ada.clone()).await.unwrap();
    let hash: (String,) = one(&path, "SELECT password FROM ab_user").await;
    assert!(hash.0.starts_with("pbkdf2:sha256:1000$"), "{}", hash.0);
    db.shutdown().await;
    let db = open(&folder, &path, json!({ "hash": "scrypt" }))
        .await
        .unwrap();
    assert!(
        login(&db, "ada", PASSWORD).await.unwrap().is_some(),
        "the old hash goes on working"
    );
    db.manage("user_passwd", ada).await.unwrap();
    let hash: (String,) = one(&path, "SELECT password FROM ab_user").await;
    assert!(hash.0.starts_with("scrypt:32768:8:1$"), "{}", hash.0);
    assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
}

#[tokio::test]
async fn unknown_operation_is_not_supported() {
    let folder = Folder::new();
    let db = open(&folder, &folder.embedded(), json!({})).await.unwrap();
    let error = db.manage("user_delete", json!({})).await.unwrap_err();
    assert_eq!(error.kind(), Kind::NotSupported);
}
