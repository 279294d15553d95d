//! What is known of each provider beforehand. A key of the configuration goes before it.

mod auth0;
mod authentik;
mod azure;
mod cognito;
mod custom;
mod github;
mod gitlab;
mod google;
mod keycloak;
mod okta;
#[cfg(test)]
mod tests;

use countersign_verify::Algorithm;

use crate::config::{Config, Preset};
use crate::settings::{Endpoints, LogoutBy, Opaque, ToldBy};

/// A key, and what is wrong with its value.
pub(crate) type Wrong = (&'static str, String);

/// One provider. Empty texts are nothing.
pub(crate) struct Known {
    /// Its `iss`.
    pub(crate) issuer: fn(&Config) -> Result<String, Wrong>,
    /// Other values of `iss` that are it, too.
    pub(crate) more_issuers: fn(&str) -> Vec<String>,
    pub(crate) uses_tenant: bool,
    pub(crate) uses_domain: bool,
    pub(crate) algorithms: &'static [Algorithm],
    /// Its tokens are for a client, and for nobody else.
    pub(crate) audience_is_client: bool,
    pub(crate) scopes: &'static [&'static str],
    pub(crate) told_by: ToldBy,
    pub(crate) logout_by: LogoutBy,
    /// How it is asked about a token, where it tells for whom that is.
    pub(crate) introspection: Opaque,
    /// Such tokens are asked about unless the configuration says otherwise.
    pub(crate) opaque: bool,
    /// Endpoints that no document tells.
    pub(crate) fixed: fn(&str, &Config, &mut Endpoints),
    pub(crate) subject: &'static str,
    pub(crate) username: &'static [&'static str],
    pub(crate) email: &'static str,
    pub(crate) first_name: &'static str,
    pub(crate) last_name: &'static str,
    pub(crate) groups: fn(&Config) -> String,
    /// They are asked for at login, and then there even if there are none.
    pub(crate) groups_are_told: bool,
    /// Names of groups are the same in any case.
    pub(crate) fold_groups: bool,
    /// What a token must say besides.
    pub(crate) required: fn(&Config) -> Vec<(String, String)>,
    /// It never says `email_verified`, and its administrators write the addresses.
    pub(crate) vouches: bool,
}

/// What is known of it.
pub(crate) fn known(preset: Preset) -> Known {
    match preset {
        Preset::Custom | Preset::CustomOidc => custom::KNOWN,
        Preset::Google => google::KNOWN,
        Preset::Azure => azure::KNOWN,
        Preset::Okta => okta::KNOWN,
        Preset::Auth0 => auth0::KNOWN,
        Preset::Keycloak => keycloak::KNOWN,
        Preset::Authentik => authentik::KNOWN,
        Preset::Github => github::KNOWN,
        Preset::Gitlab => gitlab::KNOWN,
        Preset::AwsCognito => cognito::KNOWN,
    }
}

/// The issuer as it is written, with an example of what it looks like.
fn written(config: &Config, example: &str) -> Result<String, Wrong> {
    let why = || {
        let why = format!(
            "expected the provider's issuer, found none; it is `issuer` in its discovery document, as in {example}"
        );
        ("issuer", why)
    };
    config.issuer.clone().ok_or_else(why)
}

/// Of a provider whose issuers end in a slash.
fn slashed(issuer: String) -> Result<String, Wrong> {
    match issuer.ends_with('/') {
        true => Ok(issuer),
        false => {
            let why = "expected a slash at its end: tokens of this provider have it, and `iss` is compared to the letter";
            Err(("issuer", why.to_owned()))
        }
    }
}

/// The issuer as it is written, else made of `domain`.
fn of_domain(config: &Config, before: &str, after: &str, example: &str) -> Result<String, Wrong> {
    match (&config.issuer, &config.domain) {
        (Some(_), Some(_)) => Err((
            "domain",
            "`issuer` says the same; keep one of them".to_owned(),
        )),
        (None, Some(domain)) => Ok(format!("{before}{}{after}", host(domain)?)),
        _ => written(config, example),
    }
}

/// A host, without scheme and path.
fn host(domain: &str) -> Result<&str, Wrong> {
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-.:".contains(c);
    if domain.chars().all(is_host) {
        return Ok(domain);
    }
    let why = "expected a host, as in login.example.com, without https:// and path";
    Err(("domain", why.to_owned()))
}
