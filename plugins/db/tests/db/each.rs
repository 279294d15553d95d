//! What holds on every database alike.

use countersign_db::Db;
use countersign_sdk::{AuthPlugin, Kind as Failure};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::bed::{Bed, Kind, on_each_database, row, user};
use crate::support::{HASH, PASSWORD, login, steps};

on_each_database! {
    login_gives_the_row_and_the_roles_of_the_user_and_his_groups,
    tables_without_groups_are_enough,
    d06_name_is_the_same_name_on_every_database,
    d04_every_refusal_takes_the_same_reads_and_one_hash,
    d05_d08_every_refusal_has_its_reason_and_leaves_the_statistics,
    statistics_count_up_and_forget_failures,
    users_added_listed_and_imported_are_the_same_users,
    lesser_access_writes_no_users,
    missing_table_is_an_error_that_names_it,
    table_that_went_away_is_unavailable_with_a_pause,
    session_of_access_read_cannot_write,
}

async fn login_gives_the_row_and_the_roles_of_the_user_and_his_groups(kind: Kind) {
    let rows = format!(
        "{} {}
         INSERT INTO ab_user_role (user_id, role_id) VALUES (7, 3), (7, 5), (8, 1);
         INSERT INTO ab_group (id, name) VALUES (1, 'analysts'), (2, 'others');
         INSERT INTO ab_group_role (group_id, role_id) VALUES (1, 4), (1, 5), (2, 1);
         INSERT INTO ab_user_group (user_id, group_id) VALUES (7, 1), (8, 2);",
        user(7, "ada"),
        user(8, "bob"),
    );
    let bed = Bed::airflow(kind, &rows).await;
    let db = bed.open(json!({})).await.unwrap();
    let ada = login(&db, "ADA", PASSWORD).await.unwrap().unwrap();
    assert_eq!((ada.id.as_str(), ada.username.as_str()), ("7", "ada"));
    assert_eq!(ada.email, "ada@example.org");
    assert_eq!(
        (ada.first_name.as_str(), ada.last_name.as_str()),
        ("First", "Last")
    );
    assert_eq!(ada.roles, ["Viewer", "User", "Op"], "each once");
    assert!(
        ada.groups.is_empty(),
        "groups of the table are no keys from outside"
    );
    assert_eq!(db.lookup("ada").await.unwrap(), Some(ada));
    assert_eq!(db.lookup("eve").await.unwrap(), None);
    assert_eq!(db.health().await, Ok(()));
    assert_eq!(db.capabilities().exclusive, kind == Kind::Sqlite);
}

async fn tables_without_groups_are_enough(kind: Kind) {
    let rows = format!(
        "{} INSERT INTO ab_user_role (user_id, role_id) VALUES (7, 3);
         DROP TABLE ab_user_group; DROP TABLE ab_group_role; DROP TABLE ab_group;",
        user(7, "ada"),
    );
    let bed = Bed::airflow(kind, &rows).await;
    let db = bed.open(json!({})).await.unwrap();
    let ada = login(&db, "ada", PASSWORD).await.unwrap().unwrap();
    assert_eq!(ada.roles, ["Viewer"]);
    let listed = db.manage("user_list", json!({})).await.unwrap();
    assert_eq!(listed[0]["roles"], json!(["Viewer"]));
}

async fn d06_name_is_the_same_name_on_every_database(kind: Kind) {
    let names = [
        (1, "admin"),
        (2, "jörg-ß"),
        (3, "日本"),
        (4, "ÉMILE"),
        (5, "a_b"),
        (6, "axb"),
    ];
    let rows: String = names.iter().map(|(id, name)| user(*id, name)).collect();
    let bed = Bed::airflow(kind, &rows).await;
    let db = bed.open(json!({})).await.unwrap();
    for (typed, id) in [
        ("admin", Some("1")),
        ("ADMIN", Some("1")),
        ("admin@example.org", Some("1")),
        ("Admin@Example.org", None),
        (" admin", None),
        ("admin ", None),
        ("admin\0", None),
        ("ädmin", None),
        ("jörg-ß", Some("2")),
        ("JöRG-ß", Some("2")),
        ("JÖRG-ß", None),
        ("jorg-ss", None),
        ("jo\u{308}rg-ß", None),
        ("日本", Some("3")),
        ("Émile", Some("4")),
        ("émile", None),
        ("emile", None),
        ("a_B", Some("5")),
        ("a%", None),
        ("%", None),
        ("*", None),
        ("7 OR 1=1", None),
        ("_dmin", None),
        ("admin' --", None),
        ("' OR 1=1 --", None),
        (r"\' OR 1=1 -- ", None),
        ("admin'; DROP TABLE ab_user; --", None),
        ("a\u{307}dmin", None),
        (":name", None),
        ("?", None),
        ("$1", None),
        ("1", None),
        ("nobody", None),
    ] {
        let found = login(&db, typed, PASSWORD).await.unwrap();
        assert_eq!(found.map(|user| user.id).as_deref(), id, "{typed:?}");
    }
}

async fn d05_d08_every_refusal_has_its_reason_and_leaves_the_statistics(kind: Kind) {
    let quoted = format!("'{HASH}'");
    let absurd = "'$2b$31$C6UzMDM.H6dfI/f/IKcEeO5z1Y8p8cX7W0q8z0G8ZVZC0mG0jJm2W'";
    let rows = [
        user(1, "wrong"),
        row(2, "inactive", &quoted, "FALSE"),
        row(3, "undecided", &quoted, "NULL"),
        row(4, "null", "NULL", "TRUE"),
        row(5, "empty", "''", "TRUE"),
        row(6, "absurd", absurd, "TRUE"),
        row(7, "star", "'*'", "TRUE"),
        row(8, "bang", "'!'", "TRUE"),
        row(9, "plain", &format!("'{PASSWORD}'"), "TRUE"),
    ];
    let bed = Bed::airflow(kind, &rows.concat()).await;
    let db = bed.open(json!({})).await.unwrap();
    let unknown = "the stored hash is of an unknown method or out of bounds";
    for (name, reason) in [
        ("inactive", "the user is inactive"),
        ("undecided", "the user is inactive"),
        ("null", "the user has no password"),
        ("empty", "the user has no password"),
        ("absurd", unknown),
        ("star", unknown),
        ("bang", unknown),
        ("plain", unknown),
    ] {
        let error = login(&db, name, PASSWORD).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.detail()),
            (Failure::Denied, reason),
            "{name}"
        );
    }
    let error = login(&db, "wrong", "correct hors").await.unwrap_err();
    assert_eq!(error.detail(), "wrong password");
    for name in ["inactive", "undecided"] {
        let error = db.lookup(name).await.unwrap_err();
        assert_eq!(error.kind(), Failure::Denied, "{name}");
    }
    assert_eq!(login(&db, "nobody", PASSWORD).await, Ok(None));
    db.shutdown().await;
    assert_eq!(bed.counts(1).await, (None, Some("1".to_owned())));
    for id in 2..=9 {
        assert_eq!(bed.counts(id).await, (None, None), "{id}");
    }
}

/// The work of a refusal is what the client can measure: the same for whomever.
async fn d04_every_refusal_takes_the_same_reads_and_one_hash(kind: Kind) {
    let quoted = format!("'{HASH}'");
    let rows = [
        user(1, "wrong"),
        row(2, "inactive", &quoted, "FALSE"),
        row(3, "null", "NULL", "TRUE"),
        row(4, "absurd", "'scrypt:1048576:8:1$salt$00'", "TRUE"),
        row(5, "unknown", "'$2x$12$nothing'", "TRUE"),
    ];
    let bed = Bed::airflow(kind, &rows.concat()).await;
    // Nothing is written beside the reads.
    let db = bed.open(json!({ "access": "read" })).await.unwrap();
    let mut all = Vec::new();
    for name in ["nobody", "wrong", "inactive", "null", "absurd", "unknown"] {
        let (answer, taken) = steps(login(&db, name, "no")).await;
        assert!(answer.is_err() || answer == Ok(None), "{name}");
        all.push((name, taken));
    }
    let (_, first) = &all[0];
    assert!(
        first.len() == 2 && first[1].ends_with("verifies method=scrypt:16:1:1"),
        "one read and one whole hash: {first:?}"
    );
    for (name, taken) in &all {
        assert_eq!(taken, first, "{name}");
    }
    let (answer, taken) = steps(login(&db, "wrong", PASSWORD)).await;
    assert!(answer.unwrap().is_some());
    assert_eq!(taken.len(), 3, "his roles, once he is known: {taken:?}");
}

async fn statistics_count_up_and_forget_failures(kind: Kind) {
    let rows = user(1, "ada")
        + &user(2, "bob")
        + "UPDATE ab_user SET login_count = 5, fail_login_count = 9;";
    let bed = Bed::airflow(kind, &rows).await;
    let db = bed.open(json!({})).await.unwrap();
    let now = || time::OffsetDateTime::now_utc();
    let begun = now();
    for _ in 0..3 {
        login(&db, "ada", PASSWORD).await.unwrap().unwrap();
        login(&db, "bob", "no").await.unwrap_err();
    }
    let ended = now();
    db.shutdown().await;
    let text = |number: &str| Some(number.to_owned());
    assert_eq!(bed.counts(1).await, (text("8"), text("0")));
    assert_eq!(bed.counts(2).await, (text("5"), text("12")));
    let at = bed
        .value("last_login", "ab_user WHERE id = 1")
        .await
        .unwrap();
    // UTC, whatever the time zone of the database's session; to the second.
    let second = |at: time::OffsetDateTime| at.format(&Rfc3339).unwrap()[..19].replace('T', " ");
    assert!(
        (second(begun)..=second(ended)).contains(&at[..19].to_owned()),
        "{at} is not within {begun} and {ended}"
    );
    assert_eq!(bed.value("last_login", "ab_user WHERE id = 2").await, None);
}

async fn users_added_listed_and_imported_are_the_same_users(kind: Kind) {
    let bed = Bed::airflow(kind, &user(3, "old")).await;
    let db = bed.open(json!({ "access": "full" })).await.unwrap();
    let ada = json!({ "username": "ada", "password": PASSWORD, "email": "ada@example.org",
                      "first_name": "Ada", "last_name": "L", "roles": ["Viewer", "Admin"] });
    let added = db.manage("user_add", ada.clone()).await.unwrap();
    let id = added["id"].as_i64().unwrap();
    assert!(id > 3, "{id}");
    let found = login(&db, "Ada", PASSWORD).await.unwrap().unwrap();
    assert_eq!(
        (found.id, found.roles),
        (
            id.to_string(),
            vec!["Admin".to_owned(), "Viewer".to_owned()]
        )
    );

    let mut again = ada.clone();
    again["username"] = json!("ADA");
    let error = db.manage("user_add", again).await.unwrap_err();
    assert!(
        error.detail().contains("there is a user \"ADA\" already"),
        "{error}"
    );
    let taken = json!({ "username": "eve", "password": "x", "email": "ada@example.org" });
    let error = db.manage("user_add", taken).await.unwrap_err();
    assert!(
        error.detail().contains("belongs to another user"),
        "{error}"
    );

    db.manage(
        "user_passwd",
        json!({ "username": "ADA", "password": "battery staple" }),
    )
    .await
    .unwrap();
    assert!(login(&db, "ada", PASSWORD).await.is_err());
    assert!(login(&db, "ada", "battery staple").await.unwrap().is_some());

    let users = json!({ "users": [
        { "id": 500, "username": "zoë", "email": "z@example.org", "firstname": "Z", "lastname": "", "roles": ["Op"], "password": HASH },
        { "id": 3, "username": "old", "email": "new@example.org", "roles": ["User"] },
    ] });
    let report = db.manage("user_import", users.clone()).await.unwrap();
    assert_eq!(
        (&report["created"], &report["updated"]),
        (&json!(["zoë"]), &json!(["old"]))
    );
    let report = db.manage("user_import", users).await.unwrap();
    assert_eq!(report["skipped"], json!(["zoë", "old"]));
    let zoe = login(&db, "zoë", PASSWORD).await.unwrap().unwrap();
    assert_eq!((zoe.id.as_str(), zoe.roles), ("500", vec!["Op".to_owned()]));
    let later = json!({ "username": "later", "password": PASSWORD });
    let later = db.manage("user_add", later).await.unwrap()["id"]
        .as_i64()
        .unwrap();
    assert!(
        later > 500,
        "{later}: an id that was imported is never given again"
    );
    let bad = json!({ "users": [
        { "id": 600, "username": "fine", "roles": [] },
        { "id": 601, "username": "nope", "roles": ["Made up"] },
    ] });
    let error = db.manage("user_import", bad).await.unwrap_err();
    assert!(
        error
            .detail()
            .contains("there is no role \"Made up\"; known are Admin, "),
        "{error}"
    );
    let names = usernames(&db).await;
    assert_eq!(names, ["old", "ada", "zoë", "later"], "all or nothing");
}

async fn lesser_access_writes_no_users(kind: Kind) {
    let bed = Bed::airflow(kind, &user(3, "ada")).await;
    for access in ["read", "counters"] {
        let db = bed.open(json!({ "access": access })).await.unwrap();
        assert!(!db.capabilities().provision);
        let eve = json!({ "username": "eve", "password": "x" });
        let error = db.manage("user_add", eve).await.unwrap_err();
        assert!(error.detail().contains("set `access: full`"), "{error}");
        assert_eq!(usernames(&db).await, ["ada"]);
    }
}

async fn missing_table_is_an_error_that_names_it(kind: Kind) {
    let bed = Bed::airflow(kind, "DROP TABLE ab_user_role;").await;
    let error = bed.open(json!({})).await.err().unwrap();
    assert_eq!(error.kind(), Failure::Invalid);
    assert!(
        error.detail().contains("has no table ab_user_role;"),
        "{error}"
    );
    assert!(!error.detail().contains("testbed-pw"), "{error}");
}

async fn table_that_went_away_is_unavailable_with_a_pause(kind: Kind) {
    let bed = Bed::airflow(kind, &user(1, "ada")).await;
    let db = bed.open(json!({})).await.unwrap();
    bed.run("DROP TABLE ab_user_role; DROP TABLE ab_user_group; DROP TABLE ab_user;")
        .await;
    let health = db.health().await.unwrap_err();
    for error in [login(&db, "ada", PASSWORD).await.unwrap_err(), health] {
        assert_eq!(error.kind(), Failure::Unavailable);
        assert!(error.detail().contains("ab_user"), "{error}");
        let pause = std::time::Duration::from_secs(1);
        assert_eq!(
            error,
            error.clone().retry_after(pause),
            "its pause is one second"
        );
    }
}

async fn session_of_access_read_cannot_write(kind: Kind) {
    let bed = Bed::airflow(kind, &user(1, "ada")).await;
    let db = bed.open(json!({ "access": "read" })).await.unwrap();
    login(&db, "ada", PASSWORD).await.unwrap().unwrap();
    login(&db, "ada", "wrong").await.unwrap_err();
    db.shutdown().await;
    assert_eq!(bed.counts(1).await, (None, None));
}

async fn usernames(db: &Db) -> Vec<String> {
    let listed = db.manage("user_list", json!({})).await.unwrap();
    let name = |user: &Value| user["username"].as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(name).collect()
}
