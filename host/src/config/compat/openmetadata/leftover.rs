//! What there is to say of the blocks: placeholders that were left in them, and keys of no meaning here.

use serde_json::Value;

use super::blocks::BLOCKS;
use super::mapping::Mapping;
use crate::config::key::KeyPath;
use crate::config::report::{Finding, Notice};

/// What becomes trust entries.
const TRUST_KEYS: [&str; 5] = [
    "authority",
    "clientId",
    "jwtPrincipalClaims",
    "publicKeyUrls",
    "tokenValidationAlgorithm",
];

impl Mapping<'_> {
    /// `[{your SSO public keys URL}]` and the like, left over from the documentation.
    pub(super) fn placeholders(&mut self) {
        let mut found = Vec::new();
        for (block, _) in BLOCKS {
            if let Some(tree) = self.value.get(*block) {
                collect_placeholders(tree, &KeyPath::root().child(*block), &mut found);
            }
        }
        for key in found {
            let origin = self.origin(&key);
            let finding = Finding::new(
                origin.place.clone(),
                format!("`{key}` holds placeholder text of the documentation"),
            );
            let help = match origin.variables.first() {
                Some(name) => format!("set {name}, or write the real value in its place"),
                None => "write the real value in its place".into(),
            };
            self.said.findings.push(finding.help(help));
        }
    }

    pub(super) fn notices(&mut self) {
        for (block, _) in BLOCKS {
            let Some(Value::Object(tree)) = self.value.get(*block) else {
                continue;
            };
            let key = KeyPath::root().child(*block);
            let ignored: Vec<String> = tree
                .keys()
                .filter(|name| !is_used(block, name) && !self.taken.contains(&key.child(*name)))
                .cloned()
                .collect();
            let place = self.origin(&key).place;
            if !ignored.is_empty() {
                let message = format!(
                    "`{block}`: these keys have no meaning here: {}",
                    ignored.join(", ")
                );
                let help = match *block {
                    "authenticationConfiguration" => {
                        "who may log in is decided by backends; see `backends` and `trust`"
                    }
                    "authorizerConfiguration" => {
                        "roles come from backends; see `backends.<id>.roles`"
                    }
                    _ => "the services themselves go on reading them from their own files",
                };
                self.said
                    .notices
                    .push(Notice::new(place, message).help(help));
            }
            for path in [
                "provider",
                "authProvider",
                "openMetadataServerConfig.authProvider",
            ] {
                let key = path
                    .split('.')
                    .fold(key.clone(), |key, segment| key.child(segment));
                if self.text(&key).as_deref() == Some("no-auth") {
                    let notice = Notice::new(
                        self.origin(&key).place,
                        format!("`{key}`: no-auth does not disable anything here"),
                    );
                    self.said
                        .notices
                        .push(notice.help("every token is still asked for and checked"));
                }
            }
        }
    }
}

fn is_used(block: &str, name: &str) -> bool {
    match block {
        "jwtTokenConfiguration" => true,
        "authenticationConfiguration" => TRUST_KEYS.contains(&name),
        _ => false,
    }
}

pub(super) fn is_placeholder(text: &str) -> bool {
    text.starts_with('{') && text.ends_with('}') && text.contains(' ')
}

fn collect_placeholders(tree: &Value, key: &KeyPath, found: &mut Vec<KeyPath>) {
    match tree {
        Value::String(text) if is_placeholder(text) => found.push(key.clone()),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                collect_placeholders(item, &key.child(i.to_string()), found);
            }
        }
        Value::Object(map) => map
            .iter()
            .for_each(|(name, item)| collect_placeholders(item, &key.child(name), found)),
        _ => {}
    }
}
