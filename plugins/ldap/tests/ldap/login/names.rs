//! How names are typed, and how the directory writes them.

use serde_json::json;

use crate::bed::{BASE, bed, instance, login};

#[tokio::test]
async fn name_in_any_case_and_with_blanks_is_the_same_user() {
    let ldap = instance(bed().settings(json!({}))).await;
    let user = login(&ldap, "alice", "alice-pw").await.unwrap().unwrap();
    for typed in ["ALICE", " alice ", "Alice\t"] {
        let other = login(&ldap, typed, "alice-pw").await.unwrap();
        assert_eq!(other.as_ref(), Some(&user), "{typed:?}");
    }
}

#[tokio::test]
async fn name_of_several_is_the_one_that_was_typed() {
    bed().add_person("countess", "uid: Ada-L");
    let ldap = instance(bed().settings(json!({}))).await;
    let user = login(&ldap, "ada-l", "countess-pw").await.unwrap().unwrap();
    assert_eq!(user.username, "Ada-L");
    let other = login(&ldap, "COUNTESS", "countess-pw").await.unwrap();
    let other = other.unwrap();
    assert_eq!((other.username.as_str(), &other.id), ("countess", &user.id));
}

#[tokio::test]
async fn attributes_are_found_in_any_case_and_may_be_absent() {
    let settings = json!({ "attributes": {
        "first_name": "GIVENNAME", "last_name": "SN", "email": "Mail", "groups": "MEMBEROF", "username": "CN", "id": "UID",
    }});
    let ldap = instance(bed().settings(settings)).await;
    let user = login(&ldap, "bob", "bob-pw").await.unwrap().unwrap();
    // He has no given name.
    assert_eq!(
        (user.first_name.as_str(), user.last_name.as_str()),
        ("", "Brown")
    );
    assert_eq!(
        (user.email.as_str(), user.id.as_str()),
        ("bob@example.test", "bob")
    );
    assert_eq!(user.username, "Bob Brown");
    assert!(user.groups.contains(&format!("cn=dev,ou=groups,{BASE}")));
}

#[tokio::test]
async fn groups_list_him_by_the_name_that_he_is_found_by() {
    let settings = json!({
        "attributes": { "username": "cn" },
        "groups": { "base": format!("ou=groups,{BASE}"), "filter": "(memberUid={username})" },
    });
    let ldap = instance(bed().settings(settings)).await;
    let user = login(&ldap, "BOB", "bob-pw").await.unwrap().unwrap();
    assert_eq!(user.username, "Bob Brown");
    assert!(user.groups.contains(&format!("cn=posix,ou=groups,{BASE}")));
}

#[tokio::test]
async fn user_without_the_chosen_id_does_not_come_in() {
    let settings = json!({ "attributes": { "id": "employeeNumber" } });
    let ldap = instance(bed().settings(settings)).await;
    let (answer, log) = crate::bed::logged(login(&ldap, "bob", "bob-pw")).await;
    let error = answer.unwrap_err();
    assert_eq!(error.detail(), "the entry has no `employeeNumber`");
    assert!(
        log.contains("ERROR") && log.contains("`attributes.id`"),
        "{log}"
    );
}

#[tokio::test]
async fn names_beyond_ascii_and_with_marks_of_names_log_in() {
    let ldap = instance(bed().settings(json!({}))).await;
    let user = login(&ldap, "josé", "uni-pw").await.unwrap().unwrap();
    assert_eq!(user.username, "josé");
    let carol = login(&ldap, "carol", "carol-pw").await.unwrap().unwrap();
    assert!(carol.groups.contains(&format!("cn=dev,ou=groups,{BASE}")));
    let direct = json!({ "username_format": format!("cn={{username}},ou=people,{BASE}") });
    let direct = instance(bed().direct(direct)).await;
    let carol = login(&direct, "Carol, C+", "carol-pw").await.unwrap();
    assert!(carol.is_some());
}
