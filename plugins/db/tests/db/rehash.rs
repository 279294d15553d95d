//! Hashes of an older method or cost, in the deployment's own tables and elsewhere.

use std::path::Path;

use countersign_sdk::AuthPlugin;
use serde_json::{Value, json};

use crate::support::{Folder, HASH, PASSWORD, connect, login, one, open, user};

async fn stored(path: &Path) -> String {
    let row: (String,) = one(path, "SELECT password FROM ab_user").await;
    row.0
}

/// An embedded database whose one user has [`HASH`].
async fn embedded() -> Folder {
    let folder = Folder::new();
    let db = open(&folder, &folder.embedded(), json!({})).await.unwrap();
    let users = json!([{ "username": "ada", "roles": [], "password": HASH }]);
    db.manage("user_import", json!({ "users": users }))
        .await
        .unwrap();
    db.shutdown().await;
    folder
}

async fn after_login(folder: &Folder, path: &Path, more: Value, password: &str) -> String {
    let db = open(folder, path, more).await.unwrap();
    let _ = login(&db, "ada", password).await;
    db.shutdown().await;
    stored(path).await
}

#[tokio::test]
async fn login_with_an_older_hash_in_our_own_tables_stores_a_new_one() {
    let folder = embedded().await;
    let path = folder.embedded();
    for (method, beginning) in [
        ("scrypt:32:1:1", "scrypt:32:1:1$"),
        ("pbkdf2:sha256:1000", "pbkdf2:sha256:1000$"),
        ("bcrypt:4", "$2b$04$"),
        ("argon2id:64:1:1", "$argon2id$v=19$m=64,t=1,p=1$"),
    ] {
        let config = json!({ "hash": method });
        let before = stored(&path).await;
        assert_eq!(
            after_login(&folder, &path, config.clone(), "wrong").await,
            before
        );
        let hash = after_login(&folder, &path, config.clone(), PASSWORD).await;
        assert!(hash.starts_with(beginning), "{hash}");
        let again = after_login(&folder, &path, config.clone(), PASSWORD).await;
        assert_eq!(again, hash, "and once only");
        let db = open(&folder, &path, config).await.unwrap();
        assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
    }
    let failed: (i64,) = one(&path, "SELECT fail_login_count FROM ab_user").await;
    assert_eq!(failed.0, 0);
}

#[tokio::test]
async fn login_elsewhere_or_with_lesser_access_leaves_the_hash() {
    let folder = embedded().await;
    let path = folder.embedded();
    for access in ["read", "counters"] {
        let config = json!({ "hash": "scrypt:32:1:1", "access": access });
        assert_eq!(after_login(&folder, &path, config, PASSWORD).await, HASH);
    }
    let airflow = folder.make_airflow(&user(1, "ada")).await;
    let config = json!({ "hash": "scrypt:32:1:1", "access": "full" });
    assert_eq!(after_login(&folder, &airflow, config, PASSWORD).await, HASH);
}

#[tokio::test]
async fn hash_that_was_changed_meanwhile_is_not_overwritten() {
    let folder = embedded().await;
    let path = folder.embedded();
    let db = open(&folder, &path, json!({ "hash": "scrypt:32:1:1" }))
        .await
        .unwrap();
    // Nothing can be written until the other one's new hash is there.
    let mut other = connect(&path).await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    login(&db, "ada", PASSWORD).await.unwrap().unwrap();
    for statement in ["UPDATE ab_user SET password = 'changed'", "COMMIT"] {
        sqlx::query(statement).execute(&mut other).await.unwrap();
    }
    db.shutdown().await;
    assert_eq!(stored(&path).await, "changed");
}

#[tokio::test]
async fn hash_that_the_tables_other_reader_cannot_verify_is_refused() {
    let folder = Folder::new();
    let airflow = folder.make_airflow("").await;
    for method in ["bcrypt", "argon2id", "sha512-crypt"] {
        let config = json!({ "hash": method, "access": "full" });
        let error = open(&folder, &airflow, config).await.err().unwrap();
        assert!(error.detail().starts_with("hash: "), "{error}");
        let config = json!({ "hash": method });
        assert!(
            open(&folder, &airflow, config).await.is_ok(),
            "only as a decoy"
        );
    }
    let error = open(
        &folder,
        &folder.embedded(),
        json!({ "hash": "sha512-crypt" }),
    )
    .await;
    assert!(
        error
            .err()
            .unwrap()
            .detail()
            .contains("bcrypt and argon2id")
    );
}

#[tokio::test]
async fn d02_password_that_bcrypt_would_cut_is_refused() {
    let folder = Folder::new();
    let db = open(&folder, &folder.embedded(), json!({ "hash": "bcrypt:4" }))
        .await
        .unwrap();
    let add = |password: String| json!({ "username": "ada", "password": password });
    let error = db
        .manage("user_add", add("x".repeat(73)))
        .await
        .unwrap_err();
    assert!(error.detail().contains("72 bytes"), "{error}");
    db.manage("user_add", add("x".repeat(72))).await.unwrap();
    assert!(login(&db, "ada", &"x".repeat(72)).await.unwrap().is_some());
    let error = login(&db, "ada", &"x".repeat(73)).await.unwrap_err();
    assert_eq!(error.detail(), "wrong password");
}
