//! What is read of claims: the configuration before the preset.

use super::Mistakes;
use crate::config::{Config, EmailVerified};
use crate::people::{Believed, Domains, Path, Principal, Reading};
use crate::presets::Known;

/// The compiled `claims`, `required`, `email_domains` and `principal_claims`.
pub(super) fn reading(config: &Config, known: &Known, wrong: &mut Mistakes) -> Reading {
    let own = &config.claims;
    let mut path = |key: &str, written: Option<&str>, preset: Option<String>| {
        let text = match written {
            // Written, but empty: nothing is read.
            Some(text) if text.trim().is_empty() => return None,
            Some(text) => text.to_owned(),
            None => preset?,
        };
        wrong.note(key, Path::parse(&text))
    };
    let text = |known: &str| Some(known.to_owned()).filter(|known| !known.is_empty());
    let subject = path(
        "claims.subject",
        own.subject.as_deref(),
        text(known.subject),
    );
    let email = path("claims.email", own.email.as_deref(), text(known.email));
    let first_name = path(
        "claims.first_name",
        own.first_name.as_deref(),
        text(known.first_name),
    );
    let last_name = path(
        "claims.last_name",
        own.last_name.as_deref(),
        text(known.last_name),
    );
    let groups = path(
        "claims.groups",
        own.groups.as_deref(),
        text(&(known.groups)(config)),
    );
    let names: Vec<&str> = match &own.username {
        Some(written) => written.as_slice().iter().map(String::as_str).collect(),
        None => known.username.to_vec(),
    };
    let username = names
        .into_iter()
        .filter_map(|name| path("claims.username", Some(name), None))
        .collect();
    let mut attributes = Vec::new();
    for (name, text) in &own.attributes {
        let key = format!("claims.attributes.{name}");
        attributes.extend(path(&key, Some(text), None).map(|path| (name.clone(), path)));
    }
    let mut required = Vec::new();
    for (text, values) in &config.required {
        let found = path("required", Some(text), None);
        required.extend(found.map(|path| (path, values.as_slice().to_vec())));
    }
    for (text, value) in (known.required)(config) {
        let found = path("required", Some(&text), None);
        required.extend(found.map(|path| (path, vec![value])));
    }
    let domains = wrong.note("email_domains", Domains::parse(&config.email_domains));
    Reading {
        subject,
        username,
        email,
        first_name,
        last_name,
        groups,
        groups_are_told: known.groups_are_told && config.claims.groups.is_none(),
        fold_groups: known.fold_groups,
        attributes,
        required,
        principal: principal(config, wrong),
        believed: believed(config, known),
        domains: domains.filter(|_| !config.email_domains.is_empty()),
    }
}

fn believed(config: &Config, known: &Known) -> Believed {
    match config.email_verified {
        Some(EmailVerified::Required) => Believed::Required,
        Some(EmailVerified::UnlessFalse) => Believed::UnlessFalse,
        Some(EmailVerified::Ignored) => Believed::Ignored,
        None if config.email_domains.is_empty() || known.vouches => Believed::UnlessFalse,
        None => Believed::Required,
    }
}

fn principal(config: &Config, wrong: &mut Mistakes) -> Option<Principal> {
    let (first, mapped) = (&config.principal_claims, &config.principal_claims_mapping);
    let key = match (first.is_empty(), mapped.is_empty()) {
        (true, true) => return None,
        (false, true) => "principal_claims",
        (_, false) => "principal_claims_mapping",
    };
    for (other, is_set) in [
        ("claims.username", config.claims.username.is_some()),
        ("claims.email", config.claims.email.is_some()),
    ] {
        if is_set {
            let why = format!("`{key}` says the same otherwise; keep one of them");
            wrong.add(other, why);
        }
    }
    if !mapped.is_empty() {
        // As OpenMetadata has it, the mapping goes before the list.
        return wrong.note(key, Principal::mapped(mapped));
    }
    if first.iter().any(|claim| claim.trim().is_empty()) {
        wrong.add(key, "expected names of claims, found an empty one");
    }
    Some(Principal::First {
        claims: first.clone(),
        domain: config
            .principal_domain
            .clone()
            .filter(|domain| !domain.is_empty()),
    })
}
