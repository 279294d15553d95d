//! What there is to say of a user whom a backend knows: group by group, role by role, his row.

use countersign_abi::User;

use super::told::{Group, Known, Role, Row};
use crate::accounts::provision::foresee::{Foreseen, Newcomer};
use crate::accounts::store::Store;
use crate::backends::backend::Backend;
use crate::token::{Tokens, roles};

/// His groups and roles as a login would find them, and his row.
pub(super) async fn known(
    tokens: &Tokens,
    store: &Result<Option<Store>, String>,
    backend: &Backend,
    mut user: User,
) -> Known {
    let explained = tokens.roles.explain(&backend.id, &user);
    user.roles.clone_from(&explained.roles);
    let row = match &backend.settings.provision {
        Some(settings) => match tokens.registry.get(&settings.backend) {
            Some(target) => {
                let newcomer = Newcomer {
                    backend,
                    target,
                    settings,
                    user: &user,
                };
                Some(row(&newcomer, store).await)
            }
            None => None,
        },
        None => None,
    };
    let name = format!("{} {}", user.first_name, user.last_name);
    Known {
        name: name.trim().to_owned(),
        groups: explained.groups.iter().map(group).collect(),
        roles: roles(&explained),
        row,
        id: user.id,
        username: user.username,
        email: user.email,
    }
}

fn group(explained: &roles::Group) -> Group {
    let mut roles = Vec::new();
    let mut because = Vec::new();
    for (key, given) in &explained.mapped {
        roles.extend(given.iter().cloned());
        let spelt = match *key == explained.group {
            true => "mapping".to_owned(),
            false => format!("mapping, as \"{key}\""),
        };
        because.push(spelt);
    }
    if let Some(pattern) = &explained.passed {
        roles.push(explained.group.clone());
        because.push(format!("pass \"{pattern}\""));
    }
    if let Some((key, miss)) = &explained.missed {
        because.push(format!(
            "misses the mapping's key \"{key}\" {}: write the key as the group is written here",
            miss.told()
        ));
    }
    Group {
        group: explained.group.clone(),
        roles,
        because,
        missed: explained.missed.is_some(),
    }
}

/// Each role once, with all that gives it.
fn roles(explained: &roles::Explained) -> Vec<Role> {
    let from = |role: &String| {
        let groups = || explained.groups.iter();
        let mapped =
            groups().any(|group| group.mapped.iter().any(|(_, given)| given.contains(role)));
        let passed = groups().any(|group| group.passed.is_some() && group.group == *role);
        [
            (explained.own.contains(role), "the backend"),
            (mapped, "mapping"),
            (passed, "pass"),
            (explained.registration.contains(role), "registration"),
            (explained.default.contains(role), "default"),
        ]
        .into_iter()
        .filter_map(|(gives, from)| gives.then_some(from))
        .collect()
    };
    let each = explained.roles.iter();
    each.map(|role| Role {
        role: role.clone(),
        from: from(role),
    })
    .collect()
}

async fn row(newcomer: &Newcomer<'_>, store: &Result<Option<Store>, String>) -> Row {
    let told = |what: String, admitted: bool, roles: Option<Vec<String>>| Row {
        backend: newcomer.target.id.clone(),
        what,
        admitted,
        roles,
    };
    let foreseen = match store {
        Ok(store) => newcomer.foresee(store.as_ref()).await,
        Err(error) => Err(error.clone()),
    };
    let foreseen = match foreseen {
        Ok(foreseen) => foreseen,
        Err(error) => return told(format!("cannot be told: {error}"), false, None),
    };
    let roles = newcomer.roles(&foreseen);
    let (what, admitted) = match foreseen {
        Foreseen::Linked(row) => (
            format!("row {} \"{}\" is his, and active", row.id, row.username),
            true,
        ),
        Foreseen::Adopted {
            row,
            without_password: false,
        } => (
            format!("row {} \"{}\" would become his", row.id, row.username),
            true,
        ),
        Foreseen::Adopted {
            row,
            without_password: true,
        } => {
            let what = format!(
                "row {} \"{}\" would become his, if nobody has a password for it (else 401)",
                row.id, row.username
            );
            (what, true)
        }
        Foreseen::Registered => ("no row yet: one would be made".to_owned(), true),
        Foreseen::Refused(why) => (format!("he would be refused: {why}"), false),
        Foreseen::Unknown => (
            "cannot be told: the plugin offers no look-up".to_owned(),
            true,
        ),
    };
    told(what, admitted, roles)
}
