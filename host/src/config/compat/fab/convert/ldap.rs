//! AUTH_LDAP → a backend of the ldap plugin, before the database's.

use super::{Source, document, roles};
use crate::config::compat::fab::document::Map;
use crate::config::compat::fab::value::{At, Default, Env, Value};

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
    tls(source, &urls, &mut config);
    let indirect = account(source, &mut config);
    if !indirect {
        direct(source, &mut config);
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
    roles::convert(source, ID, &mut backend);
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
        let help = format!("write the url without user and password at {}", at("url"));
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

fn tls(source: &mut Source<'_>, urls: &[&str], config: &mut Map) {
    let with = |scheme: &str| {
        let begins = |url: &&str| {
            url.get(..scheme.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
        };
        urls.iter().copied().filter(begins).collect::<Vec<_>>()
    };
    let mut starts = source.flag("AUTH_LDAP_USE_TLS", &at("start_tls")) == Some(true);
    if starts && !with("ldaps://").is_empty() {
        if let Some(found) = source.module.assigned.get("AUTH_LDAP_USE_TLS") {
            let help = "left out: ldaps:// has TLS from the first byte";
            source.note(
                "AUTH_LDAP_USE_TLS",
                found,
                "StartTLS on top of ldaps://, which no server does",
                help,
            );
        }
        starts = false;
    }
    if starts {
        config.put("start_tls", "true", "AUTH_LDAP_USE_TLS");
    }
    let undecided = source
        .module
        .assigned
        .get("AUTH_LDAP_USE_TLS")
        .is_some_and(|at| at.value.truth().is_none());
    let clear = with("ldap://");
    if !starts && !undecided && clear.iter().any(|url| !is_here(&url["ldap://".len()..])) {
        config.put(
            "plain_text",
            "true",
            "ldap:// WITHOUT TLS: passwords cross the network as they are; better start_tls: true",
        );
        if let Some(found) = source.module.assigned.get("AUTH_LDAP_SERVER") {
            let what = "ldap:// without TLS: every password crosses the network in clear text";
            source.note(
                "AUTH_LDAP_SERVER",
                found,
                what,
                &format!("try {}: true in its place", at("start_tls")),
            );
        }
    }

    let mut tls = Map::default();
    if let Some(ca) = source.text("AUTH_LDAP_TLS_CACERTFILE", &at("tls.ca")) {
        tls.put("ca", ca, "AUTH_LDAP_TLS_CACERTFILE");
    }
    if let Some(certificate) = source.text("AUTH_LDAP_TLS_CERTFILE", &at("tls.certificate")) {
        tls.put("certificate", certificate, "AUTH_LDAP_TLS_CERTFILE");
    }
    if let Some(key) = source.text("AUTH_LDAP_TLS_KEYFILE", &at("tls.private_key")) {
        tls.put(
            "private_key",
            format!("{{ file: {key} }}"),
            "AUTH_LDAP_TLS_KEYFILE",
        );
    }
    let folder = "AUTH_LDAP_TLS_CACERTDIR";
    if let Some(found) = source.take(folder)
        && found.value.truth() != Some(false)
    {
        let help = format!("put them into one file, and name that at {}", at("tls.ca"));
        source.lacking(folder, found, "a folder of certificates", &help);
    }
    let anybody = source.flag("AUTH_LDAP_ALLOW_SELF_SIGNED", &at("tls.verify")) == Some(true);
    if anybody {
        tls.put("verify", "false", "AUTH_LDAP_ALLOW_SELF_SIGNED: ANY certificate passes; better tls.ca with that certificate");
        if let Some(found) = source.module.assigned.get("AUTH_LDAP_ALLOW_SELF_SIGNED") {
            let what = "any certificate of anybody passes, as in FAB";
            source.note(
                "AUTH_LDAP_ALLOW_SELF_SIGNED",
                found,
                what,
                &format!("name the server's own at {}", at("tls.ca")),
            );
        }
    }
    // Servers are always verified, unless that is switched off.
    source.flag("AUTH_LDAP_TLS_DEMAND", &at("tls.verify"));
    config.map("tls", tls, "");
}

/// Is it this machine, which a password does not leave?
fn is_here(address: &str) -> bool {
    let host = match address.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => address.split(['/', ':', '?']).next(),
    };
    let host = host.unwrap_or_default();
    let ip = host.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

/// The service account. Is there one?
fn account(source: &mut Source<'_>, config: &mut Map) -> bool {
    if let Some(name) = source.text("AUTH_LDAP_BIND_USER", &at("bind_dn")) {
        config.put("bind_dn", name, "AUTH_LDAP_BIND_USER");
        password(source, config);
        return true;
    }
    let found = source.module.assigned.get("AUTH_LDAP_BIND_USER");
    if found.is_some_and(|at| at.value.truth() != Some(false)) {
        // There is one, whose name was told to be not known.
        password(source, config);
        return true;
    }
    if let Some(found) = source.take("AUTH_LDAP_BIND_PASSWORD")
        && found.value.truth() != Some(false)
    {
        let what = "without AUTH_LDAP_BIND_USER nobody binds with it";
        source.note("AUTH_LDAP_BIND_PASSWORD", found, what, "");
    }
    false
}

/// A password that stands in the file stays there: what we write may be read by others.
fn password(source: &mut Source<'_>, config: &mut Map) {
    const KEY: &str = "AUTH_LDAP_BIND_PASSWORD";
    const OWN: &str = "LDAP_BIND_PASSWORD";
    let Some(found) = source.take(KEY) else {
        return;
    };
    let (name, comment) = match &found.value {
        Value::None => return,
        Value::Text(text) if text.is_empty() => return,
        Value::Env(Env { name, default }) => {
            if matches!(default, Default::Text(text) if !text.is_empty()) {
                let what = format!("the default of the variable {name} is a password");
                source.lacking(
                    KEY,
                    found,
                    &what,
                    &format!("set {name}: the default was not written out"),
                );
            }
            (name.as_str(), KEY)
        }
        other => {
            let what = match other {
                Value::Text(_) => "a password in the file, which was not written out",
                other => other.kind(),
            };
            source.lacking(KEY, found, what, &format!("set {OWN} to it in the environment of countersign, or name a file: {{ file: … }}"));
            (
                OWN,
                "AUTH_LDAP_BIND_PASSWORD: set this variable, or write { file: … }",
            )
        }
    };
    config.put("bind_password", format!("{{ env: {name} }}"), comment);
}

/// Without a service account users bind as themselves.
fn direct(source: &mut Source<'_>, config: &mut Map) {
    let domain = source.literal("AUTH_LDAP_APPEND_DOMAIN", &at("append_domain"));
    let format = source.literal("AUTH_LDAP_USERNAME_FORMAT", &at("username_format"));
    let comment = "AUTH_LDAP_USERNAME_FORMAT";
    let undecided = ["AUTH_LDAP_APPEND_DOMAIN", "AUTH_LDAP_USERNAME_FORMAT"]
        .iter()
        .any(|key| {
            let found = source.module.assigned.get(*key);
            found.is_some_and(|at| at.value.truth().is_none())
        });
    match (format, domain) {
        (None, None) if undecided => {}
        (None, None) => config.put(
            "username_format",
            "\"{username}\"",
            "users bind with the name that they typed",
        ),
        (None, Some(domain)) => config.put(
            "append_domain",
            document::text(domain),
            "AUTH_LDAP_APPEND_DOMAIN",
        ),
        (Some(format), domain) => {
            let name = domain.map_or_else(
                || "{username}".to_owned(),
                |domain| format!("{{username}}@{domain}"),
            );
            match template(format, &name) {
                Ok(template) => config.put("username_format", document::text(&template), comment),
                Err(why) => {
                    if let Some(found) = source.module.assigned.get(comment) {
                        let help =
                            format!("write it with {{username}} at {}", at("username_format"));
                        source.lacking(comment, found, why, &help);
                    }
                }
            }
        }
    }
}

/// Python's %-format with exactly one `%s`, as a template of ours.
fn template(format: &str, name: &str) -> Result<String, &'static str> {
    let mut written = String::new();
    let mut names = 0;
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        match c {
            '%' => match rest.next() {
                Some('%') => written.push('%'),
                Some('s') => {
                    written.push_str(name);
                    names += 1;
                }
                _ => return Err("a format with something else than %s and %%"),
            },
            '{' | '}' => return Err("a format with braces, which mean something here"),
            c => written.push(c),
        }
    }
    match names {
        1 => Ok(written),
        0 => Err("a format without %s, with which FAB lets nobody in"),
        _ => Err("a format with more than one %s, with which FAB lets nobody in"),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_table() {
        for (format, expected) in [
            ("uid=%s,ou=people,dc=x", Ok("uid={username},ou=people,dc=x")),
            ("%s@x%%y", Ok("{username}@x%y")),
            ("%s", Ok("{username}")),
        ] {
            assert_eq!(
                template(format, "{username}").as_deref(),
                expected,
                "{format}"
            );
        }
        for format in ["", "uid=", "%s%s", "%(user)s", "%d", "%", "{%s}"] {
            assert!(template(format, "{username}").is_err(), "{format}");
        }
    }

    #[test]
    fn only_this_machine_is_here() {
        for here in [
            "localhost",
            "LOCALHOST:389",
            "127.0.0.1",
            "127.9.9.9:1/",
            "[::1]:389",
        ] {
            assert!(is_here(here), "{here}");
        }
        for there in [
            "ldap.example.com",
            "10.0.0.1",
            "[fe80::1]",
            "localhost.example.com",
            "",
            "127.0.0.1.example.com",
        ] {
            assert!(!is_here(there), "{there}");
        }
    }
}
