//! AUTH_OAUTH → a backend of the oauth plugin for each of OAUTH_PROVIDERS, before the database's,
//! which answers passwords: people come in by their browsers, or with the provider's tokens.

mod client;
mod issuer;
mod people;
mod provider;

use std::collections::BTreeSet;

use super::{Source, roles};
use crate::config::compat::fab::document::Map;
use crate::config::compat::fab::value::{At, AuthType, Value};
use issuer::Preset;
use provider::Provider;

const KEY: &str = "OAUTH_PROVIDERS";

/// Adds the backends. Is there one?
pub(super) fn convert(source: &mut Source<'_>, backends: &mut Map) -> bool {
    if let Some(at) = source.take("OAUTH_SAVE_TOKEN") {
        let what = "the provider's tokens are kept nowhere";
        source.note("OAUTH_SAVE_TOKEN", at, what, "");
    }
    let groups = source.take("AUTH_OAUTH_ROLE_KEYS");
    let help = "write a backend of the oauth plugin for each";
    let at = source.take(KEY);
    let providers = match at.map(|at| (at, &at.value)) {
        None => [].as_slice(),
        Some((_, Value::List(providers))) => providers.as_slice(),
        Some((at, other)) => {
            source.lacking(KEY, at, other.kind(), help);
            [].as_slice()
        }
    };
    let mut ids = BTreeSet::from(["airflow".to_owned()]);
    let mut common = None;
    for at in providers {
        let Value::Dict(members) = &at.value else {
            source.lacking(KEY, at, at.value.kind(), help);
            continue;
        };
        let mut provider = Provider::new(source, at.line, members);
        let Some(preset) = Preset::named(&provider.name) else {
            let what = format!(
                "the provider \"{}\" speaks no OpenID Connect",
                provider.name
            );
            let help = "put a provider between that does, or write a plugin of your own";
            source.lacking(KEY, at, &what, help);
            continue;
        };
        provider.id = id(&provider.name, &mut ids);
        let common = common.get_or_insert_with(|| registration(source, &provider.id));
        let backend = backend(source, &mut provider, preset, groups, common);
        let path = format!("FAB: /oauth-authorized/{}", provider.name);
        let callback = format!("/callback/{}", provider.id);
        backends.comment(format!(
            "At the provider, register {{server.public_url}}{callback} ({path})."
        ));
        backends.map(&provider.id, backend, "");
        let help = format!(
            "register {{server.public_url}}{callback} at the provider, and set server.public_url"
        );
        source.note(KEY, at, "its users come back to another URL", &help);
    }
    if common.is_none() {
        roles::without_directory(source, AuthType::OAuth);
    }
    common.is_some()
}

fn backend(
    source: &mut Source<'_>,
    provider: &mut Provider<'_>,
    preset: Preset,
    groups: Option<&At>,
    common: &Map,
) -> Map {
    let mut config = Map::default();
    config.put("provider", preset.name(), "");
    issuer::convert(source, provider, preset, &mut config);
    client::convert(source, provider, preset, &mut config);
    people::convert(source, provider, preset, groups, &mut config);
    provider.leftover(source);

    let mut backend = Map::default();
    backend.put("plugin", "oauth", "AUTH_OAUTH");
    backend.map("config", config, "");
    backend.append(common);
    let mut provision = Map::default();
    provision.put("backend", "airflow", "");
    if preset.names_stay() {
        let comment = "rows of FAB's users are theirs: this provider never gives a name twice";
        provision.put("link", "username", comment);
    } else {
        provision.comment("link: username  rows of FAB's users are theirs by name: only if no user can change his own there");
        let at = At {
            line: provider.line,
            value: Value::None,
        };
        let what = format!("rows that FAB made for users of \"{}\"", provider.name);
        let help = format!(
            "if no user can change his name there, set backends.{}.provision.link: username; else such rows are nobody's",
            provider.id
        );
        source.lacking(KEY, &at, &what, &help);
    }
    backend.map("provision", provision, "");
    backend
}

/// What is the same for all providers.
fn registration(source: &mut Source<'_>, id: &str) -> Map {
    let mut common = Map::default();
    roles::convert(source, AuthType::OAuth, id, &mut common);
    common
}

/// A backend's id of a provider's name.
fn id(name: &str, taken: &mut BTreeSet<String>) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let mut id = words.join("_").to_ascii_lowercase();
    let reserved = ["token", "verify"].contains(&id.as_str());
    if reserved || !id.starts_with(|c: char| c.is_ascii_lowercase()) {
        id = format!("sso_{id}").trim_end_matches('_').to_owned();
    }
    let mut unique = id.clone();
    let mut count = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{id}_{count}");
        count += 1;
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_providers_become_ids() {
        let mut taken = BTreeSet::from(["airflow".to_owned()]);
        for (name, expected) in [
            ("keycloak", "keycloak"),
            ("Keycloak", "keycloak_2"),
            ("aws--cognito", "aws_cognito"),
            ("airflow", "airflow_2"),
            ("token", "sso_token"),
            ("1", "sso_1"),
            ("", "sso"),
            ("é", "sso_2"),
        ] {
            assert_eq!(id(name, &mut taken), expected, "{name}");
        }
    }
}
