//! OpenMetadata's blocks at the top of a file, mapped onto our own keys. What
//! has no meaning here is noticed, never silently dropped; a native key that
//! says something else is an error; nothing in them ever disables anything.

mod blocks;
mod flow;
pub mod ingestion;
mod leftover;
mod mapping;
mod people;
mod sso;
mod trust;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::config::key::KeyPath;
use crate::config::layer::Mark;
use crate::config::origins::Table;
use crate::config::report::{Finding, Notice};
use blocks::{BLOCKS, Kind};
use ingestion::Ingestion;
use mapping::{Mapping, auth};

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

/// The schemas of the blocks, by their key.
pub(in crate::config) fn schema() -> Map<String, Value> {
    let block = |kind: Kind| {
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
    pub(in crate::config) ingestion: Vec<Ingestion>,
}

/// Names the backend that the blocks mean, before any of it is known to be right.
pub(in crate::config) fn announce(value: &mut Value, marks: &mut Table<Mark>) {
    sso::announce(value, marks);
}

/// Takes the blocks out of the tree and sets the native keys that they mean.
pub(in crate::config) fn apply(value: &mut Value, marks: &mut Table<Mark>, cwd: &Path) -> Mapped {
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
    mapping.ingestion(cwd);
    mapping.notices();
    mapping.remove_blocks();
    mapping.said
}

impl Mapping<'_> {
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

    fn remove_blocks(&mut self) {
        for (block, _) in BLOCKS {
            if let Value::Object(map) = self.value {
                map.remove(*block);
            }
            self.marks.remove_within(&KeyPath::root().child(*block));
        }
    }
}

#[cfg(test)]
mod tests;
