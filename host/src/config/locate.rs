//! `{state}` and relative paths → absolute ones, so that nothing later depends
//! on where the program was started or which file said it.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::key::KeyPath;
use super::origins::Origins;
use super::shape::{Shape, walk};

/// The state folder, absolute; relative ones start at the working directory.
pub(super) fn state(value: &Value, cwd: &Path) -> PathBuf {
    let said = value
        .get("state")
        .and_then(Value::as_str)
        .unwrap_or(".countersign");
    tidy(&cwd.join(said))
}

/// Makes every path of the configuration absolute.
pub(super) fn apply(
    value: &mut Value,
    schema: Shape<'_>,
    origins: &Origins,
    state: &Path,
    cwd: &Path,
) {
    let folder = state.display().to_string();
    walk(
        value,
        Some(schema),
        &KeyPath::root(),
        &mut |value, shape, key| {
            let Value::String(text) = value else { return };
            if text.is_empty() {
                return;
            }
            let is_path = shape.and_then(Shape::format) == Some("path");
            if is_path || starts_in_state(text) {
                *text = text.replace("{state}", &folder);
            }
            if key.segments() == ["state"] {
                text.clone_from(&folder);
            } else if is_path {
                *text = tidy(&origins.of(key).place.folder(cwd).join(&*text))
                    .display()
                    .to_string();
            }
        },
    );
}

/// A path or URL in the state folder: `{state}/x`, `sqlite://{state}/x`.
fn starts_in_state(text: &str) -> bool {
    let path = text.split_once(':').map_or(text, |(scheme, rest)| {
        let named = scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        if named {
            rest.trim_start_matches('/')
        } else {
            text
        }
    });
    path.starts_with("{state}")
}

/// Drops `.` on the way; `..` stays, since it may lead through a symbolic link.
fn tidy(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| *part != Component::CurDir)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_recognised_at_the_start_of_paths_and_urls_only() {
        for text in [
            "{state}/x",
            "{state}",
            "sqlite://{state}/x",
            "sqlite:{state}/x",
            "sqlite:///{state}/x",
        ] {
            assert!(starts_in_state(text), "{text}");
        }
        for text in ["(&(st={state}))", "x/{state}", "a b:{state}"] {
            assert!(!starts_in_state(text), "{text}");
        }
    }
}
