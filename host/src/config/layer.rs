//! One source of configuration as a layer: values for figment to merge, and
//! beside them for every key where it was written and its text as written, so
//! that the schema can type what was not certainly text.

use std::path::Path;

use figment::value::{Dict, Map};
use figment::{Error, Figment, Metadata, Profile, Provider};
use serde_json::Value;

use super::interpolate::{Substituted, Variables, interpolate};
use super::key::KeyPath;
use super::origins::{Origin, Origins, Table};
use super::report::Finding;
use super::scalar;
use super::yaml::{Data, Node};

/// How a scalar was written, for the schema to decide what it is.
#[derive(Clone, PartialEq)]
pub(super) enum Text {
    /// Nothing to decide: quoted text, a list or a map.
    Fixed,
    /// An unquoted scalar of a file.
    Plain(String),
    /// A scalar of a file with at least one `${…}`.
    Substituted(Substituted),
    /// The whole text of a variable or flag.
    Override(String),
    /// It could not be read, and was reported.
    Broken,
}

/// What is known of one key.
#[derive(Clone)]
pub(super) struct Mark {
    pub(super) origin: Origin,
    pub(super) text: Text,
}

/// One source.
#[derive(Default)]
pub(super) struct Layer {
    name: String,
    /// What figment merges.
    pub(super) values: Value,
    /// Keys in the order of the source; maps before what they hold.
    pub(super) marks: Vec<(KeyPath, Mark, bool)>,
    /// Keys written without a value: absent, remembered for the errors.
    pub(super) empty: Vec<(KeyPath, Origin)>,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let values = figment::value::Value::serialize(&self.values)?;
        Ok(Profile::Default.collect(values.into_dict().unwrap_or_default()))
    }
}

/// All layers, merged.
pub(super) struct Merged {
    pub(super) value: Value,
    pub(super) marks: Table<Mark>,
    pub(super) empty: Table<Origin>,
}

impl Merged {
    /// Where each value came from, without its text. A key that nobody wrote is a default,
    /// even inside a map that somebody wrote.
    pub(super) fn origins(&self) -> Origins {
        let mut origins = self.marks.map(|mark| mark.origin.clone());
        complete(&self.value, &KeyPath::root(), &mut origins);
        origins
    }
}

/// Lays "default" on every key of a map that has no origin of its own.
pub(super) fn complete(value: &Value, key: &KeyPath, origins: &mut Origins) {
    match value {
        Value::Object(map) => {
            for (name, child) in map {
                let key = key.child(name);
                if origins.get(&key).is_none() {
                    origins.lay(key.clone(), Origin::DEFAULT, false);
                }
                complete(child, &key, origins);
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                complete(item, &key.child(i.to_string()), origins);
            }
        }
        _ => {}
    }
}

impl Layer {
    /// A layer that is filled by hand.
    pub(super) fn named(name: &str) -> Self {
        Layer {
            name: name.to_owned(),
            ..Layer::default()
        }
    }

    /// A file's tree, its scalars substituted.
    pub(super) fn from_tree(
        root: &Node,
        file: &Path,
        variables: &Variables<'_>,
        findings: &mut Vec<Finding>,
    ) -> Self {
        let mut layer = Layer::named(&file.display().to_string());
        layer.values = layer
            .node(root, &KeyPath::root(), variables, findings)
            .unwrap_or_default();
        layer
    }

    /// `None`: the node has no value.
    fn node(
        &mut self,
        node: &Node,
        key: &KeyPath,
        variables: &Variables<'_>,
        findings: &mut Vec<Finding>,
    ) -> Option<Value> {
        let origin = Origin::at(node.place.clone());
        match &node.data {
            Data::Map(entries) => {
                self.mark(key, origin, Text::Fixed, false);
                let mut map = serde_json::Map::new();
                for entry in entries {
                    if let Some(value) =
                        self.node(&entry.value, &key.child(&entry.key), variables, findings)
                    {
                        map.insert(entry.key.clone(), value);
                    }
                }
                Some(Value::Object(map))
            }
            Data::List(items) => {
                self.mark(key, origin, Text::Fixed, true);
                let mut list = Vec::new();
                for item in items {
                    let value = self.node(
                        item,
                        &key.child(list.len().to_string()),
                        variables,
                        findings,
                    );
                    list.extend(value);
                }
                Some(Value::Array(list))
            }
            Data::Scalar { text, quoted } => match interpolate(text, !quoted, variables) {
                Ok(result) => self.scalar(result, *quoted, key, origin),
                Err(problem) => {
                    let message = format!("`{key}`: {}", problem.message);
                    findings.push(Finding::new(node.place.clone(), message).help(problem.help));
                    self.mark(key, origin, Text::Broken, true);
                    Some(Value::Null)
                }
            },
        }
    }

    fn scalar(
        &mut self,
        result: Substituted,
        quoted: bool,
        key: &KeyPath,
        mut origin: Origin,
    ) -> Option<Value> {
        origin.variables.clone_from(&result.variables);
        let substituted = !result.variables.is_empty();
        let value = if quoted || substituted {
            Value::String(result.text.clone())
        } else {
            scalar::typed(&result.text)
        };
        if value.is_null() || (substituted && !quoted && result.text.is_empty()) {
            self.empty.push((key.clone(), origin));
            return None;
        }
        let text = match (substituted, quoted) {
            (true, _) => Text::Substituted(result),
            (false, true) => Text::Fixed,
            (false, false) => Text::Plain(result.text),
        };
        self.mark(key, origin, text, true);
        Some(value)
    }

    /// `replaces`: what earlier layers said under this key is gone.
    fn mark(&mut self, key: &KeyPath, origin: Origin, text: Text, replaces: bool) {
        self.marks
            .push((key.clone(), Mark { origin, text }, replaces));
    }

    /// A layer of single keys over all that lies below: it starts as a copy of it, so that one
    /// item of a list can be set although layers replace lists as a whole.
    pub(super) fn over(name: &str, below: &Value) -> Self {
        Layer {
            name: name.to_owned(),
            values: below.clone(),
            ..Layer::default()
        }
    }

    /// The variables that this layer's `${…}` read.
    pub(super) fn variables(&self) -> impl Iterator<Item = String> {
        let written = self.marks.iter().map(|(_, mark, _)| &mark.origin);
        written
            .chain(self.empty.iter().map(|(_, origin)| origin))
            .flat_map(|origin| origin.variables.clone())
    }

    /// The backends in the order in which this layer names them.
    pub(super) fn backend_ids(&self) -> impl Iterator<Item = String> {
        self.marks
            .iter()
            .filter_map(|(key, ..)| match key.segments() {
                [section, id] if section == "backends" => Some(id.clone()),
                _ => None,
            })
    }

    /// Sets one key from its text.
    pub(super) fn set(&mut self, key: &KeyPath, text: String, origin: Origin) {
        insert(
            &mut self.values,
            key.segments(),
            Value::String(text.clone()),
        );
        self.mark(key, origin, Text::Override(text), true);
    }

    /// Remembers a key that could not be read, so that nothing else is said of it.
    pub(super) fn set_broken(&mut self, key: &KeyPath, origin: Origin) {
        insert(&mut self.values, key.segments(), Value::Null);
        self.mark(key, origin, Text::Broken, true);
    }
}

/// Puts a value at its place; maps on the way are made.
fn insert(target: &mut Value, segments: &[String], value: Value) {
    let Some((segment, rest)) = segments.split_first() else {
        *target = value;
        return;
    };
    if let Value::Array(items) = target {
        let index = segment.parse::<usize>().unwrap_or(usize::MAX);
        if index == items.len() {
            items.push(Value::Null);
        }
        if let Some(item) = items.get_mut(index) {
            insert(item, rest, value);
        }
        return;
    }
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    if let Value::Object(map) = target {
        insert(
            map.entry(segment.clone()).or_insert(Value::Null),
            rest,
            value,
        );
    }
}

/// Lays the layers over each other, the last one on top.
pub(super) fn merge<'a>(layers: impl IntoIterator<Item = &'a Layer>) -> Merged {
    let mut figment = Figment::new();
    let mut marks = Table::default();
    let mut empty = Table::default();
    for layer in layers {
        figment = figment.merge(layer);
        for (key, mark, replaces) in &layer.marks {
            marks.lay(key.clone(), mark.clone(), *replaces);
        }
        for (key, origin) in &layer.empty {
            empty.lay(key.clone(), origin.clone(), true);
        }
    }
    // A tree of JSON values fits a JSON value: there is nothing that extraction could refuse.
    Merged {
        value: figment.extract().unwrap_or_default(),
        marks,
        empty,
    }
}
