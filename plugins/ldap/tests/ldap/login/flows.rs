//! The indirect and the direct flow.

use countersign_sdk::User;
use serde_json::{Value, json};

use super::{denied, unavailable};
use crate::bed::{BASE, bed, instance, login};

/// Everything of the entry but its id, which slapd makes up.
fn is_alice(user: &User) {
    assert_eq!(user.username, "alice");
    assert_eq!(
        (user.first_name.as_str(), user.last_name.as_str()),
        ("Alice", "Adams")
    );
    assert_eq!(user.email, "alice@example.test");
    let dn = format!("uid=alice,ou=people,{BASE}");
    assert_eq!(user.attributes["dn"], Value::from(dn));
    assert!(user.roles.is_empty());
    for group in ["admins", "dev", r"ops\2C night\2Bshift"] {
        let group = format!("cn={group},ou=groups,{BASE}");
        assert!(user.groups.contains(&group), "{:?}", user.groups);
    }
}

/// `entryUUID` as slapd writes it.
fn is_uuid(id: &str) -> bool {
    id.len() == 36 && id.bytes().filter(|byte| *byte == b'-').count() == 4
}

#[tokio::test]
async fn right_password_in_the_indirect_flow_is_that_user() {
    let ldap = instance(bed().settings(json!({}))).await;
    let user = login(&ldap, "alice", "alice-pw").await.unwrap().unwrap();
    is_alice(&user);
    assert!(is_uuid(&user.id), "{}", user.id);
    let again = login(&ldap, "alice", "alice-pw").await.unwrap().unwrap();
    assert_eq!(user, again);
}

#[tokio::test]
async fn right_password_in_the_direct_flow_is_the_same_user() {
    let indirect = instance(bed().settings(json!({}))).await;
    // Others may not read there what the service account may: himself alone.
    let direct = instance(bed().direct(json!({ "search": { "base": BASE } }))).await;
    let user = login(&direct, "alice", "alice-pw").await.unwrap().unwrap();
    let other = login(&indirect, "alice", "alice-pw")
        .await
        .unwrap()
        .unwrap();
    is_alice(&user);
    assert_eq!(user.id, other.id);
}

#[tokio::test]
async fn direct_flow_without_a_search_knows_the_name_alone() {
    let ldap = instance(bed().direct(json!({}))).await;
    let user = login(&ldap, " Alice ", "alice-pw").await.unwrap().unwrap();
    assert_eq!(user.id, format!("uid=alice,ou=people,{BASE}"));
    assert_eq!(user.username, "Alice");
    assert_eq!((user.email.as_str(), user.groups.len()), ("", 0));
    denied(&ldap, "alice", "wrong", ("wrong password", "alice")).await;
    // Nobody and somebody answer alike.
    denied(&ldap, "nobody", "wrong", ("wrong password", "nobody")).await;
}

#[tokio::test]
async fn name_that_the_user_types_whole_is_bound_as_it_is() {
    let settings = json!({ "username_format": "{username}" });
    let ldap = instance(bed().direct(settings)).await;
    let name = format!("UID=alice, ou=people,{BASE}");
    let user = login(&ldap, &name, "alice-pw").await.unwrap().unwrap();
    assert_eq!(user.id, format!("uid=alice,ou=people,{BASE}"));
    // What the server reads as no name is nobody's, and no trouble of the server's.
    for nobody in ["alice", "alice@example.test", r"CORP\alice"] {
        assert_eq!(login(&ldap, nobody, "alice-pw").await, Ok(None), "{nobody}");
    }
}

#[tokio::test]
async fn name_that_no_attribute_can_have_is_nobodys() {
    let settings = json!({ "username_format": format!("mail={{username}},ou=people,{BASE}") });
    let ldap = instance(bed().direct(settings)).await;
    // An address is ASCII, says its syntax; that is no trouble of the server's.
    assert_eq!(login(&ldap, "josé", "x").await, Ok(None));
    // Where no name can be read, a setting is wrong.
    let settings = json!({ "username_format": format!("nosuch={{username}},ou=people,{BASE}") });
    let ldap = instance(bed().direct(settings)).await;
    let why = unavailable(&ldap, "alice", "alice-pw").await;
    assert!(why.contains("`username_format`"), "{why}");
}

#[tokio::test]
async fn domain_is_appended_before_the_format() {
    bed().add_person("mallet@example.test", "");
    let settings = json!({ "append_domain": "example.test", "search": { "base": BASE, "uid_attribute": "sn" } });
    let ldap = instance(bed().direct(settings)).await;
    // What is looked for is the typed name, which this entry has not.
    let answer = login(&ldap, "mallet", "mallet@example.test-pw").await;
    assert_eq!(answer, Ok(None));
    let settings = json!({ "append_domain": "example.test" });
    let ldap = instance(bed().direct(settings)).await;
    for typed in ["mallet", "mallet@example.test"] {
        let user = login(&ldap, typed, "mallet@example.test-pw").await;
        let id = user.unwrap().unwrap().id;
        assert_eq!(id, format!("uid=mallet@example.test,ou=people,{BASE}"));
    }
}

#[tokio::test]
async fn entry_that_was_found_but_not_bound_is_nobody() {
    // Her uid is the other one's, so that a search by the typed name finds his entry.
    bed().change_nested(
        "dn: cn=imposter,dc=nested,dc=test\nobjectClass: inetOrgPerson\ncn: imposter\nsn: x\nuid: other\n\
         userPassword: imposter-pw\n\n\
         dn: cn=victim,dc=nested,dc=test\nobjectClass: inetOrgPerson\ncn: victim\nsn: x\nuid: imposter\n\
         userPassword: victim-pw\n\n",
    );
    let settings = json!({
        "username_format": "cn={username},dc=nested,dc=test",
        "search": { "base": "dc=nested,dc=test" },
    });
    let ldap = instance(bed().direct(settings)).await;
    let reason = "the entry found is not the one bound";
    denied(&ldap, "imposter", "imposter-pw", (reason, "imposter")).await;
}

#[tokio::test]
async fn search_filter_and_depth_keep_others_out() {
    let filtered = json!({ "search": { "filter": "(mail=*)" } });
    let ldap = instance(bed().settings(filtered)).await;
    assert!(login(&ldap, "bob", "bob-pw").await.unwrap().is_some());
    // nopw has no address.
    assert_eq!(login(&ldap, "nopw", "x").await, Ok(None));
    let below = json!({ "search": { "scope": "one" } });
    let ldap = instance(bed().settings(below)).await;
    assert_eq!(login(&ldap, "bob", "bob-pw").await, Ok(None));
    let people = json!({ "search": { "scope": "one", "base": format!("ou=people,{BASE}") } });
    let ldap = instance(bed().settings(people)).await;
    assert!(login(&ldap, "bob", "bob-pw").await.unwrap().is_some());
}

#[tokio::test]
async fn anonymous_search_works_where_it_is_switched_on() {
    let settings = json!({
        "bind_dn": null, "bind_password": null, "anonymous": true,
        "search": { "base": "dc=nested,dc=test" },
    });
    let ldap = instance(bed().settings(settings)).await;
    let user = login(&ldap, "alice", "alice-pw").await.unwrap().unwrap();
    assert_eq!(user.last_name, "Adams");
    denied(&ldap, "alice", "wrong", ("wrong password", "alice")).await;
}

#[tokio::test]
async fn groups_are_searched_as_the_user_where_that_is_set() {
    let groups = |as_user: bool| {
        json!({
            "attributes": { "groups": "" },
            "groups": {
                "base": format!("ou=groups,{BASE}"),
                "filter": "(|(member={dn})(memberUid={username}))",
                "as_user": as_user,
            },
        })
    };
    let ldap = instance(bed().settings(groups(false))).await;
    let user = login(&ldap, "ALICE", "alice-pw").await.unwrap().unwrap();
    assert!(user.groups.contains(&format!("cn=posix,ou=groups,{BASE}")));
    // slapd's rules let a user search there and read nothing: he finds no names of groups.
    let ldap = instance(bed().settings(groups(true))).await;
    let user = login(&ldap, "alice", "alice-pw").await.unwrap().unwrap();
    assert!(user.groups.is_empty(), "{:?}", user.groups);
}
