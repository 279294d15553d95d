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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn told(path: &str, claims: &Value) -> Option<String> {
        let path = Path::parse(path).unwrap();
        missing(&path, claims.as_object().unwrap()).map(str::to_owned)
    }

    #[test]
    fn groups_that_were_left_out_are_noticed() {
        let source = json!({ "src1": { "endpoint": "https://graph.windows.net/T/users/U/getMemberObjects" } });
        for claims in [
            json!({ "_claim_names": { "groups": "src1" }, "_claim_sources": source }),
            json!({ "hasgroups": true }),
            json!({ "hasgroups": "true" }),
            json!({ "groups:src1": "https://graph.windows.net/T/users/U/getMemberObjects" }),
            // A part of them is no better.
            json!({ "_claim_names": { "groups": "src1" }, "groups": [] }),
        ] {
            assert_eq!(
                told("groups", &claims).as_deref(),
                Some("groups"),
                "{claims}"
            );
            assert_eq!(
                told("groups || roles", &claims).as_deref(),
                Some("groups"),
                "{claims}"
            );
            assert_eq!(told("roles", &claims), None, "{claims}");
        }
        for claims in [
            json!({ "groups": ["a"] }),
            json!({ "hasgroups": false }),
            json!({ "groups:srcx": 1 }),
            json!({ "_claim_names": {} }),
            json!({ "_claim_names": "groups" }),
        ] {
            assert_eq!(told("groups", &claims), None, "{claims}");
        }
    }
}
