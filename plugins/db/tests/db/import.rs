//! `users import` of what `airflow users export` writes.

use countersign_db::Db;
use countersign_sdk::{AuthPlugin, Kind};
use serde_json::{Value, json};

use crate::support::{Folder, HASH, HASH_OF_EMPTY, PASSWORD, login, one, open, user};

async fn import(db: &Db, users: Value) -> Value {
    db.manage(
        "user_import",
        json!({ "op": "user_import", "users": users }),
    )
    .await
    .unwrap()
}

async fn refused(db: &Db, users: Value) -> String {
    let before = db.manage("user_list", json!({})).await.unwrap();
    let error = db
        .manage("user_import", json!({ "users": users }))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid);
    assert_eq!(
        db.manage("user_list", json!({})).await.unwrap(),
        before,
        "all or nothing"
    );
    error.detail().to_owned()
}

/// Word for word what `airflow users export` writes (keys sorted, no underscores).
fn exported() -> Value {
    json!([
        { "email": "a@example.org", "firstname": "a", "id": 11, "lastname": "b", "roles": ["Admin"], "username": "admin" },
        { "email": "v@example.org", "firstname": "v", "id": 12, "lastname": "w", "roles": ["Viewer", "Team A"], "username": "viewer" },
    ])
}

#[tokio::test]
async fn import_of_an_export_keeps_ids_and_roles_and_again_skips_all() {
    let folder = Folder::new();
    let path = folder.embedded();
    let db = open(&folder, &path, json!({})).await.unwrap();
    assert_eq!(
        import(&db, exported()).await,
        json!({ "created": ["admin", "viewer"], "updated": [], "skipped": [], "blanked": [], "roles_created": ["Team A"] })
    );
    let listed = db.manage("user_list", json!({})).await.unwrap();
    assert_eq!(
        (&listed[1]["id"], &listed[1]["roles"]),
        (&json!(12), &json!(["Viewer", "Team A"]))
    );
    let error = login(&db, "admin", PASSWORD).await.unwrap_err();
    assert_eq!(
        error.detail(),
        "the user has no password",
        "an export has no hashes"
    );
    db.manage(
        "user_passwd",
        json!({ "username": "admin", "password": PASSWORD }),
    )
    .await
    .unwrap();
    assert_eq!(
        import(&db, exported()).await["skipped"],
        json!(["admin", "viewer"])
    );
    let admin = login(&db, "admin", PASSWORD).await.unwrap().unwrap();
    assert_eq!(admin.id, "11", "and a second import leaves the password");
}

#[tokio::test]
async fn import_of_known_users_brings_them_to_what_the_file_says() {
    let folder = Folder::new();
    let db = open(&folder, &folder.embedded(), json!({})).await.unwrap();
    import(&db, exported()).await;
    let report = import(
        &db,
        json!([
            { "id": "11", "username": "Admin", "email": "new@example.org", "first_name": "x", "last_name": "y", "roles": ["Op"], "password": HASH },
            { "username": "viewer", "email": "v@example.org", "firstname": "v", "lastname": "w", "roles": ["Viewer", "Team A"] },
            { "username": "noid", "roles": [] },
        ]),
    )
    .await;
    assert_eq!(
        (&report["updated"], &report["skipped"]),
        (&json!(["Admin"]), &json!(["viewer"]))
    );
    assert_eq!(report["created"], json!(["noid"]));
    let admin = login(&db, "admin", PASSWORD).await.unwrap().unwrap();
    assert_eq!(
        (admin.id.as_str(), admin.email.as_str()),
        ("11", "new@example.org")
    );
    assert_eq!(
        (admin.username.as_str(), admin.roles),
        ("Admin", vec!["Op".to_owned()])
    );
}

#[tokio::test]
async fn import_of_the_hash_of_the_empty_password_blanks_it() {
    let folder = Folder::new();
    let path = folder.embedded();
    let db = open(&folder, &path, json!({})).await.unwrap();
    let report = import(
        &db,
        json!([
            { "id": 1, "username": "ldap", "roles": [], "password": HASH_OF_EMPTY },
            { "id": 2, "username": "ada", "roles": [], "password": HASH },
            { "id": 3, "username": "none", "roles": [], "password": "" },
        ]),
    )
    .await;
    assert_eq!(report["blanked"], json!(["ldap"]));
    let stored: (String,) = one(&path, "SELECT password FROM ab_user WHERE id = 1").await;
    assert_eq!(stored.0, "");
    assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
    for name in ["ldap", "none"] {
        let error = login(&db, name, "x").await.unwrap_err();
        assert_eq!(error.detail(), "the user has no password");
    }
}

#[tokio::test]
async fn import_that_conflicts_names_every_conflict_and_writes_nothing() {
    let folder = Folder::new();
    let db = open(&folder, &folder.embedded(), json!({})).await.unwrap();
    import(&db, exported()).await;
    let text = refused(
        &db,
        json!([
            { "id": 20, "username": "new", "roles": [] },
            { "id": 99, "username": "ADMIN", "roles": [] },
            { "id": 12, "username": "other", "roles": [] },
            { "id": 21, "username": "third", "email": "a@example.org", "roles": [] },
            { "id": 11, "username": "admin", "email": "v@example.org", "roles": [] },
        ]),
    )
    .await;
    for expected in [
        "nothing was imported; 4 entries do not fit",
        "entry 1 (\"ADMIN\"): has id 11 here and 99 in the file",
        "entry 2 (\"other\"): id 12 is \"viewer\" here",
        "entry 3 (\"third\"): the e-mail address belongs to \"admin\" here",
        "entry 4 (\"admin\"): the e-mail address belongs to \"viewer\" here",
    ] {
        assert!(text.contains(expected), "{text}");
    }
    let roles = json!([{ "id": 30, "username": "x", "roles": ["Made up"] }, { "id": 11, "username": "y", "roles": [] }]);
    refused(&db, roles).await;
    let text = refused(&db, json!([{ "username": "twice", "roles": [], "id": 7 }, { "username": "twice", "roles": [], "id": 8 }])).await;
    assert!(text.contains("has id 7 here and 8 in the file"), "{text}");
}

#[tokio::test]
async fn import_into_airflows_tables_makes_no_roles() {
    let folder = Folder::new();
    let path = folder.make_airflow(&user(11, "admin")).await;
    let db = open(&folder, &path, json!({ "access": "full" }))
        .await
        .unwrap();
    let text = refused(&db, exported()).await;
    assert!(
        text.contains("there is no role \"Team A\"; known are Admin, Op, Public, User, Viewer"),
        "{text}"
    );
}

#[tokio::test]
async fn import_of_a_malformed_file_names_every_entry_and_quotes_no_value() {
    let folder = Folder::new();
    let db = open(&folder, &folder.embedded(), json!({})).await.unwrap();
    let text = refused(
        &db,
        json!([
            { "id": 1, "username": "ok", "roles": [] },
            { "id": 2, "username": "a" },
            { "id": 3, "username": "b", "roles": [], "password": 123_456_789 },
            { "id": 4, "username": "c", "roles": [], "password": "canary-in-clear" },
            { "id": 0, "username": "d", "roles": [] },
            { "id": 5, "username": "e", "roles": [], "role": "Admin" },
            "canary",
        ]),
    )
    .await;
    assert!(text.contains("6 entries do not fit"), "{text}");
    for index in 1..=6 {
        assert!(text.contains(&format!("entry {index}: ")), "{text}");
    }
    assert!(
        !text.contains("canary") && !text.contains("123456789"),
        "{text}"
    );
    assert!(refused(&db, json!({})).await.contains("expected an array"));
}
