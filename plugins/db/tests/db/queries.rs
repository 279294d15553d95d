//! Users of any tables by the operator's own statements.

use countersign_sdk::{AuthPlugin, Kind as Failure};
use serde_json::{Value, json};

use crate::bed::{Bed, Kind, on_each_database};
use crate::support::{HASH, PASSWORD, login};

on_each_database! {
    statements_of_the_operator_read_users_and_roles,
    column_that_is_a_number_is_compared_as_one,
    mistakes_are_told_with_their_place,
    nothing_is_written,
    two_rows_mean_nobody,
}

const ROLES: &str = "SELECT role AS r FROM grants WHERE person = :id ORDER BY role";

fn user(kind: Kind) -> String {
    // Literals, comments and casts with colons in them are no parameters.
    let cast = match kind {
        Kind::Postgres => "note::text",
        Kind::Sqlite | Kind::MariaDb => "note",
    };
    format!(
        "SELECT number AS id, login AS username, secret AS password, enabled AS active,
                {cast} AS first_name, 'a:username ''?''' AS last_name -- :nothing ?
         FROM people /* :nothing */
         WHERE lower(login) = lower(:username) OR mail = :username;"
    )
}

async fn people(kind: Kind) -> Bed {
    let bed = Bed::empty(kind).await;
    bed.run(&format!(
        "CREATE TABLE people (number INTEGER PRIMARY KEY, login VARCHAR(50), mail VARCHAR(50),
                              secret VARCHAR(200), enabled BOOLEAN, note VARCHAR(50));
         CREATE TABLE grants (person INTEGER, role VARCHAR(50));
         INSERT INTO people VALUES (7, 'Ada', 'ada@example.org', '{HASH}', TRUE, NULL),
                                   (8, 'bob', 'bob@example.org', '{HASH}', FALSE, 'x'),
                                   (9, 'nil', 'nil@example.org', NULL, TRUE, 'x');
         INSERT INTO grants VALUES (7, 'writer'), (7, 'reader'), (7, 'reader'), (7, NULL), (8, 'admin');"
    ))
    .await;
    bed
}

fn queries(user: &str, roles: &str) -> Value {
    json!({ "queries": { "user": user, "roles": roles } })
}

async fn statements_of_the_operator_read_users_and_roles(kind: Kind) {
    let bed = people(kind).await;
    let db = bed.open(queries(&user(kind), ROLES)).await.unwrap();
    for name in ["ada", "ADA", "ada@example.org"] {
        let ada = login(&db, name, PASSWORD).await.unwrap().unwrap();
        assert_eq!((ada.id.as_str(), ada.username.as_str()), ("7", "Ada"));
        assert_eq!(ada.roles, ["reader", "writer"]);
        assert_eq!(
            (ada.first_name.as_str(), ada.last_name.as_str()),
            ("", "a:username '?'")
        );
    }
    for (name, reason) in [
        ("bob", "the user is inactive"),
        ("nil", "the user has no password"),
    ] {
        let error = login(&db, name, PASSWORD).await.unwrap_err();
        assert_eq!((error.kind(), error.detail()), (Failure::Denied, reason));
    }
    assert_eq!(
        login(&db, "ada", "wrong").await.unwrap_err().kind(),
        Failure::Denied
    );
    for name in ["nobody", "ada\0", "' OR 1=1 --", ":username"] {
        assert_eq!(login(&db, name, PASSWORD).await, Ok(None), "{name}");
    }
    assert_eq!(db.health().await, Ok(()));
    let offered = db.capabilities();
    assert!(!offered.manage && !offered.provision && offered.lookup);
    assert!(db.lookup("ada").await.unwrap().is_some());
}

async fn column_that_is_a_number_is_compared_as_one(kind: Kind) {
    let user = "SELECT number AS id, login AS username, secret AS password FROM people WHERE number = :username";
    let bed = people(kind).await;
    let db = bed
        .open(json!({ "queries": { "user": user } }))
        .await
        .unwrap();
    let ada = login(&db, "7", PASSWORD).await.unwrap().unwrap();
    assert_eq!((ada.id.as_str(), ada.roles.len()), ("7", 0));
    assert_eq!(
        login(&db, "ada", PASSWORD).await,
        Ok(None),
        "no number, so nobody"
    );
}

async fn mistakes_are_told_with_their_place(kind: Kind) {
    let bed = people(kind).await;
    let good = user(kind);
    for (user, roles, expected) in [
        (
            "SELECT number AS id\nFROM people WHERE login = :name",
            ROLES,
            "queries.user: line 2 column 27: the parameter :name is unknown; known are :username",
        ),
        (
            good.as_str(),
            "SELECT role FROM grants WHERE person = :user",
            "queries.roles: line 1 column 40: the parameter :user is unknown; known are :id, :username",
        ),
        (
            "SELECT number AS id, login AS username FROM people WHERE login = :username",
            ROLES,
            "queries.user: it gives no column password",
        ),
        (
            "SELECT number AS id, login AS username, secret AS password, note FROM people WHERE login = :username",
            ROLES,
            "queries.user: its column \"note\" has no meaning here",
        ),
        (
            good.as_str(),
            "SELECT role, person FROM grants WHERE person = :id",
            "queries.roles: it must give one column",
        ),
        (
            "SELECT nothing FROM nowhere WHERE login = :username",
            ROLES,
            "queries.user: the database refuses it: ",
        ),
        (
            "SELECT 'open FROM people",
            ROLES,
            "queries.user: line 1 column 8: what begins here has no end",
        ),
        (
            "SELECT 1; DROP TABLE people",
            ROLES,
            "queries.user: line 1 column 11: one statement is expected",
        ),
        (
            "DELETE FROM people WHERE login = :username",
            ROLES,
            "queries.user: ",
        ),
    ] {
        let error = bed.open(queries(user, roles)).await.err().unwrap();
        assert_eq!(error.kind(), Failure::Invalid, "{error}");
        assert!(error.detail().starts_with(expected), "{error}");
    }
    for (more, expected) in [
        (json!({ "access": "counters" }), "access: with `queries`"),
        (json!({ "access": "full" }), "access: with `queries`"),
        (json!({ "schema": "fab" }), "schema: "),
    ] {
        let mut config = queries(&good, ROLES);
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let error = bed.open(config).await.err().unwrap();
        assert!(error.detail().starts_with(expected), "{error}");
    }
    assert_eq!(bed.value("COUNT(*)", "people").await.unwrap(), "3");
}

async fn nothing_is_written(kind: Kind) {
    let bed = people(kind).await;
    if kind == Kind::Postgres {
        // A function that writes is the one way to write within a SELECT.
        bed.run("CREATE FUNCTION count_up() RETURNS text LANGUAGE sql AS $$ UPDATE people SET note = 'y' RETURNING note $$")
            .await;
        let user = "SELECT number AS id, login AS username, count_up() AS password FROM people WHERE login = :username";
        let db = bed
            .open(json!({ "queries": { "user": user } }))
            .await
            .unwrap();
        let error = login(&db, "bob", PASSWORD).await.unwrap_err();
        assert_eq!(error.kind(), Failure::Unavailable);
        assert!(error.detail().contains("read-only transaction"), "{error}");
    }
    let db = bed.open(queries(&user(kind), ROLES)).await.unwrap();
    login(&db, "ada", PASSWORD).await.unwrap().unwrap();
    let error = db.manage("user_list", json!({})).await.unwrap_err();
    assert_eq!(error.kind(), Failure::NotSupported);
    db.shutdown().await;
    assert_eq!(
        bed.value("COUNT(*)", "people WHERE note = 'y'")
            .await
            .unwrap(),
        "0"
    );
}

async fn two_rows_mean_nobody(kind: Kind) {
    let bed = people(kind).await;
    bed.run("UPDATE people SET mail = 'one@example.org'").await;
    let db = bed.open(queries(&user(kind), ROLES)).await.unwrap();
    assert_eq!(login(&db, "one@example.org", PASSWORD).await, Ok(None));
    assert!(login(&db, "ada", PASSWORD).await.unwrap().is_some());
}
