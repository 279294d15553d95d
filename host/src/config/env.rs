//! `COUNTERSIGN_A__B=…` overrides: strict, case-insensitive, each value as text
//! for the schema to type. `…_FILE` reads the value from a file. Variables that
//! only look like overrides are noticed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::interpolate::{Variables, both};
use super::key::{KeyPath, fold, nearest};
use super::layer::Layer;
use super::origins::{Origin, Place};
use super::report::{Finding, Notice};
use super::shape::Shape;

const PREFIX: &str = "COUNTERSIGN_";

/// Reads the overrides of the environment. `below`: what the files say, for
/// the names of map keys and the items of lists.
pub(super) fn overrides(
    environment: &BTreeMap<String, String>,
    variables: &Variables<'_>,
    schema: Shape<'_>,
    below: &Value,
    findings: &mut Vec<Finding>,
) -> Layer {
    let mut layer = Layer::over("environment", below);
    let mut taken: BTreeMap<KeyPath, &str> = BTreeMap::new();
    for (name, value) in environment {
        let Some(words) = override_words(name) else {
            continue;
        };
        let place = Place::Variable(name.clone());
        let (key, by_file) = match resolve(&words, schema, &layer.values) {
            Ok(found) => found,
            Err(unknown) => {
                findings.push(unknown.finding(place));
                continue;
            }
        };
        if value.is_empty() {
            continue; // absent, as an unquoted ${…} that is set but empty
        }
        if let Some(other) = taken.get(&key) {
            let problem = both(other, name);
            findings.push(
                Finding::new(place.clone(), format!("`{key}`: {}", problem.message))
                    .help(problem.help),
            );
            layer.set_broken(&key, Origin::at(place));
            continue;
        }
        taken.insert(key.clone(), name);
        let origin = Origin::at(place.clone());
        match if by_file {
            variables.read(name, value)
        } else {
            Ok(value.clone())
        } {
            Ok(text) => layer.set(&key, text, origin),
            Err(problem) => {
                findings.push(
                    Finding::new(place, format!("`{key}`: {}", problem.message)).help(problem.help),
                );
                layer.set_broken(&key, origin);
            }
        }
    }
    layer
}

/// Reads `key=value` pairs of the command line.
pub(super) fn flags(
    flags: &[(String, String)],
    schema: Shape<'_>,
    below: &Value,
    findings: &mut Vec<Finding>,
) -> Layer {
    let mut layer = Layer::over("command line", below);
    for (key, value) in flags {
        let place = Place::Flag(key.clone());
        let path = KeyPath::parse(key);
        match resolve(path.segments(), schema, &layer.values) {
            Ok((path, _)) => layer.set(&path, value.clone(), Origin::at(place)),
            Err(unknown) => findings.push(unknown.finding(place)),
        }
    }
    layer
}

/// Notices of variables that look like overrides and are none, and of empty ones.
pub(super) fn lookalikes(
    environment: &BTreeMap<String, String>,
    read_by_files: &BTreeSet<String>,
    schema: Shape<'_>,
) -> Vec<Notice> {
    let mut keys = Vec::new();
    leaves(schema, &KeyPath::root(), &mut keys);
    let mut notices = Vec::new();
    for (name, value) in environment {
        let upper = name.to_ascii_uppercase();
        let Some(rest) = upper.strip_prefix(PREFIX) else {
            continue;
        };
        let place = Place::Variable(name.clone());
        if override_words(name).is_some() {
            if value.is_empty() {
                let notice = Notice::new(place, format!("{name} is set but empty, and ignored"));
                notices.push(notice.help(
                    r#"write "" (two quotes) for an empty text, [] for an empty list, or unset it"#,
                ));
            }
            continue;
        }
        if rest == "CONFIG" || read_by_files.contains(name) {
            continue;
        }
        let rest = fold(rest);
        // Names that look like nothing of ours are left alone: Kubernetes sets
        // COUNTERSIGN_SERVICE_HOST and its like for a service of this name.
        let close = |word: &&&str| strsim::damerau_levenshtein(&rest, word) == 1;
        let like = keys.iter().filter(|key| looks_like(&rest, key)).take(3);
        let like: Vec<_> = like
            .map(|key| format!("`{key}` is set by {}", key.variable()))
            .collect();
        let help = match ["state", "config"].iter().find(close) {
            _ if !like.is_empty() => like.join(", "),
            Some(word) => format!("did you mean {PREFIX}{}?", word.to_ascii_uppercase()),
            None => continue,
        };
        notices.push(Notice::new(place, format!("{name} sets nothing")).help(help));
    }
    notices
}

/// `tokens_lifetime`, `tokens_lifetme` and `lifetime` all mean `tokens.lifetime`.
fn looks_like(rest: &str, key: &KeyPath) -> bool {
    let joined = key
        .segments()
        .iter()
        .map(|segment| fold(segment))
        .collect::<Vec<_>>()
        .join("_");
    rest == joined
        || rest.strip_suffix("_file") == Some(&joined)
        || rest == key.last()
        || strsim::damerau_levenshtein(rest, &joined) <= 2 && joined.len() > 6
}

/// The parts of an override's name, in lower case; `None`: not an override.
fn override_words(name: &str) -> Option<Vec<String>> {
    let name = name.to_ascii_lowercase();
    let rest = name.strip_prefix(&PREFIX.to_ascii_lowercase())?;
    let known = rest.contains("__") || rest == "state" || rest == "state_file";
    known.then(|| rest.split("__").map(str::to_owned).collect())
}

/// An override whose name leads nowhere.
struct Unknown {
    /// The key as far as it is known.
    above: KeyPath,
    /// The part that is not.
    word: String,
    /// What is known at this place.
    candidates: Vec<String>,
}

impl Unknown {
    fn finding(self, place: Place) -> Finding {
        let variable = matches!(place, Place::Variable(_));
        let shown = |key: &KeyPath| {
            if variable {
                key.variable()
            } else {
                key.to_string()
            }
        };
        let near = nearest(&self.word, self.candidates.iter().map(String::as_str));
        let help = match near {
            Some(near) => format!("did you mean {}?", shown(&self.above.child(near))),
            None if self.candidates.is_empty() => format!("`{}` holds no further keys", self.above),
            None => format!("known here: {}", self.candidates.join(", ")),
        };
        Finding::new(
            place,
            format!("`{}` is not a known key", self.above.child(&self.word)),
        )
        .help(help)
    }
}

/// Finds the key that the words mean, and whether its value is in a file.
fn resolve(words: &[String], schema: Shape<'_>, below: &Value) -> Result<(KeyPath, bool), Unknown> {
    let mut key = KeyPath::root();
    let mut shape = Some(schema);
    let mut below = Some(below);
    let mut by_file = false;
    for (i, word) in words.iter().enumerate() {
        let last = i + 1 == words.len();
        let found = step(word, shape, below).or_else(|| {
            let stem = word
                .strip_suffix("_file")
                .filter(|stem| last && !stem.is_empty())?;
            by_file = true;
            step(stem, shape, below).or_else(|| free_key(stem, shape))
        });
        let Some(name) = found.or_else(|| free_key(word, shape)) else {
            let candidates = shape.map(|shape| {
                shape
                    .properties()
                    .iter()
                    .map(|(key, _)| key.to_string())
                    .collect()
            });
            return Err(Unknown {
                above: key,
                word: word.clone(),
                candidates: candidates.unwrap_or_default(),
            });
        };
        shape = shape.and_then(|shape| shape.child(&name));
        below = below.and_then(|below| match below {
            Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            other => other.get(&name),
        });
        key = key.child(name);
    }
    Ok((key, by_file))
}

/// A key that the schema or a file names, or an item of a list.
fn step(word: &str, shape: Option<Shape<'_>>, below: Option<&Value>) -> Option<String> {
    if word.is_empty() {
        return None;
    }
    if let Some(name) = shape.and_then(|shape| shape.folded_property(word)) {
        return Some(name.to_owned());
    }
    match below {
        Some(Value::Object(map)) if shape.is_none_or(|shape| shape.any_key().is_some()) => {
            map.keys().find(|key| fold(key) == fold(word)).cloned()
        }
        Some(Value::Array(items)) => {
            let index = word
                .parse::<usize>()
                .ok()
                .filter(|index| *index <= items.len())?;
            Some(index.to_string())
        }
        _ => None,
    }
}

/// A new key of a map.
fn free_key(word: &str, shape: Option<Shape<'_>>) -> Option<String> {
    let free =
        !word.is_empty() && shape.is_none_or(|shape| shape.any_key().is_some() || shape.is_open());
    free.then(|| word.to_owned())
}

/// How deep and how many keys are listed: a plugin's schema may refer to itself.
const MAX_DEPTH: usize = 8;
const MAX_KEYS: usize = 2_000;

/// Every key that holds a value.
pub(super) fn leaves(shape: Shape<'_>, key: &KeyPath, into: &mut Vec<KeyPath>) {
    if into.len() >= MAX_KEYS {
        return;
    }
    let properties = shape.properties();
    if properties.is_empty() || key.segments().len() == MAX_DEPTH {
        into.push(key.clone());
        return;
    }
    for (name, child) in properties {
        leaves(child, &key.child(name), into);
    }
}
