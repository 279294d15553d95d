//! Values as YAML that reads back as the same values.

use serde_json::Value;

use super::scalar;

/// A value on one line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(inline).collect::<Vec<_>>().join(", ")
        ),
        Value::Object(map) if map.is_empty() => "{}".into(),
        Value::Object(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}: {}", string(key), inline(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// Text, quoted unless it is certainly text without quotes.
pub(super) fn string(text: &str) -> String {
    let simple = text
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    let plain = simple && !text.starts_with(['-', '.', '/']) && scalar::typed(text).is_string();
    if plain {
        text.to_owned()
    } else {
        Value::from(text.replace("${", "$${")).to_string()
    }
}

/// The keys of a map: those of `order` first, then the others.
pub(super) fn ordered<'a>(keys: impl Iterator<Item = &'a str>, order: &[&str]) -> Vec<&'a str> {
    let mut keys: Vec<&str> = keys.collect();
    keys.sort_by_key(|key| {
        order
            .iter()
            .position(|other| other == key)
            .unwrap_or(usize::MAX)
    });
    keys
}
