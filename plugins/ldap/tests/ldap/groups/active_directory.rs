//! Active Directory's ways: the matching rule in chain, the primary group, values by ranges.

use serde_json::json;

use super::{dn, groups_of, server, settings};
use crate::scripted::{DOMAIN, Directory, On, Reply, Seen};

fn domain() -> Directory {
    Directory::active_directory()
}

#[tokio::test]
async fn primary_group_is_found_beside_member_of() {
    let server = server(domain(), |ad| {
        let ada = ad.user("ada");
        ad.group("Admins", &[&ada]);
    });
    let groups = groups_of(settings(&server, json!({})), "ada")
        .await
        .unwrap();
    assert_eq!(groups, [dn("Admins"), dn("Domain Users")]);
}

#[tokio::test]
async fn primary_group_is_found_outside_of_where_groups_are_searched() {
    let server = server(domain(), |ad| {
        let ada = ad.user("ada");
        let base = format!("OU=Airflow,{DOMAIN}");
        ad.entry(&base, &[("objectClass", "organizationalUnit")]);
        let group = format!("CN=Ops,{base}");
        ad.entry(&group, &[("objectClass", "group")]);
        ad.member(&group, &ada);
    });
    let base = format!("OU=Airflow,{DOMAIN}");
    let more =
        json!({ "groups": { "base": base, "nested": "auto" }, "attributes": { "groups": "" } });
    let groups = groups_of(settings(&server, more), "ada").await.unwrap();
    assert_eq!(groups, [dn("Domain Users"), format!("CN=Ops,{base}")]);
}

#[tokio::test]
async fn server_with_a_part_of_the_domain_tells_no_primary_group() {
    let server = server(domain(), |ad| {
        let ada = ad.user("ada");
        ad.group("Admins", &[&ada]);
    });
    let no_such_object = Reply::Result(32, String::new(), Vec::new());
    server.on(On::Search(DOMAIN.to_owned()), no_such_object);
    let more = json!({ "search": { "base": format!("CN=Users,{DOMAIN}") } });
    let groups = groups_of(settings(&server, more), "ada").await.unwrap();
    assert_eq!(groups, [dn("Admins")]);
}

#[tokio::test]
async fn chain_finds_what_holds_his_groups_and_his_primary_group() {
    for nested in ["chain", "auto"] {
        let server = server(domain(), |ad| {
            let ada = ad.user("ada");
            let ops = ad.group("Ops", &[&ada]);
            let staff = ad.group("Staff", &[&ops]);
            ad.group("Everything", &[&staff]);
            ad.group("People", &[&dn("Domain Users")]);
            ad.group("Others", &[]);
        });
        let more = json!({ "groups": { "nested": nested } });
        let groups = groups_of(settings(&server, more), "ada").await.unwrap();
        let all = ["Domain Users", "Everything", "Ops", "People", "Staff"];
        assert_eq!(groups, all.map(dn), "{nested}");
        assert_eq!(server.searches(), 3, "{nested}");
    }
}

#[tokio::test]
async fn chain_keeps_to_the_filter_of_the_groups() {
    let server = server(domain(), |ad| {
        let ada = ad.user("ada");
        let ops = ad.group("Ops", &[&ada]);
        let wanted = ad.group("Wanted", &[&ops]);
        ad.set(&wanted, "description", "airflow");
        ad.group("Unwanted", &[&ops]);
    });
    let more = json!({
        "attributes": { "groups": "" },
        "groups": { "filter": "(&(description=airflow)(member={dn}))", "nested": "chain" },
    });
    let groups = groups_of(settings(&server, more), "ada").await.unwrap();
    assert_eq!(groups, [dn("Domain Users"), dn("Wanted")]);
}

#[tokio::test]
async fn l13_groups_told_by_ranges_are_all_found() {
    for (count, asked) in [(1_500, 0), (1_501, 1), (4_800, 3)] {
        let server = server(domain(), |ad| {
            let ada = ad.user("ada");
            for number in 0..count {
                ad.group(&format!("g{number:04}"), &[&ada]);
            }
        });
        // Its name in another case, as people write it.
        let more = json!({ "attributes": { "groups": "memberof" }, "groups": { "most": 5_000 } });
        let groups = groups_of(settings(&server, more), "ada").await.unwrap();
        assert_eq!(groups.len(), count + 1);
        assert_eq!(groups[1], dn("g0000"));
        assert_eq!(groups[count], dn(&format!("g{:04}", count - 1)));
        let ranges = server.seen().into_iter().filter(|seen| {
            matches!(seen, Seen::Search { attributes, .. } if attributes[0].starts_with("memberof;range="))
        });
        assert_eq!(ranges.count(), asked);
    }
}

#[tokio::test]
async fn ranges_that_break_off_are_an_outage_and_not_fewer_groups() {
    for reply in [
        Reply::Result(0, String::new(), Vec::new()),
        Reply::Result(32, "gone".to_owned(), Vec::new()),
        Reply::Disconnect,
    ] {
        let server = server(domain(), |ad| {
            let ada = ad.user("ada");
            for number in 0..1_501 {
                ad.group(&format!("g{number}"), &[&ada]);
            }
        });
        server.on(On::Search(format!("CN=ada,CN=Users,{DOMAIN}")), reply);
        let error = groups_of(settings(&server, json!({})), "ada").await;
        assert!(error.is_err());
    }
}
