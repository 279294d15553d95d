//! Registration and roles: the host's, for every plugin.

use super::{Source, document};
use crate::config::compat::fab::document::Map;
use crate::config::compat::fab::value::{At, AuthType, Value};

/// Into the backend of the directory or the provider.
pub(super) fn convert(source: &mut Source<'_>, auth: AuthType, id: &str, backend: &mut Map) {
    let to = |key: &str| format!("backends.{id}.{key}");
    let registers = source.flag("AUTH_USER_REGISTRATION", &to("registration"));
    let registers = registers.unwrap_or_default();
    backend.put(
        "registration",
        registers.to_string(),
        "AUTH_USER_REGISTRATION",
    );

    let mut roles = Map::default();
    mapping(source, &to("roles.mapping"), &mut roles);
    let given = source.text("AUTH_USER_REGISTRATION_ROLE", &to("roles.registration"));
    let public = source.literal("AUTH_ROLE_PUBLIC", &to("roles.registration"));
    let role = given.map(|role| (role, "AUTH_USER_REGISTRATION_ROLE"));
    let role = role.or_else(|| {
        let comment = "AUTH_ROLE_PUBLIC, which FAB registers with unless told otherwise";
        public.map(|role| (document::text(role), comment))
    });
    if let Some((role, comment)) = role
        && registers
    {
        roles.put(
            "registration",
            format!("[{}]", document::inside(role)),
            comment,
        );
    }
    if source.flag("AUTH_ROLES_SYNC_AT_LOGIN", &to("roles.sync")) == Some(true) {
        roles.put(
            "sync",
            "replace",
            "AUTH_ROLES_SYNC_AT_LOGIN; keep_manual leaves what was given by hand",
        );
    }
    backend.map("roles", roles, "");
    jmespath(source, auth);
}

fn mapping(source: &mut Source<'_>, to: &str, roles: &mut Map) {
    const KEY: &str = "AUTH_ROLES_MAPPING";
    let Some(at) = source.take(KEY) else { return };
    let Value::Dict(pairs) = &at.value else {
        if at.value != Value::None {
            source.by_hand(KEY, at, at.value.kind(), to);
        }
        return;
    };
    // As in Python, the last one of a key counts.
    let mut written: Vec<(&str, String)> = Vec::new();
    for (group, names) in pairs {
        let Value::Text(group) = &group.value else {
            source.by_hand(
                KEY,
                group,
                &format!("a group that is {}", group.value.kind()),
                to,
            );
            continue;
        };
        if group.is_empty() {
            source.note(KEY, names, "an empty group, which FAB drops", "");
            continue;
        }
        if group.contains("${") || group == "<<" {
            let what = "a group of a name that no key of ours can have";
            let found = At {
                line: names.line,
                value: Value::None,
            };
            source.lacking(
                KEY,
                &found,
                what,
                "rename it, or give its role by roles.pass",
            );
            continue;
        }
        let listed = match &names.value {
            Value::List(names) => names.as_slice(),
            _ => std::slice::from_ref(names),
        };
        let mut texts = Vec::new();
        for name in listed {
            match &name.value {
                Value::Text(name) => texts.push(name.as_str()),
                other => source.by_hand(KEY, name, &format!("a role that is {}", other.kind()), to),
            }
        }
        written.retain(|(known, _)| known != group);
        written.push((group, document::list(texts)));
    }
    let mut mapping = Map::default();
    for (group, names) in written {
        mapping.put(group, names, "");
    }
    roles.map("mapping", mapping, KEY);
}

/// With the database alone there is nobody to register or map.
pub(super) fn without_directory(source: &mut Source<'_>, auth: AuthType) {
    for key in [
        "AUTH_USER_REGISTRATION",
        "AUTH_USER_REGISTRATION_ROLE",
        "AUTH_ROLES_MAPPING",
        "AUTH_ROLES_SYNC_AT_LOGIN",
        "AUTH_ROLE_PUBLIC",
    ] {
        let Some(at) = source.take(key) else { continue };
        if matches!(at.value.truth(), Some(false)) {
            continue;
        }
        match auth {
            AuthType::Db if key == "AUTH_ROLE_PUBLIC" || key.starts_with("AUTH_USER") => {
                source.note(
                    key,
                    at,
                    "Airflow's own pages have it",
                    "nothing to do: it stays in webserver_config.py",
                );
            }
            AuthType::Db => source.note(
                key,
                at,
                "without a directory or a provider it does nothing",
                "",
            ),
            _ => source.lacking(
                key,
                at,
                "it is for users of a provider",
                "write it at registration or roles of that provider's backend",
            ),
        }
    }
    jmespath(source, auth);
}

fn jmespath(source: &mut Source<'_>, auth: AuthType) {
    const KEY: &str = "AUTH_USER_REGISTRATION_ROLE_JMESPATH";
    let Some(at) = source.take(KEY) else { return };
    match auth {
        _ if at.value.truth() == Some(false) => {}
        AuthType::OAuth | AuthType::Saml => {
            let help = "give roles by groups: roles.mapping, roles.pass";
            source.lacking(KEY, at, "an expression over what a provider tells", help);
        }
        _ => source.note(KEY, at, "FAB reads it for OAuth and SAML only", ""),
    }
}
