//! Cycles, depth and number: found whole, or an error.

use serde_json::json;

use super::{dn, groups_of, server, settings};
use crate::scripted::Directory;

/// A chain of groups above ada.
fn chain(directory: &mut Directory, levels: usize) {
    let mut member = directory.user("ada");
    for level in 0..levels {
        member = directory.group(&format!("l{level:02}"), &[&member]);
    }
}

#[tokio::test]
async fn l13_nesting_of_fifty_levels_is_climbed_where_allowed() {
    let server = server(Directory::plain(), |plain| chain(plain, 51));
    let more = json!({ "groups": { "nested": "recursive", "depth": 50 } });
    let groups = groups_of(settings(&server, more), "ada").await.unwrap();
    assert_eq!(
        groups,
        (0..51)
            .map(|level| dn(&format!("l{level:02}")))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn l13_nesting_deeper_than_allowed_is_an_error_that_names_the_key() {
    let server = server(Directory::plain(), |plain| chain(plain, 12));
    let more = json!({ "groups": { "nested": "recursive" } });
    let error = groups_of(settings(&server, more), "ada").await.unwrap_err();
    assert!(format!("{error:?}").contains("groups.depth"), "{error:?}");
    // The user, his groups, ten levels above them, and the one that is too deep.
    assert_eq!(server.searches(), 13);
}

#[tokio::test]
async fn l13_ring_of_groups_ends_and_the_user_is_no_group() {
    for nested in ["recursive", "chain"] {
        let directory = match nested {
            "chain" => Directory::active_directory(),
            _ => Directory::plain(),
        };
        let server = server(directory, |own| {
            let ada = own.user("ada");
            let first = own.group("r1", &[&ada]);
            let second = own.group("r2", &[&first]);
            let third = own.group("r3", &[&second]);
            own.member(&first, &third);
            own.member(&first, &first);
            own.member(&ada, &third);
        });
        let more = json!({ "groups": { "nested": nested } });
        let groups = groups_of(settings(&server, more), "ada").await;
        let groups = groups
            .unwrap()
            .into_iter()
            .filter(|group| !group.contains("Domain"));
        assert_eq!(
            groups.collect::<Vec<_>>(),
            ["r1", "r2", "r3"].map(dn),
            "{nested}"
        );
    }
}

#[tokio::test]
async fn more_groups_than_allowed_are_an_error_in_every_way() {
    let add = |directory: &mut Directory| {
        let ada = directory.user("ada");
        for number in 0..11 {
            directory.group(&format!("g{number}"), &[&ada]);
        }
    };
    for (directory, groups) in [
        (Directory::active_directory(), json!({ "most": 10 })),
        (
            Directory::active_directory(),
            json!({ "most": 11, "nested": "chain" }),
        ),
        (
            Directory::plain(),
            json!({ "most": 10, "nested": "recursive" }),
        ),
        (
            Directory::plain(),
            json!({ "most": 10, "base": "DC=corp,DC=test" }),
        ),
    ] {
        let server = server(directory, add);
        let more = json!({ "groups": groups });
        assert!(
            groups_of(settings(&server, more), "ada").await.is_err(),
            "{groups}"
        );
    }
}

#[tokio::test]
async fn l13_five_thousand_groups_and_members_are_found_whole() {
    // On as many pages as the server likes, and on one.
    for page in [1_000, 10_000] {
        let mut directory = Directory::plain();
        directory.page = page;
        let server = server(directory, |plain| {
            let ada = plain.user("ada");
            let big = plain.group("big", &[&ada]);
            for number in 0..4_998 {
                plain.member(&big, &format!("CN=u{number},CN=Users,DC=corp,DC=test"));
                plain.group(&format!("g{number:04}"), &[&ada]);
            }
            plain.group("above", &[&big]);
        });
        let more = json!({
            "groups": { "nested": "recursive", "most": 5_000 },
            "timeouts": { "operation": "60s" },
        });
        let groups = groups_of(settings(&server, more), "ada").await.unwrap();
        assert_eq!(groups.len(), 5_000);
        assert_eq!(groups[..2], [dn("above"), dn("big")]);
    }
}
