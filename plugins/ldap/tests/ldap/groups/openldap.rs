//! Groups of a real slapd: memberOf, group search, POSIX groups, groups of groups.

use countersign_sdk::prelude::*;
use serde_json::{Value, json};

use super::groups_of;
use crate::bed::{self, BASE, bed};

fn dn(name: &str) -> String {
    format!("cn={name},ou=groups,{BASE}")
}

/// With groups searched below `ou=groups`, and no other rule.
fn searched(groups: Value) -> Value {
    let mut settings = bed().settings(json!({ "attributes": { "groups": "" } }));
    let mut own = json!({ "base": format!("ou=groups,{BASE}") });
    bed::put_over(&mut own, groups);
    settings["groups"] = own;
    settings
}

#[tokio::test]
async fn member_of_is_read_in_any_case_of_its_name() {
    for name in ["memberOf", "memberof", "MEMBEROF"] {
        let settings = bed().settings(json!({ "attributes": { "groups": name } }));
        let groups = groups_of(settings, "bob").await.unwrap();
        assert_eq!(groups, [dn("dev"), dn("ring-a")]);
    }
}

#[tokio::test]
async fn values_that_are_no_names_of_entries_pass_as_they_are() {
    let ldif = "businessCategory: Sales\nbusinessCategory: ops";
    bed().add_person("keys", ldif);
    let more = json!({ "attributes": { "groups": "businessCategory" }, "groups": { "nested": "recursive" } });
    let groups = groups_of(bed().settings(more), "keys").await.unwrap();
    assert_eq!(groups, ["Sales", "ops"]);
}

#[tokio::test]
async fn search_finds_what_member_of_does_not_tell_and_both_are_joined() {
    let own = dn("search-own");
    bed().change(&format!(
        "dn: {own}\nobjectClass: groupOfUniqueNames\nuniqueMember: uid=alice,ou=people,{BASE}\n"
    ));
    let filter = json!({ "filter": "(uniqueMember={dn})" });
    assert_eq!(
        groups_of(searched(filter.clone()), "alice").await.unwrap(),
        std::slice::from_ref(&own)
    );
    let mut both = searched(filter);
    both["attributes"]["groups"] = json!("memberOf");
    let joined = groups_of(both, "alice").await.unwrap();
    assert_eq!(
        joined,
        [dn("admins"), dn("dev"), dn("ops\\2C night\\2Bshift"), own]
    );
}

#[tokio::test]
async fn group_that_two_rules_find_is_named_once() {
    let mut both = searched(json!({}));
    both["attributes"]["groups"] = json!("memberOf");
    assert_eq!(
        groups_of(both, "bob").await.unwrap(),
        [dn("dev"), dn("ring-a")]
    );
}

#[tokio::test]
async fn posix_groups_are_found_by_log_in_name_and_by_number() {
    let ldif = "objectClass: posixAccount\nuidNumber: 70\ngidNumber: 7070\nhomeDirectory: /";
    bed().add_person("posix", ldif);
    let primary = dn("posix-primary");
    bed().change(&format!(
        "dn: {primary}\nobjectClass: posixGroup\ngidNumber: 7070\n\ndn: {listed}\nobjectClass: posixGroup\n\
         gidNumber: 7071\nmemberUid: posix\n",
        listed = dn("posix-listed"),
    ));
    let filter = json!({ "filter": "(memberUid={username})" });
    let groups = groups_of(searched(filter), "posix").await.unwrap();
    assert_eq!(groups, [dn("posix-listed"), primary]);
    let without = bed().settings(json!({}));
    assert!(groups_of(without, "posix").await.unwrap().is_empty());
}

#[tokio::test]
async fn l13_groups_of_groups_are_climbed_and_a_ring_ends() {
    let all = [dn("dev"), dn("ring-a"), dn("ring-b"), dn("staff")];
    // OpenLDAP does not know the rule of `chain`, and does not say so.
    for nested in ["recursive", "auto", "chain"] {
        assert_eq!(
            groups_of(searched(json!({ "nested": nested })), "bob")
                .await
                .unwrap(),
            all
        );
        let own = bed().settings(json!({ "groups": { "nested": nested } }));
        assert_eq!(groups_of(own, "bob").await.unwrap(), all);
    }
    let off = groups_of(searched(json!({})), "bob").await.unwrap();
    assert_eq!(off, [dn("dev"), dn("ring-a")]);
}

#[tokio::test]
async fn comparisons_that_belong_together_are_not_met_by_two_groups() {
    bed().add_person("couple", "");
    let user = format!("uid=couple,ou=people,{BASE}");
    let group = |name: &str, member: &str, owner: &str| {
        let dn = dn(name);
        format!("dn: {dn}\nobjectClass: groupOfNames\nmember: {member}\nowner: {owner}\n\n")
    };
    let (a, b) = (dn("couple-a"), dn("couple-b"));
    bed().change(
        &[
            group("couple-a", &user, &user),
            group("couple-b", &user, &user),
            group("couple-above", &a, &a),
            group("couple-mixed", &a, &b),
        ]
        .concat(),
    );
    let filter = json!({ "filter": "(&(member={dn})(owner={dn}))", "nested": "recursive" });
    let groups = groups_of(searched(filter), "couple").await.unwrap();
    assert_eq!(groups, [a, dn("couple-above"), b]);
}

#[tokio::test]
async fn l03_names_full_of_a_filters_signs_find_their_own_groups_only() {
    let filter = "(|(member={dn})(memberUid={username}))";
    let ldap = bed::open(searched(json!({ "filter": filter, "nested": "recursive" })))
        .await
        .unwrap();
    let groups = async |name: &str, password: &str| {
        let user: Option<User> = bed::login(&ldap, name, password).await.unwrap();
        user.unwrap().groups
    };
    assert_eq!(
        groups(r"e*v(e)\x", "eve-pw").await,
        [dn("dev"), dn("staff")]
    );
    assert_eq!(groups("carol", "carol-pw").await, [dn("dev"), dn("staff")]);
}

#[tokio::test]
async fn groups_of_a_base_that_is_not_there_are_an_error() {
    let settings = searched(json!({ "base": format!("ou=nowhere,{BASE}") }));
    assert!(groups_of(settings, "bob").await.is_err());
}
