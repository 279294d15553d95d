//! Users of other backends, found or registered.

use countersign_db::Db;
use countersign_sdk::{Adopt, AuthPlugin, Kind as Failure, Provision, RoleSync, User};
use serde_json::json;

use crate::bed::{Bed, Kind, on_each_database, row, user};
use crate::support::{HASH, HASH_OF_EMPTY, PASSWORD, login};

on_each_database! {
    new_user_is_registered_once_and_found_by_his_link,
    unknown_user_without_registration_is_denied,
    linked_row_is_meant_unless_it_has_become_another_users,
    linked_row_that_is_gone_is_denied_even_with_registration,
    inactive_row_is_denied,
    name_of_another_row_is_adopted_as_far_as_allowed,
    email_is_never_a_reason_to_adopt,
    roles_are_synchronised_as_asked,
    two_first_logins_at_once_make_one_row,
    first_logins_over_two_instances_find_each_others_rows,
    misfit_is_denied,
    row_that_needs_no_change_is_found_while_another_program_writes,
    roles_of_groups_are_told_and_never_written,
}

fn wanted(name: &str, roles: &[&str]) -> Provision {
    let mut user = User::new(format!("subject-of-{name}"), name);
    user.email = format!("{name}@corp.example");
    user.first_name = "Given".to_owned();
    user.last_name = "Family".to_owned();
    user.roles = roles.iter().map(|&role| role.to_owned()).collect();
    Provision::new("ldap", user)
}

fn registering(name: &str, roles: &[&str]) -> Provision {
    let mut wanted = wanted(name, roles);
    wanted.register = true;
    wanted
}

async fn full(bed: &Bed) -> Db {
    let db = bed.open(json!({ "access": "full" })).await.unwrap();
    assert!(db.capabilities().provision);
    db
}

async fn denied(db: &Db, wanted: Provision, reason: &str) {
    let error = db.provision(wanted).await.unwrap_err();
    assert_eq!(error.kind(), Failure::Denied, "{error}");
    assert!(error.detail().contains(reason), "{error}");
}

async fn new_user_is_registered_once_and_found_by_his_link(kind: Kind) {
    let bed = Bed::airflow(kind, &user(3, "old")).await;
    let db = full(&bed).await;
    let made = db
        .provision(registering("ada", &["Viewer", "Made up", "Op"]))
        .await
        .unwrap();
    assert!(made.created);
    assert_eq!(made.unknown_roles, ["Made up"]);
    assert_eq!(made.user.roles, ["Viewer", "Op"]);
    assert_eq!(made.user.email, "ada@corp.example");
    let id: i64 = made.user.id.parse().unwrap();
    assert!(id > 3);

    let mut again = registering("ada", &["Viewer"]);
    again.id = Some(made.user.id.clone());
    let found = db.provision(again).await.unwrap();
    assert!(!found.created);
    assert_eq!(
        (found.user.id, found.user.roles),
        (made.user.id, vec!["Viewer".to_owned(), "Op".to_owned()])
    );

    let from = format!("ab_user WHERE id = {id}");
    let hash = bed.value("password", &from).await.unwrap();
    assert!(hash.starts_with("scrypt:16:1:1$"), "{hash}");
    for password in [" ", "ada", &hash] {
        let error = login(&db, "ada", password).await.unwrap_err();
        assert_eq!(error.detail(), "wrong password", "nobody knows it");
    }
    assert!(bed.value("created_on", &from).await.is_some());
    db.shutdown().await;
    assert_eq!(
        bed.counts(id).await.0,
        Some("2".to_owned()),
        "each is a login"
    );
    assert_eq!(
        bed.value("COUNT(*)", "ab_role").await.unwrap(),
        "5",
        "no role is made"
    );
}

async fn unknown_user_without_registration_is_denied(kind: Kind) {
    let bed = Bed::airflow(kind, "").await;
    let db = full(&bed).await;
    denied(&db, wanted("ada", &[]), "registration is off").await;
    let lesser = bed.open(json!({})).await.unwrap();
    let error = lesser.provision(registering("ada", &[])).await.unwrap_err();
    assert!(error.detail().contains("access: full"), "{error}");
    assert_eq!(bed.value("COUNT(*)", "ab_user").await.unwrap(), "0");
}

async fn linked_row_is_meant_unless_it_has_become_another_users(kind: Kind) {
    let bed = Bed::airflow(kind, &(user(3, "renamed") + &user(4, "ada"))).await;
    let db = full(&bed).await;
    let mut linked = wanted("ada", &["Op"]);
    linked.id = Some("3".to_owned());
    linked.name = Some("renamed".to_owned());
    linked.adopt = Adopt::Any;
    let found = db.provision(linked.clone()).await.unwrap();
    assert_eq!(
        (found.user.id.as_str(), found.user.username.as_str()),
        ("3", "renamed")
    );
    assert!(found.user.roles.is_empty(), "sync is off");
    assert_eq!(
        found.user.email, "renamed@example.org",
        "the row stays as it is"
    );
    // SQLite gives the id of a deleted row again: now it may be anybody's, but for one who
    // is called as the user is.
    linked.name = Some("ada-of-old".to_owned());
    linked.sync = RoleSync::Replace;
    denied(&db, linked.clone(), "has become \"renamed\"").await;
    assert_eq!(bed.value("COUNT(*)", "ab_user_role").await.unwrap(), "0");
    linked.id = Some("4".to_owned());
    let found = db.provision(linked).await.unwrap();
    assert_eq!(found.user.roles, ["Op"]);
}

async fn linked_row_that_is_gone_is_denied_even_with_registration(kind: Kind) {
    let bed = Bed::airflow(kind, "").await;
    let db = full(&bed).await;
    let mut gone = wanted("ada", &[]);
    gone.id = Some("77".to_owned());
    for register in [false, true] {
        gone.register = register;
        for id in ["77", "no number", ""] {
            gone.id = Some(id.to_owned());
            let reason = format!("row {id} of ab_user, linked to the user, is gone");
            denied(&db, gone.clone(), &reason).await;
        }
    }
    assert_eq!(bed.value("COUNT(*)", "ab_user").await.unwrap(), "0");
}

async fn inactive_row_is_denied(kind: Kind) {
    let hash = format!("'{HASH}'");
    let rows = row(3, "ada", &hash, "FALSE") + &row(4, "bob", &hash, "NULL");
    let bed = Bed::airflow(kind, &rows).await;
    let db = full(&bed).await;
    let mut linked = registering("ada", &["Op"]);
    linked.id = Some("3".to_owned());
    linked.sync = RoleSync::Replace;
    denied(&db, linked, "row 3 of ab_user is inactive").await;
    let mut named = registering("bob", &[]);
    named.adopt = Adopt::Any;
    denied(&db, named, "row 4 of ab_user is inactive").await;
    assert_eq!(bed.value("COUNT(*)", "ab_user_role").await.unwrap(), "0");
}

async fn name_of_another_row_is_adopted_as_far_as_allowed(kind: Kind) {
    let rows = [
        user(1, "password"),
        row(2, "null", "NULL", "TRUE"),
        row(3, "empty", "''", "TRUE"),
        row(4, "hollow", &format!("'{HASH_OF_EMPTY}'"), "TRUE"),
        row(5, "unusable", "'!x'", "TRUE"),
        row(6, "foreign", "'$9$something$else'", "TRUE"),
    ];
    let bed = Bed::airflow(kind, &rows.concat()).await;
    let db = full(&bed).await;
    // A row that we made can be told by its hash: a crash may have come before its link.
    let made = db.provision(registering("made", &[])).await.unwrap();
    for (name, id, without) in [
        ("password", "1", false),
        ("null", "2", true),
        ("empty", "3", true),
        ("hollow", "4", true),
        ("unusable", "5", true),
        ("foreign", "6", false),
        ("made", made.user.id.as_str(), true),
    ] {
        let mut wanted = registering(&name.to_uppercase(), &[]);
        denied(&db, wanted.clone(), "which is not linked to the user").await;
        wanted.adopt = Adopt::WithoutPassword;
        if without {
            let found = db.provision(wanted.clone()).await.unwrap();
            assert_eq!(
                (found.user.id.as_str(), found.created),
                (id, false),
                "{name}"
            );
        } else {
            denied(&db, wanted.clone(), "which has a password of its own").await;
        }
        wanted.adopt = Adopt::Any;
        let found = db.provision(wanted).await.unwrap();
        assert_eq!(
            (found.user.id.as_str(), found.created),
            (id, false),
            "{name}"
        );
    }
    assert_eq!(bed.value("COUNT(*)", "ab_user").await.unwrap(), "7");
}

async fn email_is_never_a_reason_to_adopt(kind: Kind) {
    let rows = user(3, "bob") + "UPDATE ab_user SET email = 'ada@corp.example';";
    let bed = Bed::airflow(kind, &rows).await;
    let db = full(&bed).await;
    let mut wanted = registering("ada", &[]);
    wanted.adopt = Adopt::Any;
    denied(
        &db,
        wanted,
        "\"ada@corp.example\" belongs to row 3 of ab_user",
    )
    .await;
    // A row without an address is in nobody's way.
    bed.run(&(user(9, "bare") + "UPDATE ab_user SET email = '' WHERE id = 9;"))
        .await;
    assert!(db.provision(registering("eve", &[])).await.unwrap().created);
    // A row whose address is the name is no row of that name.
    let mut wanted = registering("ada@corp.example", &[]);
    wanted.user.email = "other@corp.example".to_owned();
    wanted.adopt = Adopt::Any;
    assert!(db.provision(wanted).await.unwrap().created);
}

async fn roles_are_synchronised_as_asked(kind: Kind) {
    let bed = Bed::airflow(
        kind,
        &(user(3, "ada") + "INSERT INTO ab_user_role (user_id, role_id) VALUES (3, 1), (3, 3);"),
    )
    .await;
    let db = full(&bed).await;
    let ask = |roles: &[&str], previous: &[&str], sync| {
        let mut asked = wanted("ada", roles);
        asked.id = Some("3".to_owned());
        asked.previous_roles = previous.iter().map(|&role| role.to_owned()).collect();
        asked.sync = sync;
        db.provision(asked)
    };
    let off = ask(&["Op", "Nope"], &[], RoleSync::Off).await.unwrap();
    assert_eq!(off.user.roles, ["Admin", "Viewer"]);
    assert_eq!(off.unknown_roles, ["Nope"]);
    let kept = ask(&["Op"], &["Viewer", "Nope"], RoleSync::KeepManual)
        .await
        .unwrap();
    assert_eq!(kept.user.roles, ["Admin", "Op"], "Admin was given by hand");
    let replaced = ask(&["User"], &["Op"], RoleSync::Replace).await.unwrap();
    assert_eq!(replaced.user.roles, ["User"]);
    let none = ask(&["Nope"], &[], RoleSync::Replace).await.unwrap();
    assert!(none.user.roles.is_empty());
}

async fn two_first_logins_at_once_make_one_row(kind: Kind) {
    let bed = Bed::airflow(kind, "").await;
    let db = full(&bed).await;
    let asked = || {
        let mut wanted = registering("ada", &["Op"]);
        wanted.adopt = Adopt::Any;
        db.provision(wanted)
    };
    let (a, b, c) = tokio::join!(asked(), asked(), asked());
    let (a, b, c) = (a.unwrap(), b.unwrap(), c.unwrap());
    assert_eq!([&a.user.id, &b.user.id], [&c.user.id; 2]);
    assert_eq!([a, b, c].iter().filter(|placed| placed.created).count(), 1);
    assert_eq!(bed.value("COUNT(*)", "ab_user_role").await.unwrap(), "1");
}

async fn first_logins_over_two_instances_find_each_others_rows(kind: Kind) {
    let bed = Bed::airflow(kind, "").await;
    let hosts = [full(&bed).await, full(&bed).await];
    for turn in 0..60 {
        let mut wanted = registering(&format!("user-{turn}"), &[]);
        wanted.adopt = Adopt::WithoutPassword; // as with a note that the name was free
        let [a, b] = &hosts;
        let (a, b) = tokio::join!(a.provision(wanted.clone()), b.provision(wanted));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!(a.user.id, b.user.id);
        assert!(a.created != b.created, "one of them has made it");
    }
}

async fn misfit_is_denied(kind: Kind) {
    let bed = Bed::airflow(kind, "").await;
    let db = full(&bed).await;
    denied(&db, registering("", &[]), "empty").await;
    denied(&db, registering("a\0b", &[]), "NUL").await;
    denied(&db, registering("a\nb", &[]), "control characters").await;
    denied(&db, registering(&"x".repeat(513), &[]), "longer than 512").await;
    if kind == Kind::MariaDb {
        db.provision(registering("jorg", &[])).await.unwrap();
        let mut folded = registering("jörg", &[]);
        folded.adopt = Adopt::Any;
        denied(&db, folded, "holds the name equal to that of row").await;
    }
    assert!(login(&db, "x", PASSWORD).await.unwrap().is_none());
}

/// In SQLite there is one writer at a time; a row that is only read waits for nobody.
async fn row_that_needs_no_change_is_found_while_another_program_writes(kind: Kind) {
    let rows = user(3, "ada") + "INSERT INTO ab_user_role (user_id, role_id) VALUES (3, 5);";
    let bed = Bed::airflow(kind, &rows).await;
    let db = full(&bed).await;
    let writer = bed.write_lock().await;
    for sync in [RoleSync::Off, RoleSync::Replace, RoleSync::KeepManual] {
        let mut linked = wanted("ada", &["Op", "Made up"]);
        linked.id = Some("3".to_owned());
        linked.sync = sync;
        let found = db.provision(linked).await.unwrap();
        assert!(!found.created);
        assert_eq!(
            (found.user.roles, found.unknown_roles),
            (vec!["Op".to_owned()], vec!["Made up".to_owned()])
        );
    }
    drop(writer);
}

async fn roles_of_groups_are_told_and_never_written(kind: Kind) {
    let rows = user(3, "ada")
        + "INSERT INTO ab_group (id, name) VALUES (1, 'analysts');
           INSERT INTO ab_group_role (group_id, role_id) VALUES (1, 4);
           INSERT INTO ab_user_group (user_id, group_id) VALUES (3, 1);";
    let bed = Bed::airflow(kind, &rows).await;
    let db = full(&bed).await;
    let mut linked = wanted("ada", &["Op"]);
    linked.id = Some("3".to_owned());
    linked.sync = RoleSync::Replace;
    let found = db.provision(linked).await.unwrap();
    assert_eq!(found.user.roles, ["User", "Op"], "the group's and his own");
    for (table, count) in [
        ("ab_user_role", "1"),
        ("ab_group_role", "1"),
        ("ab_user_group", "1"),
    ] {
        assert_eq!(
            bed.value("COUNT(*)", table).await.unwrap(),
            count,
            "{table}"
        );
    }
}
