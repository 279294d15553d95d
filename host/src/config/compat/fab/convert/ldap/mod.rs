//! AUTH_LDAP → a backend of the ldap plugin, before the database's.

mod account;
mod tls;

use super::{Source, document, roles};
use crate::config::compat::fab::document::Map;
use crate::config::compat::fab::value::{At, AuthType, Default, Env, Value};

/// The id of the backend.
const ID: &str = "ldap";

/// Texts that are only called otherwise: FAB's key, our map and key.
const TEXTS: [(&str, &str, &str); 7] = [
    ("AUTH_LDAP_SEARCH", "search", "base"),
    ("AUTH_LDAP_SEARCH_FILTER", "search", "filter"),
    ("AUTH_LDAP_UID_FIELD", "search", "uid_attribute"),
    ("AUTH_LDAP_FIRSTNAME_FIELD", "attributes", "first_name"),
    ("AUTH_LDAP_LASTNAME_FIELD", "attributes", "last_name"),
    ("AUTH_LDAP_EMAIL_FIELD", "attributes", "email"),
    ("AUTH_LDAP_GROUP_FIELD", "attributes", "groups"),
];

pub(super) fn convert(source: &mut Source<'_>, backends: &mut Map) {
    let mut config = Map::default();
    let urls = servers(source, &mut config);
    tls::convert(source, &urls, &mut config);
    let indirect = account::service(source, &mut config);
    if !indirect {
        account::direct(source, &mut config);
    }
    let mut base = None;
    for section in ["search", "attributes"] {
        let mut map = Map::default();
        for (key, _, name) in TEXTS.iter().filter(|(_, of, _)| *of == section) {
            if *key == "AUTH_LDAP_SEARCH_FILTER" && !has_brackets(source) {
                continue;
            }
            if let Some(text) = source.text(key, &at(&format!("{section}.{name}"))) {
                if *name == "base" {
                    base = Some(text.clone());
                }
                map.put(name, text, key);
            }
        }
        config.map(section, map, "");
    }
    if indirect && base.is_none() && !source.module.assigned.contains_key("AUTH_LDAP_SEARCH") {
        let server = source.module.assigned.get("AUTH_LDAP_BIND_USER");
        let here = At {
            line: server.map_or(0, |at| at.line),
            value: Value::None,
        };
        let help = format!("write the base of your users at {}", at("search.base"));
        source.lacking(
            "AUTH_LDAP_SEARCH",
            &here,
            "missing: FAB lets nobody in without it",
            &help,
        );
    }
    nested(source, base, &mut config);

    let mut backend = Map::default();
    backend.put("plugin", "ldap", "AUTH_LDAP");
    backend.map("config", config, "");
    let comment = "as Airflow does: the directory, then the database";
    backend.put("on_denied", "next", comment);
    backend.put("on_unavailable", "next", "");
    let mut provision = Map::default();
    provision.put("backend", "airflow", "");
    provision.put(
        "link",
        "username",
        "rows of FAB's LDAP users are theirs if nobody has a password for them",
    );
    provision.comment("adopt_password_rows: true  FAB 5.3 gave its LDAP users random passwords: such rows need it");
    roles::convert(source, AuthType::Ldap, ID, &mut backend);
    backend.map("provision", provision, "");
    backends.map(ID, backend, "");
}

/// A key of the plugin's, for a remark.
fn at(key: &str) -> String {
    format!("backends.{ID}.config.{key}")
}

/// The urls that are known; a variable's are not.
fn servers<'a>(source: &mut Source<'a>, config: &mut Map) -> Vec<&'a str> {
    const KEY: &str = "AUTH_LDAP_SERVER";
    let Some(found) = source.module.assigned.get(KEY) else {
        let nowhere = At {
            line: 0,
            value: Value::None,
        };
        source.lacking(
            KEY,
            &nowhere,
            "missing",
            &format!("write the server's url at {}", at("url")),
        );
        return Vec::new();
    };
    let help = format!("write the url without user and password at {}", at("url"));
    if let Value::Env(Env {
        default: Default::Text(text),
        ..
    }) = &found.value
        && text.contains('@')
    {
        source.take(KEY);
        source.lacking(KEY, found, "a url with a user in it", &help);
        return Vec::new();
    }
    let Value::Text(text) = &found.value else {
        if let Some(url) = source.text(KEY, &at("url")) {
            config.put("url", url, KEY);
        }
        return Vec::new();
    };
    source.take(KEY);
    let separated = |c: char| c == ',' || c.is_whitespace();
    let urls: Vec<&str> = text
        .split(separated)
        .filter(|url| !url.is_empty())
        .collect();
    if urls.iter().any(|url| url.contains('@')) {
        source.lacking(KEY, found, "a url with a user in it", &help);
        return urls;
    }
    match urls.as_slice() {
        [] => source.lacking(
            KEY,
            found,
            "empty",
            &format!("write the server's url at {}", at("url")),
        ),
        [one] => config.put("url", document::text(one), KEY),
        several => config.put(
            "url",
            document::list(several.iter().copied()),
            "AUTH_LDAP_SERVER, in this order",
        ),
    }
    urls
}

/// Airflow refuses a filter without brackets of its own.
fn has_brackets(source: &mut Source<'_>) -> bool {
    const KEY: &str = "AUTH_LDAP_SEARCH_FILTER";
    let Some(found) = source.module.assigned.get(KEY) else {
        return true;
    };
    let Value::Text(text) = &found.value else {
        return true;
    };
    let whole = text.is_empty() || (text.starts_with('(') && text.ends_with(')'));
    if !whole {
        source.take(KEY);
        let help = format!("write it as (…) at {}", at("search.filter"));
        source.lacking(
            KEY,
            found,
            "a filter without brackets around it, with which FAB lets nobody in",
            &help,
        );
    }
    whole
}

/// Airflow searches groups of groups below the base of the users.
fn nested(source: &mut Source<'_>, base: Option<String>, config: &mut Map) {
    const KEY: &str = "AUTH_LDAP_USE_NESTED_GROUPS_FOR_ROLES";
    if source.flag(KEY, &at("groups.nested")) != Some(true) {
        return;
    }
    let mut groups = Map::default();
    if let Some(base) = base {
        groups.put("base", base, "AUTH_LDAP_SEARCH");
    }
    groups.put("nested", "chain", KEY);
    config.map("groups", groups, "");
}
