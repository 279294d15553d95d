//! Groups that a token does not hold but points to.
//!
//! Entra ID leaves out the groups of a user who has more than 200 and says so: by
//! `_claim_names` (OpenID Connect Core section 5.6.2), `hasgroups` or `groups:srcN`. Such a
//! user is refused. To go on without groups would take his roles away.

use serde_json::{Map, Value};

use super::Path;

/// Which claim was left out, if the path reads it.
pub(crate) fn missing<'a>(path: &Path, claims: &'a Map<String, Value>) -> Option<&'a str> {
    let distributed = claims.get("_claim_names").and_then(Value::as_object);
    let distributed = distributed
        .into_iter()
        .flat_map(Map::keys)
        .map(String::as_str);
    let sources = claims.keys().filter_map(|key| {
        let (name, source) = key.split_once(':')?;
        let number = source.strip_prefix("src")?;
        (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(name)
    });
    let said = claims.get("hasgroups");
    let has_groups = said
        .filter(|said| **said == Value::Bool(true) || said.as_str() == Some("true"))
        .map(|_| "groups");
    let mut left_out = distributed.chain(sources).chain(has_groups);
    left_out.find(|name| path.reads(name))
}
