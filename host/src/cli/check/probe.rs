//! Asks the backends, started as for a check: whether they can be reached, and what they know of
//! a user, without his password and without changing anything. Beside it [`keys`] are fetched.

use std::time::Instant;

use countersign_abi::{Code, Failure, Operation, User};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use super::keys;
use super::known::known;
use super::told::{Answer, Asked, Found, Health, Told};
use crate::accounts::store::{Location, Store};
use crate::backends::backend::Backend;
use crate::config::Config;
use crate::token::Tokens;

/// Health of each backend, keys of each trusted issuer; with a name what each backend knows of it.
pub(super) async fn probe(config: &Config, tokens: &Tokens, user: Option<&str>) -> Told {
    // Side by side: one that is down takes its time limit.
    let backends = join_all(tokens.registry.iter().map(health));
    let (backends, trust) = join(backends, keys::fetched(config, tokens)).await;
    let asked = match user {
        Some(name) => Some(ask(config, tokens, name).await),
        None => None,
    };
    Told {
        backends,
        trust,
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
    let each = tokens.registry.iter();
    let backends = join_all(each.map(|backend| answer(tokens, &store, backend, name))).await;
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
    let found = match user.as_ref().and_then(inactive) {
        Some(why) => Found::Refused(why),
        None => found,
    };
    let millis = since(begun);
    let user = match user {
        Some(user) => {
            let mut known = known(tokens, store, backend, user).await;
            // Who is refused comes to no row.
            known.row = known.row.filter(|_| found == Found::Known);
            Some(known)
        }
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

/// Why a user who was found may not come in, if he may not: a directory still tells his groups.
fn inactive(user: &User) -> Option<String> {
    let told: Value = serde_json::from_str(&user.attributes_json).ok()?;
    let why = told.get("inactive").and_then(Value::as_str);
    why.filter(|_| told["active"] == false).map(str::to_owned)
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

pub(super) fn since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}
