//! Who a provider's users are: FAB's names of them, the claim of their roles, and the whitelist.
//! Names are as FAB writes them into its table, so that its rows can be found.

use super::provider::{Provider, list};
use super::{Preset, Source};
use crate::config::compat::fab::document::{self, Map};
use crate::config::compat::fab::value::{At, Value};

pub(super) fn convert(
    source: &mut Source<'_>,
    provider: &mut Provider<'_>,
    preset: Preset,
    roles: Option<&At>,
    config: &mut Map,
) {
    let mut claims = Map::default();
    if let Some(expression) = username(preset) {
        claims.put("username", document::text(expression), "as in ab_user");
    }
    match stated(source, provider, roles) {
        Some(claim) => claims.put("groups", document::text(claim), "AUTH_OAUTH_ROLE_KEYS"),
        None => {
            if let Some(claim) = groups(preset) {
                claims.put("groups", claim, "role_keys");
            }
        }
    }
    config.map("claims", claims, "");
    whitelist(source, provider, config);
}

/// FAB's name of a user.
fn username(preset: Preset) -> Option<&'static str> {
    match preset {
        Preset::Github => Some("join('_', ['github', login])"),
        Preset::Google => Some("join('_', ['google', sub])"),
        Preset::Okta => Some("join('_', ['okta', sub])"),
        Preset::Auth0 => Some("join('_', ['auth0', sub])"),
        Preset::Azure => Some("oid"),
        Preset::Authentik => Some("nickname"),
        Preset::Keycloak | Preset::Custom => Some("preferred_username"),
        Preset::Gitlab | Preset::AwsCognito => None,
    }
}

/// FAB's `role_keys`.
fn groups(preset: Preset) -> Option<&'static str> {
    match preset {
        Preset::Azure => Some("roles"),
        Preset::Google | Preset::Github | Preset::Gitlab | Preset::AwsCognito => None,
        _ => Some("groups"),
    }
}

/// AUTH_OAUTH_ROLE_KEYS, by provider.
fn stated<'a>(
    source: &mut Source<'_>,
    provider: &Provider<'_>,
    roles: Option<&'a At>,
) -> Option<&'a str> {
    const KEY: &str = "AUTH_OAUTH_ROLE_KEYS";
    let at = roles?;
    let to = format!("backends.{}.config.claims.groups", provider.id);
    let Value::Dict(pairs) = &at.value else {
        if at.value.truth() != Some(false) {
            source.by_hand(KEY, at, at.value.kind(), &to);
        }
        return None;
    };
    let named = |key: &At| key.value == Value::Text(provider.name.clone());
    let (_, claim) = pairs.iter().rev().find(|(key, _)| named(key))?;
    match &claim.value {
        Value::Text(claim) => Some(claim),
        other => {
            source.by_hand(KEY, claim, other.kind(), &to);
            None
        }
    }
}

/// FAB's patterns hold at the end alone, so that `example\.com` lets notexample.com in, too.
fn whitelist(source: &mut Source<'_>, provider: &mut Provider<'_>, config: &mut Map) {
    let Some(at) = provider.take("whitelist") else {
        return;
    };
    let patterns = match &at.value {
        Value::List(patterns) => patterns.as_slice(),
        other if other.truth() == Some(false) => return,
        _ => std::slice::from_ref(at),
    };
    if patterns.is_empty() {
        return;
    }
    let mut domains = Vec::new();
    for pattern in patterns {
        let domain = match &pattern.value {
            Value::Text(pattern) => domain(pattern),
            _ => None,
        };
        match domain {
            Some(domain) => domains.push(domain),
            None => {
                let help = format!(
                    "write example.com, or *.example.com with all below, at backends.{}.config.email_domains",
                    provider.id
                );
                let what = "a pattern that is more than a domain";
                source.lacking(&provider.key("whitelist"), pattern, what, &help);
            }
        }
    }
    // Without one nobody may come in, rather than everybody.
    if domains.is_empty() {
        let variable = provider.undecided(source, "email_domains", "the domains of a whitelist");
        return config.put("email_domains", variable, "whitelist");
    }
    let texts: Vec<&str> = domains.iter().map(String::as_str).collect();
    config.put(
        "email_domains",
        list(&texts),
        "whitelist; the whole domain, of a verified address",
    );
}

/// `@example.com`, with or without a beginning for any name, backslashes, and an end.
fn domain(pattern: &str) -> Option<String> {
    let rest = pattern.strip_suffix('$').unwrap_or(pattern);
    let (name, domain) = rest.rsplit_once('@')?;
    let name = name.strip_prefix('^').unwrap_or(name);
    if !["", ".*", ".+", "[^@]+", "[^@]*", "\\S+"].contains(&name) {
        return None;
    }
    let domain = domain.replace("\\.", ".").to_ascii_lowercase();
    let label = |label: &str| {
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty() && label.chars().all(letters)
    };
    (domain.contains('.') && domain.split('.').all(label)).then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pattern_that_is_a_domain_is_one() {
        for (pattern, expected) in [
            ("@example.com", Some("example.com")),
            ("@Example\\.com$", Some("example.com")),
            ("^.*@a-b\\.example\\.com$", Some("a-b.example.com")),
            ("[^@]+@example\\.com", Some("example.com")),
            ("example\\.com", None),
            (".*", None),
            ("^ada@example\\.com$", None),
            ("@(a|b)\\.com", None),
            ("@example\\.com|@b", None),
            ("@com", None),
            ("@a..com", None),
            ("@", None),
        ] {
            assert_eq!(domain(pattern).as_deref(), expected, "{pattern}");
        }
    }
}
