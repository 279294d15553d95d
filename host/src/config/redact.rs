//! Hides what must not be seen: secrets by their schema, passwords in URLs by
//! their place.

use serde_json::Value;

use super::key::KeyPath;
use super::shape::{Shape, walk};

/// What stands in place of a secret.
pub(super) const HIDDEN: &str = "[secret]";

/// Words in the names of URL parameters, and of keys that no schema describes, that hold secrets.
const SECRET_WORDS: [&str; 5] = ["pass", "secret", "token", "pwd", "credential"];

/// A copy with every secret hidden.
pub(super) fn tree(value: &Value, schema: Shape<'_>) -> Value {
    let mut shown = value.clone();
    walk(
        &mut shown,
        Some(schema),
        &KeyPath::root(),
        &mut |value, shape, key| {
            let undescribed = shape.is_none_or(Shape::is_open) && !is_claim(key);
            let named = undescribed && is_secret_word(key.last());
            if shape.is_some_and(Shape::is_secret)
                || (named && !value.is_object() && !value.is_array())
            {
                let empty = value.as_str() == Some("");
                *value = Value::String(if empty { "" } else { HIDDEN }.to_owned());
            } else if let Value::String(text) = value {
                *text = url(text);
            }
        },
    );
    shown
}

/// A text with the passwords of a URL in it hidden.
pub(super) fn url(text: &str) -> String {
    let mut shown = text.to_owned();
    let mut ranges = ranges(text);
    ranges.sort_unstable();
    for (start, end) in ranges.into_iter().rev() {
        shown.replace_range(start..end, HIDDEN);
    }
    shown
}

/// The passwords inside a URL.
pub(super) fn passwords(text: &str) -> Vec<&str> {
    ranges(text)
        .into_iter()
        .map(|(start, end)| &text[start..end])
        .collect()
}

/// Is it a claim of our tokens? Whoever has one reads it, such as OpenMetadata's `tokenType`.
fn is_claim(key: &KeyPath) -> bool {
    let segments: Vec<&str> = key.segments().iter().map(String::as_str).collect();
    matches!(
        segments[..],
        ["tokens", "claims", _] | ["tokens", "audiences", _, "claims", _]
    )
}

fn is_secret_word(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// Byte ranges of `scheme://user:HERE@host/…?password=HERE`.
fn ranges(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let Some(start) = text.find("://").map(|i| i + 3) else {
        return found;
    };
    let query = text.find('?').unwrap_or(text.len());
    // The last @ ends the user part: careless passwords hold @, / and ? themselves.
    let at = text.rfind('@').filter(|at| *at >= start);
    let path = text[start..]
        .find(['/', '?', '#'])
        .map_or(text.len(), |i| start + i);
    let user = at.filter(|at| *at < path || text[start..*at].contains(':'));
    if let Some((at, colon)) = user.and_then(|at| Some((at, start + text[start..at].find(':')?)))
        && colon + 1 < at
    {
        found.push((colon + 1, at));
    }
    let mut offset = query + 1;
    for parameter in text.get(offset..).unwrap_or("").split(['&', ';', '#']) {
        if let Some((name, value)) = parameter.split_once('=')
            && is_secret_word(name)
            && !value.is_empty()
        {
            let from = offset + name.len() + 1;
            let inside = found
                .iter()
                .any(|(start, end)| from >= *start && from < *end);
            if !inside {
                found.push((from, from + value.len()));
            }
        }
        offset += parameter.len() + 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_hidden() {
        let table = [
            ("postgres://u:hunter2@h/db", "postgres://u:[secret]@h/db"),
            ("postgres://u@h/db", "postgres://u@h/db"),
            (
                "mysql+mysqldb://u:p@ss/w@h:1/db?x=1",
                "mysql+mysqldb://u:[secret]@h:1/db?x=1",
            ),
            (
                "postgres://h/db?user=u&password=hunter2&x=1",
                "postgres://h/db?user=u&password=[secret]&x=1",
            ),
            ("sqlite:///var/x.db", "sqlite:///var/x.db"),
            ("not a url: a@b", "not a url: a@b"),
            ("http://127.0.0.1:8090", "http://127.0.0.1:8090"),
        ];
        for (text, expected) in table {
            assert_eq!(url(text), expected);
        }
    }
}
