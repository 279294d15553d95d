//! Settings that nothing took: known ones that stay Airflow's, known ones that have no meaning
//! here, and whatever else the file assigns.

use super::Source;
use crate::config::compat::fab::value::{At, AuthType, Value};

/// Keys that concern Airflow's pages and tables: they stay where they are.
const STAYS: [&str; 12] = [
    "AUTH_ROLE_ADMIN",
    "AUTH_API_LOGIN_ALLOW_MULTIPLE_PROVIDERS",
    "AUTH_DB_FAKE_PASSWORD_HASH_CHECK",
    "FAB_",
    "WTF_",
    "APP_",
    "PERMANENT_SESSION_LIFETIME",
    "SESSION_",
    "LOGOUT_REDIRECT_URL",
    "RECAPTCHA_",
    "BABEL_",
    "LANGUAGES",
];

/// Keys that need a decision, each with what to do. A name's beginning ends with `_`.
const DECIDE: [(&str, &str, &str); 11] = [
    (
        "FAB_SECURITY_MANAGER_CLASS",
        "a class of your own decides who comes in",
        "what it decides belongs into roles, or into a plugin of your own",
    ),
    (
        "SECURITY_MANAGER_CLASS",
        "a class of your own decides who comes in",
        "what it decides belongs into roles, or into a plugin of your own",
    ),
    (
        "CUSTOM_SECURITY_MANAGER",
        "a class of your own decides who comes in",
        "what it decides belongs into roles, or into a plugin of your own",
    ),
    (
        "FAB_ROLES",
        "roles with permissions",
        "they are Airflow's, and stay; the host only names roles",
    ),
    (
        "AUTH_GROUPS_SYNC_AT_LOGIN",
        "groups of FAB's own table",
        "groups give roles here: roles.mapping, roles.pass",
    ),
    (
        "AUTH_AUTO_CREATE_GROUPS",
        "groups of FAB's own table",
        "groups give roles here: roles.mapping, roles.pass",
    ),
    (
        "RATELIMIT_",
        "a setting of Flask-Limiter",
        "each server counts for itself; see server.throttle",
    ),
    (
        "SAML_",
        "settings of AUTH_SAML",
        "there is no plugin for SAML",
    ),
    (
        "AUTH_REMOTE_USER_ENV_VAR",
        "the name of a header or variable",
        "a plugin of yours can read headers of its own",
    ),
    (
        "SQLALCHEMY_DATABASE_URI",
        "the database of the users",
        "it is read from AIRFLOW__DATABASE__SQL_ALCHEMY_CONN; set that, or write backends.airflow.config.url",
    ),
    (
        "SECRET_KEY",
        "the key of Airflow's sessions",
        "it stays where it is; tokens have keys of their own",
    ),
];

/// Says what became of each.
pub(super) fn tell(source: &mut Source<'_>, auth: AuthType) {
    let module = source.module;
    for (key, at) in &module.assigned {
        if source.taken.contains(key) || module.used.contains(key) {
            continue;
        }
        one(source, key, at, auth);
    }
}

fn one(source: &mut Source<'_>, key: &str, at: &At, auth: AuthType) {
    let matches = |name: &str| key == name || (name.ends_with('_') && key.starts_with(name));
    let unread = |prefix: &str, by: AuthType| key.starts_with(prefix) && auth != by;
    if key == "AUTH_USERNAME_CI" {
        if at.value.truth() != Some(true) {
            let what = "names that differ by case alone are one, always";
            source.lacking(
                key,
                at,
                what,
                "rename users whose names differ by case alone",
            );
        }
    } else if key == "AUTH_LDAP_BIND_FIRST" {
        source.note(key, at, "nothing in FAB reads it", "");
    } else if unread("AUTH_LDAP_", AuthType::Ldap) {
        source.note(
            key,
            at,
            "AUTH_TYPE is not AUTH_LDAP: FAB does not read it",
            "",
        );
    } else if unread("OAUTH_", AuthType::OAuth) || unread("AUTH_OAUTH_", AuthType::OAuth) {
        source.note(
            key,
            at,
            "AUTH_TYPE is not AUTH_OAUTH: FAB does not read it",
            "",
        );
    } else if let Some((_, what, help)) = DECIDE.iter().find(|(name, _, _)| matches(name)) {
        match at.value.truth() {
            Some(false) => source.note(key, at, "it is off", ""),
            _ => source.lacking(key, at, what, help),
        }
    } else if STAYS.iter().any(|name| matches(name)) {
        source.note(
            key,
            at,
            "it concerns Airflow's own pages",
            "nothing to do: it stays in webserver_config.py",
        );
    } else if key.starts_with("AUTH_") || key.starts_with("OAUTH_") {
        source.lacking(
            key,
            at,
            "a key that is not known",
            "see what it does, and say so in an issue",
        );
    } else {
        let what = match &at.value {
            Value::Other(other) => {
                format!("{}, which is not a setting of authentication", other.what)
            }
            _ => "not a setting of authentication".to_owned(),
        };
        source.note(key, at, &what, "");
    }
}
