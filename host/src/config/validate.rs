//! The whole configuration against its JSON Schema, every error at once. The
//! texts are made here, from keys, kinds and the schema: a value is never quoted.

use std::collections::BTreeMap;

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::alternatives::{self, Meant};
use super::formats;
use super::key::{KeyPath, nearest};
use super::layer::{Mark, Merged, Text};
use super::origins::{Origin, Place, Table};
use super::report::Finding;
use super::secrets;
use super::shape::{Shape, kind_of};

/// Compiles a schema; the error is the schema's, never a value's.
pub(super) fn compile(schema: &Value) -> Result<Validator, String> {
    let options = jsonschema::draft202012::options().should_validate_formats(true);
    formats::add(options)
        .build(schema)
        .map_err(|error| error.masked().to_string())
}

/// Every finding of one tree. `partial`: a file could not be read, so that
/// nothing is said of missing keys.
pub(super) fn check(
    merged: &Merged,
    schema: &Value,
    validator: &Validator,
    partial: bool,
) -> Vec<Finding> {
    let check = Check {
        shape: Shape::new(schema),
        merged,
        partial,
    };
    let mut found = BTreeMap::new();
    for error in validator.iter_errors(&merged.value) {
        check.error(&error, &mut found);
    }
    found.into_values().collect()
}

struct Check<'a> {
    shape: Shape<'a>,
    merged: &'a Merged,
    partial: bool,
}

/// One finding for each key: the first error says most.
type Found = BTreeMap<KeyPath, Finding>;

impl Check<'_> {
    fn error(&self, error: &ValidationError<'_>, found: &mut Found) {
        let key = KeyPath::from_pointer(error.instance_path().as_str());
        if is_broken(&self.merged.marks, &key) {
            return;
        }
        match error.kind() {
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                for name in unexpected {
                    let unknown = key.child(name);
                    found
                        .entry(unknown.clone())
                        .or_insert_with(|| self.unknown(&key, name));
                }
            }
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                if !self.partial {
                    found
                        .entry(key.child(name))
                        .or_insert_with(|| self.missing(&key, name));
                }
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                match alternatives::meant(context, &key) {
                    Meant::Branch(branch) => {
                        branch.iter().for_each(|error| self.error(error, found))
                    }
                    Meant::Variant(tag, names) => {
                        found.entry(tag.clone()).or_insert_with(|| {
                            let message = format!(
                                "`{tag}`: expected one of {}, found another",
                                names.join(", ")
                            );
                            Finding::new(self.place(&tag), message)
                        });
                    }
                    Meant::Unclear => self.misfit(&key, error, found),
                }
            }
            _ => self.misfit(&key, error, found),
        }
    }

    fn misfit(&self, key: &KeyPath, error: &ValidationError<'_>, found: &mut Found) {
        found.entry(key.clone()).or_insert_with(|| {
            let origin = self.origin(key);
            let shape = self.shape.find(key);
            let expected = expected(error, shape);
            let message = format!(
                "`{key}`: expected {expected}, found {}",
                kind_of(error.instance())
            );
            let mut finding = Finding::new(origin.place.clone(), message);
            if !origin.variables.is_empty() {
                finding = finding.caused_by(format!(
                    "the value comes from {}",
                    origin.variables.join(", ")
                ));
            }
            finding.maybe_help(self.hint(key, error.instance(), shape))
        });
    }

    fn unknown(&self, above: &KeyPath, name: &str) -> Finding {
        let key = above.child(name);
        let finding = Finding::new(self.place(&key), format!("`{key}` is not a known key"));
        let known: Vec<&str> = self
            .shape
            .find(above)
            .map(Shape::properties)
            .unwrap_or_default()
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        if let Some(near) = nearest(name, known.iter().copied()) {
            return finding.help(format!("did you mean `{}`?", above.child(near)));
        }
        let elsewhere = self
            .shape
            .properties()
            .into_iter()
            .find(|(_, shape)| shape.property(name).is_some());
        match elsewhere {
            Some((section, _)) => finding.help(format!("did you mean `{section}.{name}`?")),
            None => finding.help(format!("known here: {}", known.join(", "))),
        }
    }

    fn missing(&self, above: &KeyPath, name: &str) -> Finding {
        let key = above.child(name);
        let shape = self.shape.find(&key);
        let expected = shape.map_or_else(|| "a value".into(), Shape::expected);
        let empty = self.merged.empty.get(&key);
        let finding = match empty {
            Some(origin) => Finding::new(
                origin.place.clone(),
                format!("`{key}` is empty: expected {expected}"),
            ),
            None => Finding::new(
                self.place(above),
                format!("`{key}` is missing: expected {expected}"),
            ),
        };
        let finding = match empty.filter(|origin| !origin.variables.is_empty()) {
            Some(origin) => finding.caused_by(format!(
                "the value comes from {}",
                origin.variables.join(", ")
            )),
            None => finding,
        };
        let description = shape.map_or("", Shape::description);
        finding.maybe_help(description.lines().next().map(str::to_owned))
    }

    fn hint(&self, key: &KeyPath, found: &Value, shape: Option<Shape<'_>>) -> Option<String> {
        let shape = shape?;
        let by_text = matches!(self.place(key), Place::Variable(_) | Place::Flag(_));
        if secrets::is_reference(found) && shape.takes("string") && !shape.is_secret() {
            return Some(
                "{ file: … } and { env: … } stand for secrets only; write ${NAME} here".into(),
            );
        }
        if found.is_string() && shape.takes("object") && by_text {
            return Some(format!("set its keys one by one: {}__…", key.variable()));
        }
        if found.is_string() && shape.takes("boolean") {
            return Some("write true or false, without quotes".into());
        }
        let digits = found
            .as_str()
            .is_some_and(|text| text.bytes().all(|b| b.is_ascii_digit()));
        if digits
            && shape
                .format()
                .is_some_and(|format| format.starts_with("duration"))
        {
            return Some("a duration needs a unit: s, m, h or d".into());
        }
        let choices = shape.choices();
        let near = nearest(found.as_str()?, choices.iter().map(String::as_str))?;
        Some(format!("did you mean {near}?"))
    }

    fn origin(&self, key: &KeyPath) -> Origin {
        self.merged
            .marks
            .nearest(key)
            .map_or(Origin::DEFAULT, |mark| mark.origin.clone())
    }

    fn place(&self, key: &KeyPath) -> Place {
        self.origin(key).place
    }
}

/// Whether the value of a key was already reported as unreadable.
fn is_broken(marks: &Table<Mark>, key: &KeyPath) -> bool {
    marks
        .nearest(key)
        .is_some_and(|mark| mark.text == Text::Broken)
}

/// What was expected, from the error and the schema.
fn expected(error: &ValidationError<'_>, shape: Option<Shape<'_>>) -> String {
    let plain = shape.map_or_else(|| "another value".into(), Shape::expected);
    match error.kind() {
        Kind::Minimum { limit } => format!("a number of at least {limit}"),
        Kind::Maximum { limit } => format!("a number of at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("a number above {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("a number below {limit}"),
        Kind::MultipleOf { multiple_of } => format!("a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("text of at least {limit} characters"),
        Kind::MaxLength { limit } => format!("text of at most {limit} characters"),
        Kind::MinItems { limit } => format!("a list of at least {limit}"),
        Kind::MaxItems { limit } => format!("a list of at most {limit}"),
        Kind::UniqueItems => "a list without repetitions".into(),
        Kind::Pattern { pattern } if shape.and_then(Shape::format).is_none() => {
            format!("text that matches {pattern}")
        }
        Kind::Format { format } => formats::in_words(format).map_or(plain, str::to_owned),
        Kind::Custom { message, .. } => message.clone(),
        _ => plain,
    }
}
