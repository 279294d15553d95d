//! Which preset a provider's name means, and who its issuer is. FAB needs no issuer, since it
//! compares none; where the file does not tell one, a variable waits for it.

use super::Source;
use super::provider::Provider;
use crate::config::compat::entra;
use crate::config::compat::fab::document::{self, Map};
use crate::config::compat::fab::value::Value;

/// Where discovery documents are.
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// FAB's names of providers by what they mean here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preset {
    Auth0,
    Authentik,
    AwsCognito,
    Azure,
    Custom,
    Github,
    Gitlab,
    Google,
    Keycloak,
    Okta,
}

impl Preset {
    /// None for those that speak OAuth 1, or an API of their own.
    pub(super) fn named(name: &str) -> Option<Preset> {
        match name.to_ascii_lowercase().as_str() {
            "twitter" | "linkedin" | "openshift" => None,
            "auth0" => Some(Preset::Auth0),
            "authentik" => Some(Preset::Authentik),
            "aws-cognito" | "aws_cognito" | "cognito" => Some(Preset::AwsCognito),
            "azure" => Some(Preset::Azure),
            "github" | "githublocal" => Some(Preset::Github),
            "gitlab" => Some(Preset::Gitlab),
            "google" => Some(Preset::Google),
            "keycloak" | "keycloak_before_17" => Some(Preset::Keycloak),
            "okta" => Some(Preset::Okta),
            _ => Some(Preset::Custom),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Preset::Auth0 => "auth0",
            Preset::Authentik => "authentik",
            Preset::AwsCognito => "aws-cognito",
            Preset::Azure => "azure",
            Preset::Custom => "custom",
            Preset::Github => "github",
            Preset::Gitlab => "gitlab",
            Preset::Google => "google",
            Preset::Keycloak => "keycloak",
            Preset::Okta => "okta",
        }
    }

    /// FAB names the users by what is never changed, nor given to another.
    pub(super) fn names_stay(self) -> bool {
        [Preset::Google, Preset::Azure, Preset::Okta, Preset::Auth0].contains(&self)
    }
}

pub(super) fn convert(
    source: &mut Source<'_>,
    provider: &mut Provider<'_>,
    preset: Preset,
    config: &mut Map,
) {
    match preset {
        Preset::Google => provider.discover(&["server_metadata_url", "issuer", "api_base_url"]),
        Preset::Azure => azure(source, provider, config),
        Preset::Github | Preset::Gitlab => host(source, provider, config),
        _ => other(source, provider, preset, config),
    }
}

/// Entra: a tenant instead of an issuer.
fn azure(source: &mut Source<'_>, provider: &mut Provider<'_>, config: &mut Map) {
    let urls = [
        "server_metadata_url",
        "access_token_url",
        "authorize_url",
        "api_base_url",
    ];
    let found = urls
        .iter()
        .find_map(|url| provider.known(url).and_then(directory));
    let tenant = match provider.app("client_kwargs.tenant_id") {
        Some(at) if matches!(&at.value, Value::Text(text) if !is_guid(text)) => None,
        Some(at) => provider.text(source, "tenant_id", at, "tenant"),
        None => found
            .filter(|(_, tenant)| is_guid(tenant))
            .map(|(_, tenant)| document::text(tenant)),
    };
    let tenant = tenant.unwrap_or_else(|| {
        provider.undecided(
            source,
            "tenant",
            "the id of the directory whose users come in, a GUID",
        )
    });
    config.put("tenant", tenant, "");
    if let Some(host) = found.and_then(|(host, _)| entra::national(host)) {
        config.put("domain", document::text(host), "");
    }
    provider.discover(&["issuer"]);
    provider.discover(&urls);
}

/// `https://login.microsoftonline.com/TENANT/…`: host and tenant.
fn directory(url: &str) -> Option<(&str, &str)> {
    let (_, rest) = url.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let tenant = path.split('/').next()?;
    (host.starts_with("login.") && !tenant.is_empty()).then_some((host, tenant))
}

/// Tokens have the id of a directory, never its name; `common` is nobody's.
fn is_guid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

/// github and gitlab: a host of one's own instead of an issuer.
fn host(source: &mut Source<'_>, provider: &mut Provider<'_>, config: &mut Map) {
    let member = "api_base_url";
    let url = provider.known(member);
    let host = url.and_then(|url| url.split_once("://")?.1.split('/').next());
    match host {
        Some("api.github.com" | "github.com" | "gitlab.com") => {}
        Some(host) if !host.is_empty() => config.put("domain", document::text(host), member),
        _ => {
            let key = provider.key(member);
            if let Some(at) = provider.app(member)
                && at.value != Value::None
            {
                let to = format!(
                    "write its host at backends.{}.config.domain, unless it is the public one",
                    provider.id
                );
                source.lacking(&key, at, at.value.kind(), &to);
            }
        }
    }
    provider.discover(&["api_base_url", "server_metadata_url", "issuer"]);
}

fn other(source: &mut Source<'_>, provider: &mut Provider<'_>, preset: Preset, config: &mut Map) {
    let member = "server_metadata_url";
    let metadata = provider.known(member);
    let stated = ["client_kwargs.issuer", "issuer"]
        .into_iter()
        .find_map(|name| {
            let at = provider.app(name)?;
            provider.text(source, name, at, "issuer")
        });
    let by_metadata = metadata.and_then(|url| url.strip_suffix(WELL_KNOWN));
    let by_base = || {
        provider
            .known("api_base_url")
            .and_then(|url| base(preset, url))
    };
    let issuer = by_metadata.map(str::to_owned).or_else(by_base);
    let issuer = issuer.map(|issuer| document::text(&slashed(preset, &issuer)));
    let issuer = stated.or(issuer).unwrap_or_else(|| {
        let why = "the provider's iss, which FAB compares with nothing";
        provider.undecided(source, "issuer", why)
    });
    config.put("issuer", issuer, "");
    if by_metadata.is_some() {
        provider.discover(&[member]);
    } else if let Some(at) = provider.app(member)
        && let Some(url) = provider.text(source, member, at, "discovery_url")
    {
        config.put("discovery_url", url, member);
    }
    provider.discover(&["api_base_url"]);
}

/// The issuer of a provider whose API is at this URL.
fn base(preset: Preset, url: &str) -> Option<String> {
    let url = url.trim_end_matches('/');
    let (scheme, rest) = url.split_once("://")?;
    let issuer = match preset {
        Preset::Keycloak => rest
            .strip_suffix("/protocol/openid-connect")
            .or_else(|| rest.strip_suffix("/protocol"))?,
        // The organisation's own server, or one of its authorization servers.
        Preset::Okta => {
            let server = rest.strip_suffix("/v1")?;
            server.strip_suffix("/oauth2").unwrap_or(server)
        }
        Preset::Auth0 => rest.split('/').next()?,
        _ => return None,
    };
    Some(format!("{scheme}://{issuer}"))
}

/// These providers' issuers end in a slash.
fn slashed(preset: Preset, issuer: &str) -> String {
    match preset {
        Preset::Auth0 | Preset::Authentik => format!("{}/", issuer.trim_end_matches('/')),
        _ => issuer.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issuer_is_told_by_the_base_of_the_api() {
        for (preset, url, issuer) in [
            (
                Preset::Keycloak,
                "https://k/realms/x/protocol/",
                Some("https://k/realms/x"),
            ),
            (
                Preset::Keycloak,
                "https://k/auth/realms/x/protocol/openid-connect",
                Some("https://k/auth/realms/x"),
            ),
            (Preset::Keycloak, "https://k/", None),
            (
                Preset::Okta,
                "https://o.okta.com/oauth2/v1/",
                Some("https://o.okta.com"),
            ),
            (
                Preset::Okta,
                "https://o.okta.com/oauth2/default/v1/",
                Some("https://o.okta.com/oauth2/default"),
            ),
            (
                Preset::Auth0,
                "https://a.auth0.com",
                Some("https://a.auth0.com/"),
            ),
            (Preset::Custom, "https://c/api", None),
        ] {
            let found = base(preset, url).map(|issuer| slashed(preset, &issuer));
            assert_eq!(found.as_deref(), issuer, "{url}");
        }
    }
}
