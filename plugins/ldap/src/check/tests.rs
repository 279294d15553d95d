//! Each wrong setting with its key and its remedy.
#![allow(clippy::unwrap_used)]
use serde_json::{Value, json};

use super::*;

/// The settings of the indirect flow with these over them.
fn checked(more: Value) -> Result<Checked> {
    let mut config = json!({
        "url": "ldaps://a", "bind_dn": "cn=svc,dc=x", "bind_password": "canary", "search": { "base": "dc=x" },
    });
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    let mut config: Config = serde_json::from_value(config).unwrap();
    config.tidy();
    check(&config)
}

#[test]
fn wrong_setting_is_named_with_the_remedy() {
    let search = |key: &str, value: &str| json!({ "search": { "base": "dc=x", key: value } });
    let direct = |more: Value| {
        let mut config = json!({ "bind_dn": null, "bind_password": null });
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        config
    };
    for (more, key, says) in [
        (
            search("filter", "objectClass=person"),
            "search.filter",
            "write (objectClass=person)",
        ),
        (
            search("filter", "(uid={username})"),
            "search.filter",
            "leave it out",
        ),
        (
            search("filter", "(a=b"),
            "search.filter",
            "see to the parentheses",
        ),
        (
            search("uid_attribute", ""),
            "search.uid_attribute",
            "found \"\"",
        ),
        (
            search("uid_attribute", "uid)(x=*"),
            "search.uid_attribute",
            "name of an attribute",
        ),
        (
            search("base", "example.com"),
            "search.base",
            "dc=example,dc=com",
        ),
        (json!({ "search": {} }), "search.base", "found none"),
        (
            json!({ "bind_dn": "" }),
            "bind_dn",
            "`bind_password` belongs to",
        ),
        (
            json!({ "anonymous": true }),
            "anonymous",
            "bind_dn and anonymous",
        ),
        (direct(json!({})), "bind_dn", "found none of them"),
        (
            direct(json!({ "username_format": "" })),
            "bind_dn",
            "found none of them",
        ),
        (
            direct(json!({ "username_format": "uid=%s,dc=x" })),
            "username_format",
            "uid={username},dc=x",
        ),
        (
            direct(json!({ "append_domain": "x.org", "search": { "filter": "(a=b)" } })),
            "search.base",
            "keeps nobody out",
        ),
        (
            direct(json!({ "append_domain": "@x.org" })),
            "append_domain",
            "without @",
        ),
        (
            direct(
                json!({ "append_domain": "x.org", "search": {}, "attributes": { "id": "uid" } }),
            ),
            "search.base",
            "`attributes.id`",
        ),
        (
            direct(json!({ "append_domain": "x.org", "search": {}, "groups": { "base": "dc=x" } })),
            "search.base",
            "{dn}",
        ),
        (
            json!({ "groups": { "filter": "(member={user})" } }),
            "groups.filter",
            "{dn}",
        ),
        (
            json!({ "groups": { "filter": "(cn=admins)" } }),
            "groups.filter",
            "into every group",
        ),
        (
            json!({ "groups": { "filter": "member={dn}" } }),
            "groups.filter",
            "in parentheses",
        ),
        (
            json!({ "groups": { "depth": 0 } }),
            "groups.depth",
            "expected 1 to 100, found 0",
        ),
        (
            json!({ "pool": { "size": 0 } }),
            "pool.size",
            "expected 1 to 1000, found 0",
        ),
        (
            json!({ "timeouts": { "connect": "1h" } }),
            "timeouts.connect",
            "found 3600s",
        ),
        (
            json!({ "attributes": { "id": "" } }),
            "attributes.id",
            "name of an attribute",
        ),
        (
            json!({ "attributes": { "email": "e mail" } }),
            "attributes.email",
            "name of an attribute",
        ),
    ] {
        let error = checked(more.clone())
            .err()
            .unwrap_or_else(|| panic!("{more}"));
        let text = error.detail();
        assert!(
            text.starts_with(&format!("{key}: ")) && text.contains(says),
            "{more}: {text}"
        );
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn all_mistakes_come_at_once() {
    let error = checked(json!({
        "search": { "filter": "a=b" }, "pool": { "size": 0 }, "attributes": { "email": "?" },
    }));
    let error = error.err().unwrap();
    for key in [
        "search.base",
        "search.filter",
        "pool.size",
        "attributes.email",
    ] {
        assert!(error.detail().contains(&format!("{key}: ")), "{error}");
    }
}

#[test]
fn either_flow_is_chosen_by_who_looks_users_up() {
    assert!(matches!(checked(json!({})).unwrap().flow, Flow::Indirect));
    let bare = json!({ "bind_dn": "", "bind_password": null, "append_domain": "x.org" });
    assert!(matches!(checked(bare).unwrap().flow, Flow::Direct(_)));
    let external = json!({ "bind_dn": null, "bind_password": null, "sasl_external": true });
    assert!(matches!(checked(external).unwrap().flow, Flow::Indirect));
}
