//! From a user's groups to roles, the same for every plugin (FAB: AUTH_ROLES_MAPPING).
//!
//! What a backend itself grants passes; groups are only keys. The union is sorted
//! and free of duplicates; the default applies only if nothing else did.

mod dn;
mod glob;
mod mapping;

use std::collections::{BTreeMap, BTreeSet};

use countersign_abi::User;

use crate::config::Config;
use crate::config::shapes;
use glob::glob;
use mapping::{Key, Mapping};

pub use mapping::Miss;

/// The rules of every backend.
#[derive(Debug, Default)]
pub struct Roles(BTreeMap<String, Rules>);

/// The rules of one backend, or of another issuer; its keys were read once.
#[derive(Debug)]
pub(super) struct Rules {
    mapping: Mapping,
    pass: Vec<String>,
    /// Given to everyone; empty unless the backend registers users (FAB: AUTH_USER_REGISTRATION_ROLE).
    registration: Vec<String>,
    default: Vec<String>,
}

/// What one group gives.
struct Given<'a> {
    mapped: Vec<&'a Key>,
    passed: Option<&'a str>,
    missed: Option<(&'a Key, Miss)>,
}

/// Where a user's roles come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explained {
    /// Each group, in the plugin's order.
    pub groups: Vec<Group>,
    /// The backend's own, which pass.
    pub own: Vec<String>,
    /// For everyone, while the backend registers users.
    pub registration: Vec<String>,
    /// Since there were no others.
    pub default: Vec<String>,
    /// All together.
    pub roles: Vec<String>,
}

/// What one group gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The group.
    pub group: String,
    /// Keys of the mapping that it is, each with its roles.
    pub mapped: Vec<(String, Vec<String>)>,
    /// The pattern of `roles.pass` that lets it be a role itself.
    pub passed: Option<String>,
    /// The key that it misses narrowly.
    pub missed: Option<(String, Miss)>,
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

    /// The final roles of a user of this backend. A key of the mapping that one of his
    /// groups misses narrowly is told in the log, once.
    pub fn of(&self, backend: &str, user: &User) -> Vec<String> {
        let rules = self.0.get(backend);
        rules
            .map(|rules| rules.of(backend, user))
            .unwrap_or_default()
    }

    /// The same, and where each role comes from.
    pub fn explain(&self, backend: &str, user: &User) -> Explained {
        let Some(rules) = self.0.get(backend) else {
            return Explained::default();
        };
        let groups: Vec<Group> = user
            .groups
            .iter()
            .map(|group| rules.explain(group))
            .collect();
        let alone = user.roles.is_empty()
            && rules.registration.is_empty()
            && groups.iter().all(|group| {
                group.passed.is_none() && group.mapped.iter().all(|(_, roles)| roles.is_empty())
            });
        Explained {
            groups,
            own: user.roles.clone(),
            registration: rules.registration.clone(),
            default: if alone {
                rules.default.clone()
            } else {
                Vec::new()
            },
            roles: self.of(backend, user),
        }
    }
}

impl Rules {
    fn new(settings: &shapes::Backend) -> Self {
        let roles = &settings.roles;
        Rules {
            mapping: Mapping::new(&roles.mapping),
            pass: roles.pass.clone(),
            registration: if settings.registration {
                roles.registration.clone()
            } else {
                Vec::new()
            },
            default: roles.default.clone(),
        }
    }

    /// Those of another issuer.
    pub(super) fn of_trusted(roles: &shapes::TrustRoles) -> Self {
        Rules {
            mapping: Mapping::new(&roles.mapping),
            pass: roles.pass.clone(),
            registration: Vec::new(),
            default: roles.default.clone(),
        }
    }

    /// The final roles of a user; `whose` backend or issuer it is, the log is told.
    pub(super) fn of(&self, whose: &str, user: &User) -> Vec<String> {
        let mut roles: BTreeSet<&str> = user.roles.iter().map(String::as_str).collect();
        for group in &user.groups {
            let given = self.given(group);
            if let Some((key, miss)) = given.missed {
                key.tell(whose, group, miss);
            }
            roles.extend(given.roles(group));
        }
        roles.extend(self.registration.iter().map(String::as_str));
        if roles.is_empty() {
            roles.extend(self.default.iter().map(String::as_str));
        }
        roles.into_iter().map(str::to_owned).collect()
    }

    fn given(&self, group: &str) -> Given<'_> {
        let mapped: Vec<&Key> = self.mapping.of(group).collect();
        let mut patterns = self.pass.iter().map(String::as_str);
        Given {
            missed: match mapped.is_empty() {
                true => self.mapping.missed_by(group),
                false => None,
            },
            mapped,
            passed: patterns.find(|pattern| glob(pattern, group)),
        }
    }

    fn explain(&self, group: &str) -> Group {
        let given = self.given(group);
        let mapped = given.mapped.into_iter();
        Group {
            group: group.to_owned(),
            mapped: mapped
                .map(|key| (key.text.clone(), key.roles.clone()))
                .collect(),
            passed: given.passed.map(str::to_owned),
            missed: given.missed.map(|(key, miss)| (key.text.clone(), miss)),
        }
    }
}

impl<'a> Given<'a> {
    fn roles(&self, group: &'a str) -> impl Iterator<Item = &'a str> {
        let mapped: Vec<&'a str> = self
            .mapped
            .iter()
            .flat_map(|key| key.roles.iter().map(String::as_str))
            .collect();
        mapped.into_iter().chain(self.passed.map(|_| group))
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
    fn key_that_is_missed_narrowly_is_told_once() {
        let rules = rules(false);
        let told = || rules.0["users"].mapping.told();
        assert_eq!(
            rules.of("users", &user(&[], &["nobody", "cn=Admins,dc=x"])),
            ["Admin"]
        );
        assert_eq!(told(), [""; 0]);
        assert_eq!(rules.of("users", &user(&[], &["Ops", "OPS"])), ["Public"]);
        assert_eq!(told(), ["ops"]);
        assert_eq!(rules.of("users", &user(&[], &["Admins"])), ["Public"]);
        assert_eq!(told(), ["cn=admins,dc=x", "ops"]);
    }

    #[test]
    fn other_group_that_begins_as_a_key_does_misses_nothing() {
        let rules = rules(false);
        let elsewhere = user(&[], &["cn=admins,ou=other,dc=y"]);
        assert_eq!(rules.of("users", &elsewhere), ["Public"]);
        assert_eq!(rules.0["users"].mapping.told(), [""; 0]);
    }

    #[test]
    fn group_that_another_key_maps_misses_none() {
        let mut config = Config::default();
        for backend in config.backends.values_mut() {
            let key = |key: &str, role: &str| (key.to_owned(), vec![role.to_owned()]);
            backend.roles.mapping = [key("ops", "Op"), key("Ops", "Viewer")].into();
        }
        let roles = Roles::new(&config);
        assert_eq!(
            roles.of("users", &user(&[], &["Ops", "ops"])),
            ["Op", "Viewer"]
        );
        assert_eq!(roles.0["users"].mapping.told(), [""; 0]);
    }

    #[test]
    fn explanation_names_keys_patterns_and_misses() {
        let groups = [
            "CN=Admins, DC=x",
            "OPS",
            "my-airflow",
            "other",
            "CN=Ops,DC=y",
            " o p s",
        ];
        let explained = rules(false).explain("users", &user(&[], &groups));
        let of = |at: usize| &explained.groups[at];
        assert_eq!(
            of(0).mapped[0],
            ("cn=admins,dc=x".into(), vec!["Admin".into()])
        );
        assert_eq!(of(1).missed, Some(("ops".into(), Miss::Case)));
        assert_eq!(of(2).passed.as_deref(), Some("*airflow*"));
        assert_eq!((&of(3).missed, of(3).mapped.len()), (&None, 0));
        assert_eq!(of(4).missed, Some(("ops".into(), Miss::Part)));
        assert_eq!(of(5).missed, Some(("ops".into(), Miss::Spelling)));
        assert_eq!(explained.roles, ["Admin", "my-airflow"]);
        assert_eq!(explained.default, [""; 0]);
        let nothing = rules(false).explain("users", &user(&[], &["other"]));
        assert_eq!(
            (nothing.default, nothing.roles),
            (vec!["Public".to_owned()], vec!["Public".to_owned()])
        );
    }

    #[test]
    fn roles_of_registration_join_the_others_and_suppress_the_default() {
        let of = |user: &User| rules(true).of("users", user);
        assert_eq!(of(&user(&[], &[])), ["Registered"]);
        assert_eq!(of(&user(&[], &["ops"])), ["Op", "Registered", "Viewer"]);
    }
}
