//! What no schema can say of the settings. Each mistake is told by its key, with what was
//! expected, what was found and what to do, and all of them at once.

mod attribute;
mod odd;

use std::time::Duration;

use countersign_sdk::{AuthError, Result};

use crate::config::Config;
use crate::dn::Dn;
use crate::filter::Filter;
use crate::groups;
use crate::name::BindName;

/// Longer than this nobody waits for a login.
const LONGEST: Duration = Duration::from_secs(300);

/// How a user comes in, and who is looked for at all.
pub(crate) struct Checked {
    pub(crate) flow: Flow,
    /// `search.filter`.
    pub(crate) filter: Option<Filter>,
}

/// Flask-AppBuilder's two ways.
pub(crate) enum Flow {
    /// The service account finds the entry, then that is bound.
    Indirect,
    /// A name made of the typed one is bound at once.
    Direct(BindName),
}

/// All mistakes of these settings; what is only odd is logged.
pub(crate) fn check(config: &Config) -> Result<Checked> {
    let mut wrong = Vec::new();
    let mut add = |key: &str, found: Result<(), String>| {
        if let Err(text) = found {
            wrong.push(format!("{key}: {text}"));
        }
    };
    for (key, result) in accounts(config) {
        add(key, result);
    }
    for (key, name, may_be_empty) in names(config) {
        add(key, attribute::check(name, may_be_empty));
    }
    for (key, found, range) in sizes(config) {
        let fits = range.contains(&found);
        add(
            key,
            fits.then_some(()).ok_or_else(|| {
                format!(
                    "expected {} to {}, found {found}",
                    range.start(),
                    range.end()
                )
            }),
        );
    }
    for (key, time) in times(config) {
        let fits = time <= LONGEST;
        add(
            key,
            fits.then_some(())
                .ok_or_else(|| format!("expected at most 5m, found {}s", time.as_secs())),
        );
    }
    for (key, base) in [
        ("search.base", &config.search.base),
        ("groups.base", &config.groups.base),
    ] {
        let is_name = base.is_empty() || Dn::parse(base).is_some();
        add(
            key,
            is_name.then_some(()).ok_or_else(|| {
                format!("expected a distinguished name as in dc=example,dc=com, found {base:?}")
            }),
        );
    }
    let filter = users(&config.search.filter);
    add(
        "search.filter",
        filter.as_ref().map(drop).map_err(Clone::clone),
    );
    let flow = flow(config);
    if let Err((key, text)) = &flow {
        add(key, Err(text.clone()));
    }
    wrong.extend(groups::check(config).err());
    match (flow, filter) {
        (Ok(flow), Ok(filter)) if wrong.is_empty() => {
            odd::warn(config);
            Ok(Checked { flow, filter })
        }
        _ => Err(AuthError::invalid(wrong.join("; "))),
    }
}

/// What both say is wrong, each key once.
pub(crate) fn both<A, B>(first: Result<A>, second: Result<B>) -> Result<(A, B)> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        (Err(first), Err(second)) => {
            let told = first.detail();
            let key = second.detail().split_inclusive(": ").next();
            let is_new = key.is_some_and(|key| !told.split("; ").any(|part| part.starts_with(key)));
            Err(match is_new {
                true => AuthError::invalid(format!("{told}; {}", second.detail())),
                false => first,
            })
        }
    }
}

/// Who looks users up.
fn accounts(config: &Config) -> Vec<(&'static str, Result<(), String>)> {
    let mut found = Vec::new();
    let has_password = config.bind_password.is_some();
    match (&config.bind_dn, has_password) {
        (Some(_), false) => found.push((
            "bind_password",
            Err("expected the password of `bind_dn`, found none; a bind without one would be anonymous".to_owned()),
        )),
        (None, true) => found.push((
            "bind_dn",
            Err("expected the name that `bind_password` belongs to, found none".to_owned()),
        )),
        _ => {}
    }
    let ways = [
        ("bind_dn", config.bind_dn.is_some()),
        ("sasl_external", config.sasl_external),
        ("anonymous", config.anonymous),
    ];
    let set: Vec<&str> = ways
        .iter()
        .filter(|(_, is)| *is)
        .map(|(key, _)| *key)
        .collect();
    if let [_, second, ..] = set.as_slice() {
        let text = format!(
            "expected one way to look users up, found {}; keep one of them",
            set.join(" and ")
        );
        found.push((second, Err(text)));
    }
    found
}

/// How a user comes in, or the key that is missing.
fn flow(config: &Config) -> Result<Flow, (&'static str, String)> {
    let has_base = !config.search.base.is_empty();
    if config.is_indirect() {
        if !has_base {
            let text = "expected the entry below which users are searched, found none; as in ou=people,dc=example,dc=com";
            return Err(("search.base", text.to_owned()));
        }
        return Ok(Flow::Indirect);
    }
    let domain = config.append_domain.as_deref();
    if domain
        .is_some_and(|domain| domain.starts_with('@') || domain.chars().any(char::is_whitespace))
    {
        return Err((
            "append_domain",
            "expected a domain without @, as in example.com".to_owned(),
        ));
    }
    if config.username_format.is_none() && domain.is_none() {
        return Err((
            "bind_dn",
            "expected `bind_dn` and `bind_password` (or `sasl_external`, or `anonymous`), which look users up, or \
             `username_format` or `append_domain`, which say by what name they are bound; found none of them"
                .to_owned(),
        ));
    }
    let name = BindName::parse(config.username_format.as_deref(), domain)
        .map_err(|text| ("username_format", text))?;
    if !has_base && !config.search.filter.trim().is_empty() {
        let text = "expected the entry below which users are searched, since without it `search.filter` keeps nobody out";
        return Err(("search.base", text.to_owned()));
    }
    if !has_base && config.attributes.id != "auto" {
        let text = "expected the entry below which users are searched, since `attributes.id` is read from their entries";
        return Err(("search.base", text.to_owned()));
    }
    if !has_base
        && !config.groups.base.is_empty()
        && !name.is_dn()
        && config.groups.filter.contains("{dn}")
    {
        let text =
            "expected the entry below which users are searched, since `groups.filter` needs {dn}";
        return Err(("search.base", text.to_owned()));
    }
    Ok(Flow::Direct(name))
}

fn users(text: &str) -> Result<Option<Filter>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.contains("{username}") || text.contains("%s") {
        return Err(format!(
            "expected what users must match besides their name, found {text:?}; the name is compared with \
             `search.uid_attribute` anyway, so leave it out"
        ));
    }
    Filter::parse(text).map(Some)
}

/// Names of attributes, and whether there may be none.
fn names(config: &Config) -> [(&'static str, &str, bool); 7] {
    let own = &config.attributes;
    [
        ("search.uid_attribute", &config.search.uid_attribute, false),
        ("attributes.id", &own.id, false),
        ("attributes.username", &own.username, true),
        ("attributes.first_name", &own.first_name, true),
        ("attributes.last_name", &own.last_name, true),
        ("attributes.email", &own.email, true),
        ("attributes.groups", &own.groups, true),
    ]
}

fn sizes(config: &Config) -> [(&'static str, usize, std::ops::RangeInclusive<usize>); 3] {
    [
        ("pool.size", config.pool.size, 1..=1_000),
        ("groups.depth", config.groups.depth, 1..=100),
        ("groups.most", config.groups.most, 1..=100_000),
    ]
}

fn times(config: &Config) -> [(&'static str, Duration); 2] {
    [
        ("timeouts.connect", config.timeouts.connect),
        ("timeouts.operation", config.timeouts.operation),
    ]
}

#[cfg(test)]
mod tests {
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
                json!({ "bind_password": null }),
                "bind_password",
                "would be anonymous",
            ),
            (
                json!({ "bind_password": "" }),
                "bind_password",
                "would be anonymous",
            ),
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
                direct(
                    json!({ "append_domain": "x.org", "search": {}, "groups": { "base": "dc=x" } }),
                ),
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
}
