//! Whom a typed name means, and what the host learns of him.

use countersign_sdk::prelude::*;
use countersign_sdk::testing;
use serde_json::json;

use crate::support::{Folder, PASSWORD, capture, log, login, open, user};

#[tokio::test]
async fn login_of_a_user_gives_his_row_and_the_roles_of_his_own_and_his_groups() {
    let folder = Folder::new();
    let path = folder
        .make_airflow(&format!(
            "{} {}
             INSERT INTO ab_user_role (user_id, role_id) VALUES (7, 3), (7, 5), (8, 1);
             INSERT INTO ab_group (id, name) VALUES (1, 'analysts'), (2, 'others');
             INSERT INTO ab_group_role (group_id, role_id) VALUES (1, 4), (1, 5), (2, 1);
             INSERT INTO ab_user_group (user_id, group_id) VALUES (7, 1), (8, 2);",
            user(7, "ada"),
            user(8, "bob"),
        ))
        .await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    let ada = login(&db, "ada", PASSWORD).await.unwrap().unwrap();
    assert_eq!(ada.id, "7");
    assert_eq!(ada.username, "ada");
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
}

#[tokio::test]
async fn login_on_tables_without_groups_gives_the_users_own_roles() {
    let folder = Folder::new();
    let path = folder
        .make_airflow(&format!(
            "{} INSERT INTO ab_user_role (user_id, role_id) VALUES (7, 3);
             DROP TABLE ab_user_group; DROP TABLE ab_group_role; DROP TABLE ab_group;",
            user(7, "ada"),
        ))
        .await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    let ada = login(&db, "ada", PASSWORD).await.unwrap().unwrap();
    assert_eq!(ada.roles, ["Viewer"]);
}

#[tokio::test]
async fn d06_name_means_what_it_means_to_airflow() {
    let folder = Folder::new();
    let rows = [
        (1, "admin"),
        (2, "jörg-ß"),
        (3, "日本"),
        (4, "ÉMILE"),
        (5, "a_b"),
        (6, "axb"),
    ];
    let rows: String = rows.iter().map(|(id, name)| user(*id, name)).collect();
    let path = folder.make_airflow(&rows).await;
    let db = open(&folder, &path, json!({})).await.unwrap();
    for (typed, id) in [
        ("admin", Some("1")),
        ("ADMIN", Some("1")),
        ("admin@example.org", Some("1")),
        ("Admin@Example.org", None),
        (" admin", None),
        ("admin ", None),
        ("admin\0", None),
        ("jörg-ß", Some("2")),
        ("JöRG-ß", Some("2")),
        ("JÖRG-ß", None),
        ("jo\u{308}rg-ß", None),
        ("日本", Some("3")),
        ("ÉMILE", Some("4")),
        ("Émile", Some("4")),
        ("émile", None),
        ("a_b", Some("5")),
        ("a_B", Some("5")),
        ("a%", None),
        ("%", None),
        ("_dmin", None),
        ("*", None),
        ("admin' --", None),
        ("' OR 1=1 --", None),
        ("admin'; DROP TABLE ab_user; --", None),
        ("a\u{307}dmin", None),
        ("1", None),
        ("7 OR 1=1", None),
        ("nobody", None),
    ] {
        let found = login(&db, typed, PASSWORD).await.unwrap();
        assert_eq!(found.map(|user| user.id).as_deref(), id, "{typed:?}");
    }
}

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
