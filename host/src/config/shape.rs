//! One place in a JSON Schema, with its references resolved: which types it
//! takes, which keys it knows, whether it is a secret. Everything that asks
//! the schema about a key asks here.

use serde_json::Value;

use super::formats;
use super::key::{KeyPath, fold};

/// How many references and alternatives are followed in a row.
const MAX_STEPS: usize = 32;

/// A place in a schema.
#[derive(Clone, Copy)]
pub(super) struct Shape<'a> {
    root: &'a Value,
    node: &'a Value,
}

impl<'a> Shape<'a> {
    /// The schema as a whole.
    pub(super) fn new(root: &'a Value) -> Self {
        Shape { root, node: root }
    }

    /// The places that together describe this one: itself, what it refers to, its alternatives.
    fn parts(self) -> Vec<Shape<'a>> {
        let mut parts = vec![self];
        let mut next = 0;
        while next < parts.len() && parts.len() < MAX_STEPS {
            let part = parts[next];
            next += 1;
            if let Some(pointer) = part
                .node
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|r| r.strip_prefix('#'))
                && let Some(node) = self.root.pointer(pointer)
            {
                parts.push(Shape { node, ..self });
            }
            for word in ["allOf", "oneOf", "anyOf"] {
                let branches = part.node.get(word).and_then(Value::as_array);
                parts.extend(
                    branches
                        .into_iter()
                        .flatten()
                        .map(|node| Shape { node, ..self }),
                );
            }
        }
        parts
    }

    fn word(self, word: &str) -> Option<&'a Value> {
        self.parts()
            .into_iter()
            .find_map(|part| part.node.get(word))
    }

    fn at(self, node: &'a Value) -> Shape<'a> {
        Shape {
            root: self.root,
            node,
        }
    }

    /// The shape of a key in a map or of an item in a list; `None`: not known here.
    pub(super) fn child(self, key: &str) -> Option<Shape<'a>> {
        self.property(key).or_else(|| self.any_key()).or_else(|| {
            let items = self
                .word("items")
                .filter(|_| key.parse::<usize>().is_ok())?;
            Some(self.at(items))
        })
    }

    /// The shape at a path.
    pub(super) fn find(self, key: &KeyPath) -> Option<Shape<'a>> {
        key.segments()
            .iter()
            .try_fold(self, |shape, segment| shape.child(segment))
    }

    /// The shape of a key that the schema names.
    pub(super) fn property(self, key: &str) -> Option<Shape<'a>> {
        let named = |part: Shape<'a>| part.node.get("properties")?.get(key);
        self.parts()
            .into_iter()
            .find_map(named)
            .map(|node| self.at(node))
    }

    /// The shape of keys that the schema does not name, where it allows them.
    pub(super) fn any_key(self) -> Option<Shape<'a>> {
        let additional = |part: Shape<'a>| {
            part.node
                .get("additionalProperties")
                .filter(|node| **node != Value::Bool(false))
        };
        self.parts()
            .into_iter()
            .find_map(additional)
            .map(|node| self.at(node))
    }

    /// Whether any key is taken, because the schema says nothing of keys.
    pub(super) fn is_open(self) -> bool {
        let says = |part: &Shape<'_>| {
            part.node
                .get("properties")
                .or(part.node.get("additionalProperties"))
                .is_some()
        };
        self.takes("object") && !self.parts().iter().any(says)
    }

    /// The shape of a list's items.
    pub(super) fn items(self) -> Option<Shape<'a>> {
        self.word("items").map(|node| self.at(node))
    }

    /// The keys that the schema names, with their shapes.
    pub(super) fn properties(self) -> Vec<(&'a str, Shape<'a>)> {
        let maps = self
            .parts()
            .into_iter()
            .filter_map(|part| part.node.get("properties")?.as_object());
        maps.flatten()
            .map(|(key, node)| (key.as_str(), self.at(node)))
            .collect()
    }

    /// The named key that a variable's name means.
    pub(super) fn folded_property(self, word: &str) -> Option<&'a str> {
        let word = fold(word);
        self.properties()
            .into_iter()
            .map(|(key, _)| key)
            .find(|key| fold(key) == word)
    }

    /// Whether values of this type are taken; a schema without types takes all.
    pub(super) fn takes(self, kind: &str) -> bool {
        let kinds = self.kinds();
        kinds.is_empty()
            || kinds.contains(&kind)
            || (kind == "integer" && kinds.contains(&"number"))
    }

    /// The types that are taken; empty = the schema does not say.
    pub(super) fn kinds(self) -> Vec<&'a str> {
        let mut kinds = Vec::new();
        for part in self.parts() {
            match part.node.get("type") {
                Some(Value::String(kind)) => kinds.push(kind.as_str()),
                Some(Value::Array(several)) => {
                    kinds.extend(several.iter().filter_map(Value::as_str))
                }
                _ => {}
            }
            if part.choices_here().iter().any(|choice| choice.is_string()) {
                kinds.push("string");
            }
        }
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    fn choices_here(self) -> Vec<&'a Value> {
        let listed = self.node.get("enum").and_then(Value::as_array);
        listed
            .into_iter()
            .flatten()
            .chain(self.node.get("const"))
            .collect()
    }

    /// The values that are taken, where the schema lists them.
    pub(super) fn choices(self) -> Vec<String> {
        let all = self.parts().into_iter().flat_map(Shape::choices_here);
        all.filter_map(|choice| choice.as_str().map(str::to_owned))
            .collect()
    }

    /// Whether the value must never be shown.
    pub(super) fn is_secret(self) -> bool {
        self.word("writeOnly") == Some(&Value::Bool(true))
    }

    /// The `format` of a text.
    pub(super) fn format(self) -> Option<&'a str> {
        self.word("format")?.as_str()
    }

    /// The documentation of the key.
    pub(super) fn description(self) -> &'a str {
        self.word("description")
            .and_then(Value::as_str)
            .unwrap_or("")
    }

    /// The default of the key.
    pub(super) fn default(self) -> Option<&'a Value> {
        self.node.get("default").or_else(|| self.word("default"))
    }

    /// Whether a key must be given.
    pub(super) fn requires(self, key: &str) -> bool {
        self.word("required")
            .and_then(Value::as_array)
            .is_some_and(|keys| keys.iter().any(|k| k == key))
    }

    /// The order in which people read the keys, where the schema says one.
    pub(super) fn order(self) -> Vec<&'a str> {
        let order = self.word("x-order").and_then(Value::as_array);
        order
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    /// What is expected here, in words.
    pub(super) fn expected(self) -> String {
        if let Some(words) = self.format().and_then(formats::in_words) {
            return words.into();
        }
        let choices = self.choices();
        if !choices.is_empty() {
            return format!("one of {}", choices.join(", "));
        }
        let words: Vec<&str> = self.kinds().into_iter().filter_map(kind_in_words).collect();
        if words.is_empty() {
            "another value".into()
        } else {
            words.join(" or ")
        }
    }
}

fn kind_in_words(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a map of keys",
        _ => return None,
    })
}

/// The kind of a value, in words; never the value.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number",
        Value::Number(_) => "a whole number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map of keys",
    }
}

/// Visits every value with the shape that the schema gives it, maps and lists
/// before what they hold.
pub(super) fn walk<'a>(
    value: &mut Value,
    shape: Option<Shape<'a>>,
    key: &KeyPath,
    visit: &mut dyn FnMut(&mut Value, Option<Shape<'a>>, &KeyPath),
) {
    visit(value, shape, key);
    match value {
        Value::Object(map) => {
            for (name, child) in map {
                walk(
                    child,
                    shape.and_then(|shape| shape.child(name)),
                    &key.child(name),
                    visit,
                );
            }
        }
        Value::Array(items) => {
            for (i, item) in items.iter_mut().enumerate() {
                walk(
                    item,
                    shape.and_then(Shape::items),
                    &key.child(i.to_string()),
                    visit,
                );
            }
        }
        _ => {}
    }
}
