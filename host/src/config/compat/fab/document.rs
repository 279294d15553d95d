//! YAML with comments: maps that keep their order, the old name of a key beside the new one.

use std::fmt::Write as _;

use super::value::{Default, Env};
use crate::config::emit;

/// A map in the making; empty ones are not written.
#[derive(Debug, Clone, Default)]
pub(super) struct Map(Vec<Entry>);

#[derive(Debug, Clone)]
enum Entry {
    /// A comment on a line of its own.
    Comment(String),
    Value {
        key: String,
        /// Written as YAML.
        value: String,
        comment: String,
    },
    Map {
        key: String,
        map: Map,
        comment: String,
    },
}

impl Map {
    /// A line of comment.
    pub(super) fn comment(&mut self, text: impl Into<String>) {
        self.0.push(Entry::Comment(text.into()));
    }

    /// A value that is YAML already; `comment` may be empty.
    pub(super) fn put(&mut self, key: &str, value: impl Into<String>, comment: &str) {
        self.0.push(Entry::Value {
            key: key.to_owned(),
            value: value.into(),
            comment: comment.to_owned(),
        });
    }

    /// A map inside.
    pub(super) fn map(&mut self, key: &str, map: Map, comment: &str) {
        self.0.push(Entry::Map {
            key: key.to_owned(),
            map,
            comment: comment.to_owned(),
        });
    }

    /// All that another map holds, behind what is here.
    pub(super) fn append(&mut self, other: &Map) {
        self.0.extend(other.0.iter().cloned());
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|entry| match entry {
            Entry::Comment(_) => true,
            Entry::Value { .. } => false,
            Entry::Map { map, .. } => map.is_empty(),
        })
    }

    /// The whole as a document.
    pub(super) fn written(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, 0);
        text
    }

    fn write(&self, text: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        for entry in &self.0 {
            let written = match entry {
                Entry::Comment(comment) => writeln!(text, "{indent}#{}", remark(comment)),
                Entry::Value {
                    key,
                    value,
                    comment,
                } => {
                    let behind = behind(comment);
                    writeln!(text, "{indent}{}: {value}{behind}", key_of(key))
                }
                Entry::Map { map, .. } if map.is_empty() => Ok(()),
                Entry::Map { key, map, comment } => {
                    let written = writeln!(text, "{indent}{}:{}", key_of(key), behind(comment));
                    map.write(text, depth + 1);
                    written
                }
            };
            // Writing into a text does not fail.
            let _ = written;
        }
    }
}

/// A text as a scalar.
pub(super) fn text(text: &str) -> String {
    let written = emit::string(text);
    escaped(&written)
}

/// Texts on one line.
pub(super) fn list<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(text).collect();
    format!("[{}]", texts.join(", "))
}

/// `${X:-default}`; none where the default cannot be written into it.
pub(super) fn variable(env: &Env) -> Option<String> {
    let name = &env.name;
    match &env.default {
        Default::Required => Some(format!("\"${{{name}}}\"")),
        // Without quotes: as if the key were not there.
        Default::Nothing => Some(format!("${{{name}:-}}")),
        Default::Text(default) if default.is_empty() => Some(format!("${{{name}:-}}")),
        Default::Text(default) => {
            let ends = |c: char| "{}$\"'\\".contains(c) || c.is_control();
            (!default.contains(ends)).then(|| format!("\"${{{name}:-{default}}}\""))
        }
    }
}

/// What [`variable`] writes, inside of brackets: there YAML allows no braces without quotes,
/// and a variable that may be absent is one that must be set.
pub(super) fn inside(written: String) -> String {
    match written
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix(":-}"))
    {
        Some(name) => format!("\"${{{name}}}\""),
        None => written,
    }
}

/// Keys are text as they stand: nothing is substituted in them.
fn key_of(key: &str) -> String {
    match text(key) {
        plain if plain == key => plain,
        _ => escaped(&serde_json::Value::from(key).to_string()),
    }
}

/// What JSON leaves as it is and YAML does not print (YAML 1.2.2, section 5.1).
fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c) {
            code @ (0x7f..=0x9f | 0x2028 | 0x2029 | 0xfeff | 0xfffe | 0xffff) => {
                written.push_str(&format!("\\u{code:04x}"));
            }
            _ => written.push(c),
        }
    }
    written
}

fn behind(comment: &str) -> String {
    if comment.is_empty() {
        return String::new();
    }
    format!("  #{}", remark(comment))
}

/// A comment on one line, whatever it quotes.
fn remark(text: &str) -> String {
    let ends = |c: char| c.is_control() || ['\u{2028}', '\u{2029}', '\u{feff}'].contains(&c);
    let line: String = text
        .chars()
        .map(|c| if ends(c) { ' ' } else { c })
        .collect();
    if line.is_empty() {
        line
    } else {
        format!(" {line}")
    }
}
