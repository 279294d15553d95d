//! Asks the backends, started as for a check: whether they can be reached, and what they know of
//! a user, without his password and without changing anything.

use std::time::Instant;

use countersign_abi::{Code, Failure, Operation, User};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::told::{Answer, Asked, Found, Group, Health, Known, Role, Row, Told};
use crate::accounts::provision::foresee::{Foreseen, Newcomer};
use crate::accounts::store::{Location, Store};
use crate::backends::backend::Backend;
use crate::config::Config;
use crate::token::Tokens;
use crate::token::roles::Explained;

/// Health of each backend; with a name what each one knows of it.
pub(super) async fn probe(config: &Config, tokens: &Tokens, user: Option<&str>) -> Told {
    // Side by side: one that is down takes its time limit.
    let backends = join_all(tokens.registry.iter().map(health)).await;
    let asked = match user {
        Some(name) => Some(ask(config, tokens, name).await),
        None => None,
    };
    Told {
        backends,
        user: asked,
    }
}

async fn health(backend: &Backend) -> Health {
    let begun = Instant::now();
    let called = backend.call(Operation::Health, "", json!({})).await;
    let error = match called {
        // It says nothing of its own health: it was made, and that is all.
        Err(failure) if failure.code == Code::NotSupported => String::new(),
        Err(failure) => words(&failure),
        Ok(_) => String::new(),
    };
    Health {
        backend: backend.id.clone(),
        reachable: error.is_empty(),
        millis: since(begun),
        error,
    }
}

async fn ask(config: &Config, tokens: &Tokens, name: &str) -> Asked {
    let store = match tokens
        .registry
        .iter()
        .any(|backend| backend.settings.provision.is_some())
    {
        true => Store::look(Location::of(config))
            .await
            .map_err(|error| format!("the store: {error}")),
        false => Ok(None),
    };
    let mut backends = Vec::new();
    for backend in tokens.registry.iter() {
        backends.push(answer(tokens, &store, backend, name).await);
    }
    if let Ok(Some(store)) = &store {
        store.close().await;
    }
    Asked {
        name: name.to_owned(),
        backends,
    }
}

async fn answer(
    tokens: &Tokens,
    store: &Result<Option<Store>, String>,
    backend: &Backend,
    name: &str,
) -> Answer {
    let begun = Instant::now();
    let (excluded, conditions) = conditions(backend, name);
    let (found, user) = match excluded {
        true => (Found::NotAsked, None),
        false => look_up(backend, name).await,
    };
    let millis = since(begun);
    let user = match user {
        Some(user) => Some(known(tokens, store, backend, user).await),
        None => None,
    };
    Answer {
        backend: backend.id.clone(),
        millis,
        conditions,
        found,
        user,
    }
}

/// Whether a login of this name would never come to this backend, and what else must hold.
fn conditions(backend: &Backend, name: &str) -> (bool, Vec<String>) {
    let mut told = Vec::new();
    let settings = &backend.settings;
    if !settings.login {
        told.push("login: false, it only keeps rows".to_owned());
    }
    let excludes = !backend.is_for(name);
    if excludes {
        told.push("match.username excludes this name".to_owned());
    }
    if let Some(header) = &settings.matches.header {
        told.push(format!("only requests with the header {header}"));
    }
    if let Some(field) = &settings.matches.body {
        told.push(format!("only bodies with {field}"));
    }
    (excludes || !settings.login, told)
}

async fn look_up(backend: &Backend, name: &str) -> (Found, Option<User>) {
    if !backend.capabilities.lookup {
        return (Found::NotOffered, None);
    }
    let called = backend
        .call(Operation::Lookup, "", json!({ "username": name }))
        .await;
    match called {
        Ok(Value::Null) => (Found::Unknown, None),
        Ok(user) => match User::try_from(user) {
            Ok(user) => (Found::Known, Some(user)),
            Err(failure) => (Found::Failed(words(&failure)), None),
        },
        Err(failure) => {
            let words = words(&failure);
            match failure.code {
                Code::NotSupported => (Found::NotOffered, None),
                Code::Denied => (Found::Refused(words), None),
                _ => (Found::Failed(words), None),
            }
        }
    }
}

async fn known(
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

fn group(explained: &crate::token::roles::Group) -> Group {
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
            "misses the mapping's key \"{key}\" {}",
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
fn roles(explained: &Explained) -> Vec<Role> {
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

/// A failure's words, without what could tear a page.
fn words(failure: &Failure) -> String {
    let text = match failure.detail.is_empty() {
        true => &failure.public,
        false => &failure.detail,
    };
    match text.is_empty() {
        true => "no reason given".to_owned(),
        false => text.clone(),
    }
}

fn since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}
