//! How many searches a login costs: a user in 500 groups, ten levels of them.

use serde_json::json;

use super::{groups_of, server, settings};
use crate::bed::{BASE, Bed};
use crate::scripted::Directory;

/// Ten levels, fifty groups on each.
fn tower(directory: &mut Directory) {
    let mut below = vec![directory.user("ada")];
    for level in 0..10 {
        let groups = below
            .iter()
            .cycle()
            .take(50)
            .enumerate()
            .map(|(number, member)| directory.group(&format!("l{level}-{number}"), &[member]));
        below = groups.collect();
    }
}

#[tokio::test]
async fn chain_takes_three_searches_with_that_of_the_user() {
    let server = server(Directory::active_directory(), tower);
    let more = json!({ "groups": { "nested": "auto" } });
    let groups = groups_of(settings(&server, more), "ada").await.unwrap();
    assert_eq!(groups.len(), 501);
    assert!(server.searches() <= 3, "{:?}", server.seen());
}

#[tokio::test]
async fn chain_on_a_server_without_the_rule_costs_one_search_more_than_climbing() {
    let server = server(Directory::plain(), tower);
    let more = json!({ "groups": { "nested": "chain" } });
    let groups = groups_of(settings(&server, more), "ada").await.unwrap();
    assert_eq!(groups.len(), 500);
    assert!(server.searches() <= 13, "{:?}", server.seen());
}

#[tokio::test]
async fn climbing_takes_a_search_for_each_level_and_two() {
    let server = server(Directory::plain(), tower);
    let more = json!({ "groups": { "nested": "auto" } });
    let groups = groups_of(settings(&server, more), "ada").await.unwrap();
    assert_eq!(groups.len(), 500);
    assert!(server.searches() <= 12, "{:?}", server.seen());
}

#[tokio::test]
async fn slapd_is_asked_once_for_each_level_and_twice_more() {
    // Its own: its log tells each search.
    let bed = Bed::start(&[]);
    // Ten levels of fifty groups; and 491 groups, of which one is the first of ten levels.
    add_tower(&bed, "even", &[50; 10]);
    add_tower(&bed, "broad", &[491, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    for name in ["even", "broad"] {
        // With its memberOf and without.
        for attribute in ["memberOf", ""] {
            let more = json!({
                "attributes": { "groups": attribute },
                "groups": { "base": format!("ou=groups,{BASE}"), "nested": "recursive" },
            });
            let before = searches(&bed);
            let groups = groups_of(bed.settings(more), name).await.unwrap();
            assert_eq!(groups.len(), 500);
            let searches = searches(&bed) - before;
            assert!(searches <= 12, "{name} {attribute}: {searches}");
        }
    }
    bed.stop();
}

/// A user, and so many groups on each level above.
fn add_tower(bed: &Bed, name: &str, levels: &[usize]) {
    bed.add_person(name, "");
    let mut below = vec![format!("uid={name},ou=people,{BASE}")];
    for (level, count) in levels.iter().enumerate() {
        let groups =
            (0..*count).map(|number| format!("cn={name}-{level}-{number},ou=groups,{BASE}"));
        let groups: Vec<String> = groups.collect();
        let entries = groups.iter().zip(below.iter().cycle());
        let entries = entries.map(|(group, member)| {
            format!("dn: {group}\nobjectClass: groupOfNames\nmember: {member}\n\n")
        });
        bed.change(&entries.collect::<String>());
        below = groups;
    }
}

/// How many came so far, but for those that ask the server itself.
fn searches(bed: &Bed) -> usize {
    let log = bed.log();
    log.matches(" SRCH base=\"").count() - log.matches(" SRCH base=\"\"").count()
}
