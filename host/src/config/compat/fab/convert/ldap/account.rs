//! As whom users are looked up: a service account, or the user himself.

use super::{at, document};
use crate::config::compat::fab::convert::Source;
use crate::config::compat::fab::document::Map;
use crate::config::compat::fab::value::{Default, Env, Value};

/// The service account. Is there one?
pub(super) fn service(source: &mut Source<'_>, config: &mut Map) -> bool {
    if let Some(name) = source.text("AUTH_LDAP_BIND_USER", &at("bind_dn")) {
        config.put("bind_dn", name, "AUTH_LDAP_BIND_USER");
        password(source, config);
        not_direct(source);
        return true;
    }
    let found = source.module.assigned.get("AUTH_LDAP_BIND_USER");
    let unsure = source.module.is_unsure("AUTH_LDAP_BIND_USER");
    if unsure || found.is_some_and(|at| at.value.truth() != Some(false)) {
        // There is one, whose name was told to be not known.
        password(source, config);
        not_direct(source);
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

/// What a service account leaves without a meaning.
fn not_direct(source: &mut Source<'_>) {
    for key in ["AUTH_LDAP_APPEND_DOMAIN", "AUTH_LDAP_USERNAME_FORMAT"] {
        if let Some(found) = source.take(key)
            && found.value.truth() != Some(false)
        {
            let what = "with AUTH_LDAP_BIND_USER FAB does not read it";
            source.note(key, found, what, "");
        }
    }
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
pub(super) fn direct(source: &mut Source<'_>, config: &mut Map) {
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
}
