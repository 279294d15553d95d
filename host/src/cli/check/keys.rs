//! Fetches the keys of the trusted issuers, as the first of their tokens would: from where, how
//! many can be used, which cannot and why.

use std::collections::BTreeSet;
use std::time::Instant;

use countersign_verify::{Key, KeySet};
use futures_util::future::join_all;
use url::Url;

use super::told::Fetched;
use crate::clock;
use crate::config::{Config, shapes};
use crate::token::Tokens;

/// Each place once, side by side: one that is slow takes its time limit.
pub(super) async fn fetched(config: &Config, tokens: &Tokens) -> Vec<Fetched> {
    let mut seen = BTreeSet::new();
    let each = config.trust.iter();
    let each = each.filter(|entry| seen.insert((&entry.issuer, &entry.jwks_url)));
    join_all(each.map(|entry| fetch(entry, tokens))).await
}

async fn fetch(entry: &shapes::Trust, tokens: &Tokens) -> Fetched {
    let begun = Instant::now();
    let keys = match tokens.trusted.client(&entry.issuer, &entry.jwks_url) {
        Some(client) => {
            let keys = client.keys(None, clock::unix_now()).await;
            keys.map_err(|error| error.to_string())
        }
        // A list that was not read has stopped the check before.
        None => Err("nobody fetches them".to_owned()),
    };
    let mut told = Fetched {
        issuer: entry.issuer.clone(),
        url: place(&entry.jwks_url),
        millis: super::probe::since(begun),
        ..Fetched::default()
    };
    match keys {
        Ok(keys) => judge(&mut told, &keys, entry),
        Err(error) => {
            told.help = remedy(&error);
            told.error = error;
        }
    }
    told
}

fn judge(told: &mut Fetched, keys: &KeySet, entry: &shapes::Trust) {
    let accepted: Vec<_> = entry.algorithms.iter().map(|it| it.verified()).collect();
    let fits = |key: &&Key| key.algorithms().any(|each| accepted.contains(&each));
    told.keys = keys.keys().iter().filter(fits).count();
    let others = keys.keys().iter().filter(|key| !fits(key)).map(|key| {
        let kid = key.kid().unwrap_or_default();
        let algorithms: Vec<_> = key.algorithms().map(|it| it.to_string()).collect();
        let algorithms = algorithms.join(", ");
        format!("key {kid:?} is for {algorithms}, which trust[].algorithms does not name")
    });
    let refused = keys.refused().iter().map(ToString::to_string);
    told.refused = refused.chain(others).collect();
    if told.keys == 0 {
        told.error = "none of the keys can be used".to_owned();
        told.help = "trust[].algorithms names what the issuer signs with";
    }
}

/// Where they are, without what may be a secret.
fn place(url: &str) -> String {
    match url.parse::<Url>() {
        Ok(url) => format!("{}{}", url.origin().ascii_serialization(), url.path()),
        Err(_) => String::new(),
    }
}

/// What to do about a failed fetch, if more can be said than its error does.
fn remedy(error: &str) -> &'static str {
    let is = |part: &str| error.contains(part);
    match () {
        () if is("UnknownIssuer") => {
            "its certificate is of an authority that is not known: name that one's certificates, in PEM, in trust[].tls.ca"
        }
        () if is("not valid for name") => {
            "its certificate is for another name: write trust[].jwks_url with the name that it has"
        }
        () if is("certificate expired") || is("certificate not valid yet") => {
            "have its certificate renewed, or set this host's clock"
        }
        () if is("certificate") => {
            "have its certificate mended; trust[].tls.ca says whom to believe"
        }
        () => "",
    }
}
