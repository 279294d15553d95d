//! From a user's groups to roles, the same for every plugin (FAB: AUTH_ROLES_MAPPING).
//!
//! What a backend itself grants passes; groups are only keys. The union is sorted
//! and free of duplicates; the default applies only if nothing else did.

use std::collections::BTreeSet;

use countersign_abi::User;

use crate::config::shapes::Roles;

/// The roles of a user under these settings.
pub fn roles_of(user: &User, settings: &Roles) -> Vec<String> {
    let mut roles: BTreeSet<String> = user.roles.iter().cloned().collect();
    for group in &user.groups {
        let mapped = settings.mapping.iter().filter(|(key, _)| same(key, group));
        roles.extend(mapped.flat_map(|(_, mapped)| mapped.iter().cloned()));
        if settings.pass.iter().any(|pattern| glob(pattern, group)) {
            roles.insert(group.clone());
        }
    }
    if roles.is_empty() {
        roles.extend(settings.default.iter().cloned());
    }
    roles.into_iter().collect()
}

/// Exact, except that distinguished names are compared as such (RFC 4514).
fn same(key: &str, group: &str) -> bool {
    key == group || matches!((normal_dn(key), normal_dn(group)), (Some(a), Some(b)) if a == b)
}

/// Lower case, without the blanks around `,` and `=`; none for what is no DN.
fn normal_dn(text: &str) -> Option<String> {
    let parts: Option<Vec<String>> = text
        .split(',')
        .map(|part| {
            part.split_once('=').map(|(name, value)| {
                format!(
                    "{}={}",
                    name.trim().to_lowercase(),
                    value.trim().to_lowercase()
                )
            })
        })
        .collect();
    parts.map(|parts| parts.join(","))
}

/// `*` = any text, `?` = any one character.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    p = at + 1;
                    t = from + 1;
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(roles: &[&str], groups: &[&str]) -> User {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        User {
            roles: owned(roles),
            groups: owned(groups),
            ..User::default()
        }
    }

    fn settings() -> Roles {
        Roles {
            mapping: [
                ("cn=admins,dc=x".to_owned(), vec!["Admin".to_owned()]),
                ("ops".to_owned(), vec!["Op".to_owned(), "Viewer".to_owned()]),
            ]
            .into(),
            pass: vec!["*airflow*".into()],
            default: vec!["Public".into()],
        }
    }

    #[test]
    fn roles_of_the_backend_pass_and_suppress_the_default() {
        assert_eq!(roles_of(&user(&["Admin"], &[]), &settings()), ["Admin"]);
    }

    #[test]
    fn groups_are_keys_and_never_roles_by_themselves() {
        assert_eq!(
            roles_of(&user(&[], &["ops", "Admin"]), &settings()),
            ["Op", "Viewer"]
        );
        assert_eq!(roles_of(&user(&[], &["Admin"]), &settings()), ["Public"]);
    }

    #[test]
    fn groups_that_pass_become_roles() {
        assert_eq!(
            roles_of(&user(&[], &["my-airflow-dev", "other"]), &settings()),
            ["my-airflow-dev"]
        );
    }

    #[test]
    fn distinguished_names_compare_normalised_and_plain_names_exactly() {
        assert_eq!(
            roles_of(&user(&[], &["CN=Admins, DC=x"]), &settings()),
            ["Admin"]
        );
        assert_eq!(roles_of(&user(&[], &["OPS"]), &settings()), ["Public"]);
    }

    #[test]
    fn glob_table() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abb", false),
            ("?", "é", true),
            ("a?", "a", false),
            ("", "a", false),
            ("*a*b*", "xaxxbx", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
