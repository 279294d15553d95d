//! Tokens of a real provider: how many become ours, under a flood of tokens with unknown keys, while the
//! provider is down, and while it rotates its keys.

pub(crate) mod bare;
mod flood;
mod outage;
mod rotation;
mod throughput;

use std::time::Duration;

use countersign_tests::oidc::Oidc;
use countersign_tests::{Folder, Server, artifacts};
use serde_json::json;

use crate::table::Row;

pub(crate) fn measure() -> Vec<Row> {
    [
        throughput::measure(),
        flood::measure(),
        outage::measure(),
        rotation::measure(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A server whose one backend is this provider; `more` are settings of the plugin, each with a comma before it,
/// and `keys` those of the host.
fn start(folder: &Folder, provider: &Oidc, keys: &str, more: &str) -> Server {
    let config = format!(
        "server: {{ throttle: {{ user: 0, address: 0 }} }}\n\
         plugins: {{ directories: [\"{}\"] }}\n\
         keys: {{ {keys} }}\n\
         backends:\n  sso:\n    plugin: oauth\n    config: {{ provider: keycloak, issuer: \"{}\", audiences: [\"{}\"], algorithms: [RS256], \
         allow_http: true, claims: {{ groups: resource_access.airflow.roles }}{more} }}\n",
        artifacts::built().display(),
        provider.issuer,
        Oidc::AUDIENCE,
    );
    Server::start(folder, &config)
}

/// A token that lives longer than any round.
fn lasting(provider: &Oidc, user: &str) -> String {
    let expires = now() + 86_400;
    provider.forge(&json!({ "user": user, "claims": { "exp": expires } }))
}

fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// Milliseconds.
fn p99(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() * 99 / 100].as_secs_f64() * 1e3
}
