//! OpenMetadata's blocks at the top of a file, mapped onto our own keys. What
//! has no meaning here is noticed, never silently dropped; a native key that
//! says something else is an error; nothing in them ever disables anything.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::openmetadata_blocks::BLOCKS;
use super::openmetadata_sso;
use crate::config::key::KeyPath;
use crate::config::layer::{Mark, Text};
use crate::config::origins::{Origin, Place, Table};
use crate::config::report::{Finding, Notice};

/// Block key → native key.
const MAPPED: [(&str, &str); 4] = [
    ("jwtTokenConfiguration.jwtissuer", "tokens.issuer"),
    ("jwtTokenConfiguration.keyId", "keys.kid"),
    (
        "jwtTokenConfiguration.rsaprivateKeyFilePath",
        "keys.private_key",
    ),
    (
        "jwtTokenConfiguration.rsapublicKeyFilePath",
        "keys.public_key",
    ),
];
/// What becomes trust entries.
const TRUST_KEYS: [&str; 5] = [
    "authority",
    "clientId",
    "jwtPrincipalClaims",
    "publicKeyUrls",
    "tokenValidationAlgorithm",
];
/// The schemas of the blocks, by their key.
pub(in crate::config) fn schema() -> Map<String, Value> {
    let block = |kind: super::openmetadata_blocks::Kind| {
        let mut schema = kind.schema();
        schema["description"] = json!(
            "OpenMetadata's block of this name, accepted as it stands and mapped onto native keys."
        );
        schema
    };
    BLOCKS
        .iter()
        .map(|(key, kind)| ((*key).to_owned(), block(*kind)))
        .collect()
}

/// What there is to say about the blocks.
#[derive(Default)]
pub(in crate::config) struct Mapped {
    pub(in crate::config) findings: Vec<Finding>,
    pub(in crate::config) notices: Vec<Notice>,
}

/// Names the backend that the blocks mean, before any of it is known to be right.
pub(in crate::config) fn announce(value: &mut Value, marks: &mut Table<Mark>) {
    openmetadata_sso::announce(value, marks);
}

/// Takes the blocks out of the tree and sets the native keys that they mean.
pub(in crate::config) fn apply(value: &mut Value, marks: &mut Table<Mark>) -> Mapped {
    let mut mapping = Mapping {
        value,
        marks,
        taken: BTreeSet::new(),
        said: Mapped::default(),
    };
    mapping.placeholders();
    for (block, native) in MAPPED {
        let from = KeyPath::parse(block);
        if let Some(text) = mapping.text(&from) {
            mapping.set(&from, &KeyPath::parse(native), Value::String(text));
        }
    }
    mapping.signing_algorithm();
    mapping.trust();
    mapping.sign_on();
    mapping.directory();
    mapping.notices();
    mapping.remove_blocks();
    mapping.said
}

/// The tree while blocks are mapped.
pub(super) struct Mapping<'a> {
    pub(super) value: &'a mut Value,
    pub(super) marks: &'a mut Table<Mark>,
    /// Keys of the blocks that have a meaning here, as they are mapped.
    pub(super) taken: BTreeSet<KeyPath>,
    pub(super) said: Mapped,
}

impl Mapping<'_> {
    /// `[{your SSO public keys URL}]` and the like, left over from the documentation.
    fn placeholders(&mut self) {
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

    /// OpenMetadata signs with the algorithm that it validates with; only RSA works there.
    fn signing_algorithm(&mut self) {
        let from = auth("tokenValidationAlgorithm");
        let signs = self.value.get("jwtTokenConfiguration").is_some();
        if let Some(algorithm) = self
            .text(&from)
            .filter(|name| signs && name.starts_with("RS"))
        {
            self.set(
                &from,
                &KeyPath::parse("keys.algorithm"),
                Value::String(algorithm),
            );
        }
    }

    /// OpenMetadata's LDAP: whom it would let in must come in here by an operator's own words,
    /// since a truststore of Java's and clear text have no counterpart.
    fn directory(&mut self) {
        if self.text(&auth("provider")).as_deref() != Some("ldap") {
            return;
        }
        let backends = self.value.get("backends").and_then(Value::as_object);
        let mut backends = backends.into_iter().flat_map(Map::values);
        if backends.any(|backend| backend["plugin"] == "ldap") {
            return;
        }
        let key = auth("ldapConfiguration");
        let notice = Notice::new(
            self.origin(&key).place,
            format!("`{key}` lets nobody in here: no backend is of the ldap plugin"),
        );
        self.said.notices.push(notice.help(
            "write one, such as config/openmetadata.yaml has in a comment, with the same variables",
        ));
    }

    fn notices(&mut self) {
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

    fn remove_blocks(&mut self) {
        for (block, _) in BLOCKS {
            if let Value::Object(map) = self.value {
                map.remove(*block);
            }
            self.marks.remove_within(&KeyPath::root().child(*block));
        }
    }

    /// Sets a native key; one that says something else is an error.
    pub(super) fn set(&mut self, from: &KeyPath, to: &KeyPath, new: Value) {
        let written = self
            .marks
            .get(to)
            .is_some_and(|mark| mark.origin.place != Place::Default);
        let mut segments = to.segments().iter();
        let Some(slot) = segments.try_fold(&mut *self.value, |value, name| value.get_mut(name))
        else {
            return;
        };
        let written = written && slot.as_str() != Some(""); // that is how a default is spelled out
        if written && *slot != new {
            self.differ(from, to);
        } else if !written {
            *slot = new;
            let origin = self.origin(from);
            self.marks.lay(
                to.clone(),
                Mark {
                    origin,
                    text: Text::Fixed,
                },
                true,
            );
        }
    }

    pub(super) fn differ(&mut self, from: &KeyPath, to: &KeyPath) {
        let finding = Finding::new(
            self.origin(from).place,
            format!("`{from}` and `{to}` say different things"),
        );
        let other = self.origin(to);
        self.said.findings.push(
            finding
                .caused_by(format!("`{to}` is set by {other}"))
                .help("keep one of the two"),
        );
    }

    pub(super) fn at(&self, key: &KeyPath) -> Option<&Value> {
        let mut segments = key.segments().iter();
        segments.try_fold(&*self.value, |value, segment| value.get(segment))
    }

    pub(super) fn text(&self, key: &KeyPath) -> Option<String> {
        let text = self.at(key)?.as_str()?;
        Some(text)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }

    /// Text, a number or a truth value as it was written.
    pub(super) fn scalar(&self, key: &KeyPath) -> Option<String> {
        match self.at(key)? {
            Value::String(_) => self.text(key),
            value @ (Value::Bool(_) | Value::Number(_)) => Some(value.to_string()),
            _ => None,
        }
    }

    /// A truth value; text that is none is an error, since it may be what keeps people out.
    pub(super) fn flag(&mut self, key: &KeyPath) -> Option<bool> {
        match self.scalar(key)?.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => {
                let place = self.origin(key).place;
                let message = format!("`{key}`: expected true or false, found text");
                self.said.findings.push(Finding::new(place, message));
                None
            }
        }
    }

    /// These keys of `authenticationConfiguration` have a meaning.
    pub(super) fn take(&mut self, keys: &[&str]) {
        self.taken.extend(keys.iter().map(|key| auth(key)));
    }

    pub(super) fn take_oidc(&mut self, key: &str) {
        self.taken.insert(openmetadata_sso::oidc(key));
    }

    pub(super) fn list(&self, key: &KeyPath) -> Vec<String> {
        let items = self.at(key).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    }

    pub(super) fn origin(&self, key: &KeyPath) -> Origin {
        self.marks
            .nearest(key)
            .map_or(Origin::DEFAULT, |mark| mark.origin.clone())
    }
}

pub(super) fn auth(key: &str) -> KeyPath {
    KeyPath::root()
        .child("authenticationConfiguration")
        .child(key)
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

#[cfg(test)]
#[path = "openmetadata_tests.rs"]
mod tests;
