//! From a user's groups to roles, the same for every plugin (FAB: AUTH_ROLES_MAPPING).
//!
//! What a backend itself grants passes; groups are only keys. The union is sorted
//! and free of duplicates; the default applies only if nothing else did.

mod dn;
mod glob;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_abi::User;

use crate::config::Config;
use crate::config::shapes;
use dn::Dn;
use glob::glob;

/// The rules of every backend.
#[derive(Debug, Default)]
pub struct Roles(BTreeMap<String, Rules>);

/// The rules of one backend; its keys were read once.
#[derive(Debug)]
struct Rules {
    keys: Vec<Key>,
    pass: Vec<String>,
    /// Given to everyone; empty unless the backend registers users (FAB: AUTH_USER_REGISTRATION_ROLE).
    registration: Vec<String>,
    default: Vec<String>,
}

/// A key of the mapping.
#[derive(Debug)]
struct Key {
    text: String,
    dn: Option<Dn>,
    roles: Vec<String>,
    /// Was it said already that a group misses it only by case?
    told: AtomicBool,
}

impl Roles {
    /// The rules of a configuration.
    pub fn new(config: &Config) -> Self {
        let backends = config.backends.iter();
        Roles(
            backends
                .map(|(id, settings)| (id.clone(), Rules::new(settings)))
                .collect(),
        )
    }

    /// The final roles of a user of this backend.
    pub fn of(&self, backend: &str, user: &User) -> Vec<String> {
        let Some(rules) = self.0.get(backend) else {
            return Vec::new();
        };
        let mut roles: BTreeSet<&str> = user.roles.iter().map(String::as_str).collect();
        for group in &user.groups {
            let dn = Dn::parse(group);
            for key in &rules.keys {
                if key.is(group, dn.as_ref()) {
                    roles.extend(key.roles.iter().map(String::as_str));
                } else {
                    key.tell_near_miss(backend, group);
                }
            }
            if rules.pass.iter().any(|pattern| glob(pattern, group)) {
                roles.insert(group);
            }
        }
        roles.extend(rules.registration.iter().map(String::as_str));
        if roles.is_empty() {
            roles.extend(rules.default.iter().map(String::as_str));
        }
        roles.into_iter().map(str::to_owned).collect()
    }
}

impl Rules {
    fn new(settings: &shapes::Backend) -> Self {
        let roles = &settings.roles;
        let keys = roles.mapping.iter().map(|(key, roles)| Key {
            text: key.clone(),
            dn: Dn::parse(key),
            roles: roles.clone(),
            told: AtomicBool::new(false),
        });
        Rules {
            keys: keys.collect(),
            pass: roles.pass.clone(),
            registration: if settings.registration {
                roles.registration.clone()
            } else {
                Vec::new()
            },
            default: roles.default.clone(),
        }
    }
}

impl Key {
    /// Exact, except that distinguished names are compared as such.
    fn is(&self, group: &str, dn: Option<&Dn>) -> bool {
        self.text == group || (dn.is_some() && dn == self.dn.as_ref())
    }

    /// The most common mistake in a mapping, said once for each key.
    fn tell_near_miss(&self, backend: &str, group: &str) {
        if self.text.to_lowercase() == group.to_lowercase()
            && !self.told.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                backend,
                key = self.text,
                group,
                "a group misses this key of roles.mapping only by its case, and is not mapped"
            );
        }
    }
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

    fn rules(registration: bool) -> Roles {
        let mut config = Config::default();
        for backend in config.backends.values_mut() {
            backend.registration = registration;
            backend.roles = shapes::Roles {
                mapping: [
                    ("cn=admins,dc=x".to_owned(), vec!["Admin".to_owned()]),
                    (r"cn=a\2Cb,dc=x".to_owned(), vec!["Comma".to_owned()]),
                    ("ops".to_owned(), vec!["Op".to_owned(), "Viewer".to_owned()]),
                ]
                .into(),
                pass: vec!["*airflow*".into()],
                registration: vec!["Registered".into()],
                default: vec!["Public".into()],
                ..shapes::Roles::default()
            };
        }
        Roles::new(&config)
    }

    fn roles_of(user: &User) -> Vec<String> {
        rules(false).of("users", user)
    }

    #[test]
    fn roles_of_the_backend_pass_and_suppress_the_default() {
        assert_eq!(roles_of(&user(&["Admin"], &[])), ["Admin"]);
    }

    #[test]
    fn groups_are_keys_and_never_roles_by_themselves() {
        assert_eq!(roles_of(&user(&[], &["ops", "Admin"])), ["Op", "Viewer"]);
        assert_eq!(roles_of(&user(&[], &["Admin"])), ["Public"]);
    }

    #[test]
    fn groups_that_pass_become_roles() {
        assert_eq!(
            roles_of(&user(&[], &["my-airflow-dev", "other"])),
            ["my-airflow-dev"]
        );
    }

    #[test]
    fn distinguished_names_compare_normalised_and_plain_names_exactly() {
        assert_eq!(roles_of(&user(&[], &["CN=Admins, DC=x"])), ["Admin"]);
        assert_eq!(roles_of(&user(&[], &[r"CN=A\,B,DC=X"])), ["Comma"]);
        assert_eq!(roles_of(&user(&[], &["OPS"])), ["Public"]);
    }

    #[test]
    fn key_that_is_missed_by_case_is_told_once() {
        let rules = rules(false);
        let told = || {
            rules.0["users"]
                .keys
                .iter()
                .filter(|key| key.told.load(Ordering::Relaxed))
                .count()
        };
        assert_eq!(
            rules.of("users", &user(&[], &["nobody", "cn=Admins,dc=x"])),
            ["Admin"]
        );
        assert_eq!(told(), 0);
        assert_eq!(rules.of("users", &user(&[], &["Ops", "OPS"])), ["Public"]);
        assert_eq!(told(), 1);
    }

    #[test]
    fn roles_of_registration_join_the_others_and_suppress_the_default() {
        let of = |user: &User| rules(true).of("users", user);
        assert_eq!(of(&user(&[], &[])), ["Registered"]);
        assert_eq!(of(&user(&[], &["ops"])), ["Op", "Registered", "Viewer"]);
    }
}
