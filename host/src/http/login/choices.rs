//! The ways to sign in that a page offers.

use crate::backends::Registry;
use crate::backends::backend::Backend;
use crate::http::browser::Browser;
use url::form_urlencoded;

/// A provider to go to.
pub(super) struct Choice {
    pub title: String,
    pub href: String,
}

/// The providers, in the order of the configuration.
pub(super) fn providers(
    registry: &Registry,
    browser: &Browser,
    return_to: Option<&str>,
) -> Vec<Choice> {
    let offered = registry.iter().filter(|backend| is_provider(backend));
    let choice = |backend: &Backend| Choice {
        title: title(backend),
        href: link(
            browser,
            &format!("{}/{}", super::LOGIN, backend.id),
            return_to,
        ),
    };
    offered.map(choice).collect()
}

/// Does anybody take a username and a password?
pub(super) fn has_form(registry: &Registry) -> bool {
    registry.iter().any(takes_passwords)
}

/// Does it lead browsers to a provider?
pub(super) fn is_provider(backend: &Backend) -> bool {
    backend.settings.login && backend.capabilities.browser
}

/// Does it take a username and a password?
pub(super) fn takes_passwords(backend: &Backend) -> bool {
    backend.settings.login && backend.capabilities.password
}

/// What users know a backend as: its title, else its id made readable.
pub(in crate::http) fn title(backend: &Backend) -> String {
    match backend.settings.title.trim() {
        "" => readable(&backend.id),
        title => title.to_owned(),
    }
}

/// A page of ours that passes on where the login leads.
pub(in crate::http) fn link(browser: &Browser, path: &str, return_to: Option<&str>) -> String {
    let path = browser.path(path);
    match return_to {
        None => path,
        Some(place) => {
            let place: String = form_urlencoded::byte_serialize(place.as_bytes()).collect();
            format!("{path}?return_to={place}")
        }
    }
}

/// `company_sso` → `Company SSO`.
fn readable(id: &str) -> String {
    let words = id.split('_').enumerate().map(|(place, word)| match word {
        "sso" | "ldap" | "ad" | "oidc" | "saml" => word.to_uppercase(),
        _ if place > 0 => word.to_owned(),
        _ => {
            let mut letters = word.chars();
            let first = letters.next().map(|first| first.to_ascii_uppercase());
            first.into_iter().chain(letters).collect()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_readable() {
        for (id, title) in [
            ("sso", "SSO"),
            ("company_sso", "Company SSO"),
            ("users", "Users"),
            ("my_ldap_two", "My LDAP two"),
        ] {
            assert_eq!(readable(id), title);
        }
    }
}
