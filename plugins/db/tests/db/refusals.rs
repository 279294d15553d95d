//! Who may not log in, and why.

use countersign_db::Db;
use countersign_sdk::Kind;
use serde_json::json;

use crate::support::{Folder, HASH_OF_EMPTY, PASSWORD, login, open, row, statistics, user};

async fn denied(db: &Db, username: &str, password: &str, reason: &str) {
    let error = login(db, username, password).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.detail()),
        (Kind::Denied, reason),
        "{username}"
    );
}

/// A column of SQLite holds anything.
#[tokio::test]
async fn d05_hash_that_is_no_text_or_of_no_known_method_is_refused() {
    let folder = Folder::new();
    let rows = [
        row(
            6,
            "bcrypt",
            "'$2x$12$C6UzMDM.H6dfI/f/IKcEeO5z1Y8p8cX7W0q8z0G8ZVZC0mG0jJm2W'",
            "1",
        ),
        row(10, "huge", "'scrypt:1048576:8:1$salt$00'", "1"),
        row(11, "binary", "x'ff00fe'", "1"),
        row(12, "number", "12345", "1"),
        row(13, "legacy", "'plain$$correct horse'", "1"),
        row(14, "nodigest", "'scrypt:16:1:1$abcdefgh12345678$'", "1"),
    ];
    let path = folder.make_airflow(&rows.concat()).await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    let unknown = "the stored hash is of an unknown method or out of bounds";
    for name in ["bcrypt", "huge", "number", "legacy"] {
        denied(&db, name, PASSWORD, unknown).await;
    }
    denied(&db, "binary", PASSWORD, "the user has no password").await;
    denied(&db, "nodigest", PASSWORD, "wrong password").await;
    shut(&db).await;
    for id in [6, 10, 11, 12, 13] {
        assert_eq!(statistics(&path, id).await, (None, None, None), "{id}");
    }
    assert_eq!(statistics(&path, 14).await, (None, Some(1), None));
}

#[tokio::test]
async fn d02_password_with_nul_is_refused_before_any_look_up() {
    let folder = Folder::new();
    let rows = [
        user(1, "ada"),
        row(2, "ldap", &format!("'{HASH_OF_EMPTY}'"), "1"),
    ];
    let path = folder.make_airflow(&rows.concat()).await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    // The database is gone from under it: what is refused now was refused without it.
    shut(&db).await;
    let (padded, cut) = (format!("{PASSWORD}\0"), format!("{PASSWORD}\0x"));
    for (name, password) in [
        ("ldap", "\0"),
        ("ldap", "\0\0"),
        ("ada", padded.as_str()),
        ("ada", cut.as_str()),
        ("nobody", "\0"),
    ] {
        denied(&db, name, password, "the password contains NUL").await;
    }
}

#[tokio::test]
async fn hash_of_the_empty_password_lets_nobody_in() {
    let folder = Folder::new();
    let path = folder
        .make_airflow(&row(2, "ldap", &format!("'{HASH_OF_EMPTY}'"), "1"))
        .await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    assert_eq!(login(&db, "ldap", "").await, Ok(None));
    denied(&db, "ldap", " ", "wrong password").await;
}

async fn shut(db: &Db) {
    use countersign_sdk::AuthPlugin;
    db.shutdown().await;
}
