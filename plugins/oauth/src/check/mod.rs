//! What is wrong with the configuration, all of it at once; what is right becomes [`Settings`].
//! Nobody is asked anything: a provider that is down is no mistake.

mod algorithms;
mod client;
mod mistakes;
mod odd;
mod reading;
#[cfg(test)]
mod tests;
mod url;

use std::time::Duration;

use countersign_sdk::prelude::*;

use crate::config::Config;
use crate::presets::{self, Known};
use crate::settings::{Cache, Endpoints, Settings, ToldBy};
use mistakes::Mistakes;

/// Nobody waits longer for a login.
const LONGEST_REQUEST: Duration = Duration::from_secs(60);

/// Clocks that differ by more are broken.
const MOST_LEEWAY: Duration = Duration::from_secs(300);

/// Within this time a revoked token may go on.
const LONGEST_OPAQUE: Duration = Duration::from_secs(3_600);

/// Within this time a key that the provider withdrew may go on.
const LONGEST_STALE: Duration = Duration::from_secs(7 * 86_400);

/// The settings of a configuration.
///
/// # Errors
/// Every mistake, with its key, what was found and its remedy.
pub(crate) fn settings(mut config: Config) -> Result<Settings> {
    tidy(&mut config);
    let known = presets::known(config.provider);
    let mut wrong = Mistakes::default();
    times(&config, &mut wrong);
    let issuer = issuer(&config, &known, &mut wrong);
    let endpoints = endpoints(&config, &known, issuer.as_deref(), &mut wrong);
    let algorithms = algorithms::algorithms(&config.algorithms, known.algorithms);
    let algorithms = wrong.note("algorithms", algorithms);
    let key = match known.audience_is_client && config.audiences.is_empty() {
        true => "client_id",
        false => "audiences",
    };
    let audiences = wrong.note(key, audiences(&config, &known));
    let reading = reading::reading(&config, &known, &mut wrong);
    let authorities = wrong.note("tls.ca", authorities(&config.tls.ca)).flatten();
    let client = client::client(&mut config, &known, &mut wrong);
    let opaque = client::opaque(&config, client.as_ref(), &known, &mut wrong);
    odd::warn(&config);
    let made = issuer.zip(algorithms).zip(audiences);
    wrong.unless_any(made.map(|((issuer, algorithms), audiences)| Settings {
        more_issuers: (known.more_issuers)(&issuer),
        issuer,
        endpoints,
        audiences,
        algorithms,
        leeway: config.leeway,
        client,
        told_by: known.told_by,
        logout_by: known.logout_by,
        opaque,
        opaque_cache: Some(config.cache.opaque).filter(|time| !time.is_zero()),
        reading,
        authorities,
        plain_http: config.allow_http,
        timeout: config.timeout,
        cache: Cache {
            refetch: config.cache.refetch,
            fresh: config.cache.fresh,
            stale: config.cache.stale,
        },
    }))
}

/// An empty text is the same as none: `"${OIDC_TENANT:-}"`. Only `discovery_url` says something by it.
fn tidy(config: &mut Config) {
    let own = &mut config.endpoints;
    for text in [
        &mut config.issuer,
        &mut config.tenant,
        &mut config.domain,
        &mut config.principal_domain,
        &mut own.jwks,
        &mut own.authorization,
        &mut own.token,
        &mut own.userinfo,
        &mut own.introspection,
        &mut own.end_session,
    ] {
        *text = text.take().filter(|text| !text.trim().is_empty());
    }
}

fn times(config: &Config, wrong: &mut Mistakes) {
    let cache = &config.cache;
    for (key, found, least, most) in [
        ("leeway", config.leeway, Duration::ZERO, MOST_LEEWAY),
        (
            "timeout",
            config.timeout,
            Duration::from_millis(1),
            LONGEST_REQUEST,
        ),
        (
            "cache.refetch",
            cache.refetch,
            Duration::from_millis(1),
            LONGEST_STALE,
        ),
        (
            "cache.fresh",
            cache.fresh,
            cache.refetch.min(LONGEST_STALE),
            LONGEST_STALE,
        ),
        (
            "cache.stale",
            cache.stale,
            cache.fresh.min(LONGEST_STALE),
            LONGEST_STALE,
        ),
        ("cache.opaque", cache.opaque, Duration::ZERO, LONGEST_OPAQUE),
    ] {
        if found < least || found > most {
            let [least, most, found] = [least, most, found].map(humantime::format_duration);
            wrong.add(key, format!("expected {least} to {most}, found {found}"));
        }
    }
}

fn issuer(config: &Config, known: &Known, wrong: &mut Mistakes) -> Option<String> {
    for (key, is_set, is_used) in [
        ("tenant", config.tenant.is_some(), known.uses_tenant),
        ("domain", config.domain.is_some(), known.uses_domain),
    ] {
        if is_set && !is_used {
            wrong.add(
                key,
                "is no key of this `provider`; the issuer says where it is",
            );
        }
    }
    let made = match (known.issuer)(config) {
        Ok(made) => made,
        Err((key, why)) => {
            wrong.add(key, why);
            return None;
        }
    };
    let http = config.allow_http;
    wrong.note("issuer", url::issuer(&made, http)).map(|_| made)
}

fn endpoints(
    config: &Config,
    known: &Known,
    issuer: Option<&str>,
    wrong: &mut Mistakes,
) -> Endpoints {
    let http = config.allow_http;
    let own = &config.endpoints;
    let mut one = |key: &str, text: &Option<String>| {
        let text = text.as_deref()?;
        wrong.note(&format!("endpoints.{key}"), url::endpoint(text, http))
    };
    let mut all = Endpoints {
        discovery: None,
        jwks: one("jwks", &own.jwks),
        authorization: one("authorization", &own.authorization),
        token: one("token", &own.token),
        userinfo: one("userinfo", &own.userinfo),
        introspection: one("introspection", &own.introspection),
        end_session: one("end_session", &own.end_session),
    };
    if let Some(issuer) = issuer {
        (known.fixed)(issuer, config, &mut all);
    }
    if known.told_by == ToldBy::Github {
        return all;
    }
    all.discovery = match (config.discovery_url.as_deref().map(str::trim), issuer) {
        (Some(""), _) => {
            undiscovered(config, &all, wrong);
            None
        }
        (Some(text), _) => wrong.note("discovery_url", url::endpoint(text, http)),
        // The issuer was checked: what is wrong was said of it.
        (None, Some(issuer)) => url::discovery(issuer, http).ok(),
        (None, None) => None,
    };
    all
}

/// What must be written, since nothing is discovered.
fn undiscovered(config: &Config, all: &Endpoints, wrong: &mut Mistakes) {
    let browser = !config.client_id.trim().is_empty();
    for (key, is_needed, is_set) in [
        ("endpoints.jwks", true, all.jwks.is_some()),
        (
            "endpoints.authorization",
            browser,
            all.authorization.is_some(),
        ),
        ("endpoints.token", browser, all.token.is_some()),
    ] {
        if is_needed && !is_set {
            wrong.add(
                key,
                "expected a URL, found none, and `discovery_url` is empty: nothing is discovered",
            );
        }
    }
}

fn audiences(config: &Config, known: &Known) -> Result<Vec<String>, String> {
    let client = config.client_id.trim();
    if config.audiences.is_empty() && known.audience_is_client && !client.is_empty() {
        return Ok(vec![client.to_owned()]);
    }
    if config.audiences.is_empty() && known.audience_is_client {
        return Err(
            "expected this server's name at the provider, found none: the provider's tokens are for one client"
                .to_owned(),
        );
    }
    if config.audiences.is_empty() {
        return Err(
            "expected the values of `aud` that tokens for this server have, found none: without them a token that was \
             issued for any other application would come in; ID tokens have the `client_id`"
                .to_owned(),
        );
    }
    if config
        .audiences
        .iter()
        .any(|audience| audience.trim().is_empty())
    {
        return Err("expected names, found an empty one".to_owned());
    }
    Ok(config.audiences.clone())
}

fn authorities(path: &str) -> Result<Option<Vec<u8>>, String> {
    if path.is_empty() {
        return Ok(None);
    }
    let pem = std::fs::read(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(all) if !all.is_empty() => Ok(Some(pem)),
        _ => Err(format!(
            "expected certificates in PEM (-----BEGIN CERTIFICATE-----), found none in {path}"
        )),
    }
}
