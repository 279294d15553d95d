//! Logins against a real directory: how many, through a slow network, past a server that
//! never answers, and how many searches groups of groups cost.

mod groups;
mod latency;
mod outage;
#[path = "../../../plugins/ldap/tests/ldap/scripted/mod.rs"]
#[allow(clippy::panic, reason = "a server of tests")]
mod scripted;
mod throughput;

use countersign_tests::slapd::Slapd;
use serde_json::{Value, json};

use crate::table::Row;

/// Of every user of [`Slapd::bulk`].
const PASSWORD: &str = "alice-pw";

pub(crate) fn measure() -> Vec<Row> {
    [
        throughput::measure(),
        latency::measure(),
        outage::measure(),
        groups::measure(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The indirect flow, without groups beyond `memberOf`.
fn settings(urls: &[&str]) -> Value {
    let [dn, password] = Slapd::SERVICE;
    json!({ "url": urls, "bind_dn": dn, "bind_password": password, "search": { "base": Slapd::BASE } })
}

/// A backend `corp` in the host's YAML; JSON is YAML, too.
fn host(settings: &Value, more: &str) -> String {
    format!(
        "plugins: {{ directories: [\"{}\"] }}\nkeys: {{ algorithm: EdDSA }}\nbackends:\n  corp: {{ plugin: ldap, concurrency: 512, config: {settings}{more} }}\n",
        countersign_tests::artifacts::built().display()
    )
}
