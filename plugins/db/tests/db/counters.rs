//! Log-in statistics: exact, after the answer, and never in the way of one.

use std::time::{Duration, Instant};

use countersign_sdk::AuthPlugin;
use serde_json::json;

use crate::support::{Folder, PASSWORD, capture, connect, log, login, open, run, statistics, user};

#[tokio::test]
async fn login_counts_up_and_forgets_failures_and_a_failure_counts_itself() {
    let folder = Folder::new();
    let rows = [
        user(1, "new"),
        user(2, "wrong"),
        user(3, "old"),
        user(4, "oldwrong"),
    ]
    .concat()
        + "UPDATE ab_user SET login_count = 5, fail_login_count = 9 WHERE id > 2;";
    let path = folder.make_airflow(&rows).await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    for name in ["new", "old"] {
        login(&db, name, PASSWORD).await.unwrap().unwrap();
    }
    for name in ["wrong", "oldwrong"] {
        login(&db, name, "no").await.unwrap_err();
    }
    db.shutdown().await;
    let (new, failed, at) = statistics(&path, 1).await;
    assert_eq!((new, failed), (Some(1), Some(0)));
    let at = at.unwrap();
    let shape: String = at
        .chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .collect();
    assert_eq!(shape, "9999-99-99 99:99:99.999999", "{at}");
    assert_eq!(statistics(&path, 2).await, (None, Some(1), None));
    let (old, failed, _) = statistics(&path, 3).await;
    assert_eq!((old, failed), (Some(6), Some(0)));
    assert_eq!(statistics(&path, 4).await, (Some(5), Some(10), None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_logins_at_once_are_all_counted_beside_another_writer() {
    let folder = Folder::new();
    let path = folder.make_airflow(&user(1, "ada")).await;
    let db = std::sync::Arc::new(open(&folder, &path, json!({})).await.unwrap());
    let logins: Vec<_> = (0..64)
        .map(|_| {
            let db = std::sync::Arc::clone(&db);
            tokio::spawn(async move { login(&db, "ada", PASSWORD).await })
        })
        .collect();
    for _ in 0..8 {
        run(
            &path,
            "UPDATE ab_user SET login_count = COALESCE(login_count, 0) + 100",
        )
        .await;
    }
    for login in logins {
        assert!(login.await.unwrap().unwrap().is_some());
    }
    db.shutdown().await;
    assert_eq!(statistics(&path, 1).await.0, Some(864));
}

#[tokio::test]
async fn locked_database_loses_the_statistics_not_the_login() {
    capture();
    let folder = Folder::new();
    let path = folder.make_airflow(&user(1, "ada")).await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    let mut other = connect(&path).await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
    assert!(
        login(&db, "ada", "wrong")
            .await
            .is_err_and(|error| error.detail() == "wrong password")
    );
    // Waits until the lock has won: the next login tells the operator.
    let begun = Instant::now();
    while !log().contains("log-in statistics could not be written") {
        assert!(begun.elapsed() < Duration::from_secs(60), "no warning");
        assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
    }
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    db.shutdown().await;
}

#[tokio::test]
async fn access_read_writes_nothing_and_a_read_only_file_is_enough() {
    let folder = Folder::new();
    let path = folder.make_airflow(&user(1, "ada")).await;
    let mut mode = std::fs::metadata(&path).unwrap().permissions();
    mode.set_readonly(true);
    std::fs::set_permissions(&path, mode).unwrap();
    let before = folder.files();
    let db = open(&folder, &path, json!({ "access": "read" }))
        .await
        .unwrap();
    assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
    assert!(login(&db, "ada", "wrong").await.is_err());
    db.shutdown().await;
    assert_eq!(folder.files(), before);
}

#[tokio::test]
async fn missing_grant_loses_the_statistics_not_the_login() {
    let folder = Folder::new();
    let refusal = "CREATE TRIGGER no_grant BEFORE UPDATE ON ab_user
                   BEGIN SELECT RAISE(ABORT, 'permission denied'); END;";
    let path = folder
        .make_airflow(&format!("{} {refusal}", user(1, "ada")))
        .await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
    db.shutdown().await;
    assert_eq!(statistics(&path, 1).await, (None, None, None));
}
