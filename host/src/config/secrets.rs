//! `{ file: … }` and `{ env: … }` in place of a secret, where the schema says
//! `writeOnly`; and the list of all secrets, for logs to redact.

use serde_json::Value;

use super::interpolate::Variables;
use super::key::KeyPath;
use super::layer::{Mark, Text};
use super::origins::{Origin, Table};
use super::redact;
use super::report::Finding;
use super::shape::{Shape, walk};
use super::textfile;
use super::values::Secret;

/// Puts the secrets in place of the references to them.
pub(super) fn resolve(
    value: &mut Value,
    schema: Shape<'_>,
    marks: &mut Table<Mark>,
    variables: &Variables<'_>,
    cwd: &std::path::Path,
    findings: &mut Vec<Finding>,
) {
    walk(
        value,
        Some(schema),
        &KeyPath::root(),
        &mut |value, shape, key| {
            let Some((kind, name)) = reference(value) else {
                return;
            };
            if !shape.is_some_and(|shape| shape.is_secret() && shape.takes("string")) {
                return; // validation refuses the map, and says why
            }
            let origin = marks
                .nearest(key)
                .map_or(Origin::DEFAULT, |mark| mark.origin.clone());
            let read = match kind {
                Kind::File => {
                    let path = origin.place.folder(cwd).join(&name);
                    textfile::read(&path).map_err(|cause| {
                        (
                            cause,
                            "name a readable text file that holds the secret alone".to_owned(),
                        )
                    })
                }
                Kind::Env => match variables.get(&name) {
                    Ok(Some(text)) if !text.is_empty() => Ok(text),
                    Ok(Some(_)) => Err((
                        format!("the variable {name} is empty"),
                        format!("set {name} or {name}_FILE"),
                    )),
                    Ok(None) => Err((
                        format!("the variable {name} is not set"),
                        format!("set {name} or {name}_FILE"),
                    )),
                    Err(problem) => Err((problem.message, problem.help)),
                },
            };
            match read {
                Ok(text) => {
                    *value = Value::String(text);
                    marks.lay(
                        key.clone(),
                        Mark {
                            origin,
                            text: Text::Fixed,
                        },
                        true,
                    );
                }
                Err((cause, help)) => {
                    let finding = Finding::new(
                        origin.place.clone(),
                        format!("`{key}`: the secret cannot be read"),
                    );
                    findings.push(finding.caused_by(cause).help(help));
                    *value = Value::Null;
                    marks.lay(
                        key.clone(),
                        Mark {
                            origin,
                            text: Text::Broken,
                        },
                        true,
                    );
                }
            }
        },
    );
}

enum Kind {
    File,
    Env,
}

/// Whether a value is a map that names a secret.
pub(super) fn is_reference(value: &Value) -> bool {
    reference(value).is_some()
}

fn reference(value: &Value) -> Option<(Kind, String)> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let (kind, name) = map.iter().next()?;
    let name = name.as_str()?.to_owned();
    match kind.as_str() {
        "file" => Some((Kind::File, name)),
        "env" => Some((Kind::Env, name)),
        _ => None,
    }
}

/// Every secret of one plugin's `config`, by the plugin's own schema.
pub fn secrets_in(config: &Value, schema: &Value) -> Vec<Secret> {
    all(config, Shape::new(schema))
}

/// Every secret of the configuration: the `writeOnly` texts, and the passwords
/// inside URLs.
pub(super) fn all(value: &Value, schema: Shape<'_>) -> Vec<Secret> {
    let mut found = Vec::new();
    walk(
        &mut value.clone(),
        Some(schema),
        &KeyPath::root(),
        &mut |value, shape, _| {
            let Value::String(text) = value else { return };
            if text.is_empty() {
                return;
            }
            if shape.is_some_and(Shape::is_secret) {
                found.push(Secret::from(text.clone()));
            }
            found.extend(
                redact::passwords(text)
                    .into_iter()
                    .map(|password| Secret::from(password.to_owned())),
            );
        },
    );
    found
}
