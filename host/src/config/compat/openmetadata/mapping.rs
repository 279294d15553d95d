//! The tree while OpenMetadata's blocks are mapped: what is read of them, and what is set by them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Mapped, sso};
use crate::config::key::KeyPath;
use crate::config::layer::{Mark, Text};
use crate::config::origins::{Origin, Place, Table};
use crate::config::report::Finding;

/// The tree while blocks are mapped.
pub(super) struct Mapping<'a> {
    pub(super) value: &'a mut Value,
    pub(super) marks: &'a mut Table<Mark>,
    /// Keys of the blocks that have a meaning here, as they are mapped.
    pub(super) taken: BTreeSet<KeyPath>,
    pub(super) said: Mapped,
}

impl Mapping<'_> {
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
        self.taken.insert(sso::oidc(key));
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

    /// Sets a key of a backend that the block makes, or shares with what is written natively.
    pub(super) fn give(&mut self, from: &KeyPath, to: KeyPath, new: Value) {
        if let Some(found) = self.at(&to) {
            if *found != new {
                self.differ(from, &to);
            }
            return;
        }
        let Some((last, maps)) = to.segments().split_last() else {
            return;
        };
        let mut node = &mut *self.value;
        for name in maps {
            let Value::Object(map) = node else { return };
            node = map
                .entry(name.clone())
                .or_insert_with(|| Value::Object(Map::new()));
        }
        let Value::Object(map) = node else { return };
        map.insert(last.clone(), new);
        let origin = self.origin(from);
        let text = Text::Fixed;
        self.marks.lay(to, Mark { origin, text }, true);
    }
}

pub(super) fn auth(key: &str) -> KeyPath {
    KeyPath::root()
        .child("authenticationConfiguration")
        .child(key)
}
