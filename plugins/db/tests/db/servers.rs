//! What only servers have: TLS, grants, locks of rows, and outages.

use std::time::{Duration, Instant};

use countersign_sdk::{AuthPlugin, Kind as Failure};
use serde_json::json;
use sqlx::{Connection, MySqlConnection, PgConnection};

use crate::bed::{Bed, Kind, Server, user};
use crate::support::{PASSWORD, capture, log, login};

const SERVERS: [Kind; 2] = [Kind::Postgres, Kind::MariaDb];

/// The url with an option for TLS that is checked against this authority.
fn checked(bed: &Bed, url: &str, authority: &str) -> String {
    let authority = bed.kind.server().fact(authority);
    match bed.kind {
        Kind::Postgres => format!("{url}?sslmode=verify-full&sslrootcert={authority}"),
        _ => format!("{url}?ssl-mode=VERIFY_IDENTITY&ssl-ca={authority}"),
    }
}

#[tokio::test]
async fn tls_is_checked_against_the_given_authority() {
    for kind in SERVERS {
        let mut bed = Bed::airflow(kind, &user(1, "ada")).await;
        let plain = bed.url.clone();
        bed.url = checked(&bed, &plain, "CA");
        let db = bed.open(json!({})).await.unwrap();
        assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
        bed.url = checked(&bed, &plain, "OTHER_CA");
        let error = bed.open(json!({})).await.err().unwrap();
        assert_eq!(error.kind(), Failure::Unavailable);
        assert!(error.detail().contains("certificate"), "{error}");
        assert!(!error.detail().contains("testbed-pw"), "{error}");
    }
}

#[tokio::test]
async fn wrong_password_or_database_of_the_url_is_unavailable_and_leaks_nothing() {
    for kind in SERVERS {
        let bed = Bed::airflow(kind, "").await;
        for (from, to) in [("testbed-pw", "canary-pw"), ("127.0.0.1:", "127.0.0.1:1")] {
            let mut wrong = Bed::airflow(kind, "").await;
            wrong.url = bed.url.replacen(from, to, 1);
            if from.starts_with("127") {
                wrong.url = bed.url.split("127").next().unwrap().to_owned() + "127.0.0.1:1/x";
            }
            let error = wrong.open(json!({})).await.err().unwrap();
            assert_eq!(error.kind(), Failure::Unavailable, "{error}");
            assert!(error.detail().contains("127.0.0.1:"), "{error}");
            assert!(!error.detail().contains("-pw"), "{error}");
        }
    }
}

#[tokio::test]
async fn server_that_stops_is_an_outage_never_a_refusal() {
    for (script, prefix, kind) in [
        ("postgres/pg.sh", "PG", Kind::Postgres),
        ("mariadb/mariadb.sh", "MARIADB", Kind::MariaDb),
    ] {
        let server = Server::start(script, prefix);
        let mut bed = Bed::airflow(kind, "").await;
        bed.url = server.url().to_owned();
        bed.run(match kind {
            Kind::Postgres => include_str!("airflow-postgres.sql"),
            _ => include_str!("airflow-mariadb.sql"),
        })
        .await;
        bed.run(&user(1, "ada")).await;
        let db = bed.open(json!({ "access": "full" })).await.unwrap();
        assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
        server.stop();
        for (name, password) in [("ada", PASSWORD), ("ada", "wrong"), ("nobody", "x")] {
            let begun = Instant::now();
            let error = login(&db, name, password).await.unwrap_err();
            assert_eq!(error.kind(), Failure::Unavailable, "{error}");
            assert!(begun.elapsed() < Duration::from_secs(6));
        }
        assert_eq!(db.health().await.unwrap_err().kind(), Failure::Unavailable);
    }
}

#[tokio::test]
async fn missing_grant_loses_the_statistics_not_the_login() {
    let bed = Bed::airflow(Kind::Postgres, &user(1, "ada")).await;
    let reader = format!("reader_{}", bed.url.rsplit('/').next().unwrap());
    bed.run(&format!(
        "CREATE ROLE {reader} LOGIN PASSWORD 'testbed-pw';
         GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader};"
    ))
    .await;
    let owner = bed.url.clone();
    let mut bed = bed;
    bed.url = owner.replace("testbed:", &format!("{reader}:"));
    let db = bed.open(json!({ "access": "full" })).await.unwrap();
    assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
    assert_eq!(
        login(&db, "ada", "no").await.unwrap_err().kind(),
        Failure::Denied
    );
    let error = db
        .manage("user_passwd", json!({ "username": "ada", "password": "x" }))
        .await
        .unwrap_err();
    assert!(error.detail().contains("permission denied"), "{error}");
    db.shutdown().await;
    assert_eq!(bed.counts(1).await, (None, None));
}

#[tokio::test]
async fn locked_row_loses_the_statistics_not_the_login() {
    capture();
    let bed = Bed::airflow(Kind::Postgres, &user(1, "ada")).await;
    let db = bed.open(json!({})).await.unwrap();
    let mut other = PgConnection::connect(&bed.url).await.unwrap();
    let mut lock = other.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM ab_user FOR UPDATE")
        .execute(&mut *lock)
        .await
        .unwrap();
    let begun = Instant::now();
    assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
    assert!(begun.elapsed() < Duration::from_secs(2));
    while !log().contains("canceling statement due to lock timeout") {
        assert!(begun.elapsed() < Duration::from_secs(60), "no warning");
        assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
    }
    lock.rollback().await.unwrap();
    db.shutdown().await;
}

#[tokio::test]
async fn binary_collation_means_the_same_names() {
    let bed = Bed::airflow(Kind::MariaDb, "").await;
    bed.run(
        "ALTER TABLE ab_user CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
         ALTER TABLE ab_role CONVERT TO CHARACTER SET utf8mb3 COLLATE utf8mb3_bin;",
    )
    .await;
    bed.run(&(user(1, "Ada") + &user(2, "jörg") + &user(3, "jorg")))
        .await;
    bed.run("INSERT INTO ab_user_role (user_id, role_id) VALUES (1, 1)")
        .await;
    let db = bed.open(json!({})).await.unwrap();
    for (typed, id) in [
        ("ada", Some("1")),
        ("JöRG", Some("2")),
        ("JORG", Some("3")),
        ("àda", None),
    ] {
        let found = login(&db, typed, PASSWORD).await.unwrap();
        assert_eq!(found.as_ref().map(|user| user.id.as_str()), id, "{typed}");
        assert!(found.is_none_or(|user| user.id != "1" || user.roles == ["Admin"]));
    }
    let mut own = MySqlConnection::connect(&bed.url).await.unwrap();
    own.ping().await.unwrap();
}

#[tokio::test]
async fn names_that_only_a_collation_holds_equal_are_different_users() {
    let bed = Bed::airflow(Kind::Postgres, "DROP INDEX idx_ab_user_username;").await;
    bed.run(&(user(1, "Émile") + &user(2, "émile") + &user(3, "ada") + &user(4, "Ada")))
        .await;
    let db = bed.open(json!({})).await.unwrap();
    for (typed, id) in [("ÉMILE", Some("1")), ("éMILE", Some("2")), ("ADA", None)] {
        let found = login(&db, typed, PASSWORD).await.unwrap();
        assert_eq!(found.map(|user| user.id).as_deref(), id, "{typed}");
    }
}
