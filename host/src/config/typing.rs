//! Text → what the key's schema says it is. A `${…}` from end to end and a
//! variable's text have no type of their own; a plain `0123` at a text key
//! stays text. Nothing is ever read as YAML here; what does not fit stays text,
//! and validation says what was expected.

use serde_json::Value;

use super::key::KeyPath;
use super::layer::{Mark, Text};
use super::origins::Table;
use super::shape::{Shape, walk};

/// Types every value of the tree.
pub(super) fn apply(value: &mut Value, schema: Shape<'_>, marks: &Table<Mark>) {
    walk(
        value,
        Some(schema),
        &KeyPath::root(),
        &mut |value, shape, key| {
            let (Some(shape), Some(mark)) = (shape, marks.get(key)) else {
                return;
            };
            match &mark.text {
                Text::Fixed | Text::Broken => {}
                Text::Plain(text) => {
                    let kind = if value.is_boolean() {
                        "boolean"
                    } else {
                        "number"
                    };
                    let whole = if value.is_i64() || value.is_u64() {
                        "integer"
                    } else {
                        kind
                    };
                    if !value.is_string()
                        && shape.takes("string")
                        && !shape.takes(kind)
                        && !shape.takes(whole)
                    {
                        *value = Value::String(text.clone());
                    }
                }
                Text::Substituted(result) if result.whole => *value = typed(&result.text, shape),
                Text::Substituted(result) => {
                    if let Some(typed) = simple(&result.text, shape) {
                        *value = typed;
                    }
                }
                // A variable's text is kept to the letter; `""` is the one way to say "empty".
                Text::Override(text) if text == "\"\"" => *value = typed(text, shape),
                Text::Override(text) if shape.takes("string") => {
                    *value = Value::String(text.clone())
                }
                Text::Override(text) => *value = typed(text, shape),
            }
        },
    );
}

/// A whole text by its schema.
fn typed(text: &str, shape: Shape<'_>) -> Value {
    if shape.takes("string") {
        return Value::String(unquoted(text).to_owned());
    }
    if shape.takes("array") && !shape.takes("object") {
        let items = list(text).into_iter();
        let item = |text: String| match shape.items() {
            Some(items) => typed(&text, items),
            None => Value::String(text),
        };
        return Value::Array(items.map(item).collect());
    }
    simple(unquoted(text.trim()), shape).unwrap_or_else(|| Value::String(text.to_owned()))
}

/// A number or a truth value, where the schema takes no text.
fn simple(text: &str, shape: Shape<'_>) -> Option<Value> {
    let text = text.trim();
    if shape.takes("string") {
        return None;
    }
    if shape.takes("boolean") {
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => return Some(Value::Bool(true)),
            "false" | "no" | "off" | "0" => return Some(Value::Bool(false)),
            _ => {}
        }
    }
    if shape.takes("integer") {
        if let Ok(number) = text.parse::<i64>() {
            return Some(number.into());
        }
        if let Ok(number) = text.parse::<u64>() {
            return Some(number.into());
        }
    }
    let number = text
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite() && shape.takes("number"))?;
    Some(number.into())
}

/// The text within one pair of quotes, or the text as it is.
fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        let inner = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner.filter(|inner| !inner.contains(quote)) {
            return inner;
        }
    }
    text
}

/// `[a,b]`, `a,b` and `["a","b"]` are the same list; a comma in quotes is text.
fn list(text: &str) -> Vec<String> {
    let text = text.trim();
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    if inner.trim().is_empty() {
        return Vec::new();
    }
    let mut items = vec![String::new()];
    let mut quote = None;
    for c in inner.chars() {
        match quote {
            None if c == ',' => {
                items.push(String::new());
                continue;
            }
            None if c == '"' || c == '\'' => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
        if let Some(item) = items.last_mut() {
            item.push(c);
        }
    }
    items
        .iter()
        .map(|item| unquoted(item.trim()).to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_is_typed_by_its_schema() {
        let list_of_text = json!({ "type": "array", "items": { "type": "string" } });
        let table = [
            ("0123", json!({ "type": "string" }), json!("0123")),
            ("true", json!({ "type": ["string", "null"] }), json!("true")),
            ("\"a b\"", json!({ "type": "string" }), json!("a b")),
            (
                "\"a\" or \"b\"",
                json!({ "type": "string" }),
                json!("\"a\" or \"b\""),
            ),
            ("\"604800\"", json!({ "type": "integer" }), json!(604800)),
            ("True", json!({ "type": "boolean" }), json!(true)),
            ("1.5", json!({ "type": "number" }), json!(1.5)),
            ("ten", json!({ "type": "integer" }), json!("ten")),
            ("[a,b]", list_of_text.clone(), json!(["a", "b"])),
            ("a, b", list_of_text.clone(), json!(["a", "b"])),
            ("[\"all\"]", list_of_text.clone(), json!(["all"])),
            (
                "[http://h:8585/p]",
                list_of_text.clone(),
                json!(["http://h:8585/p"]),
            ),
            ("[k:v,k2:v2]", list_of_text.clone(), json!(["k:v", "k2:v2"])),
            ("[]", list_of_text.clone(), json!([])),
            ("'cn=a,dc=b',c", list_of_text, json!(["cn=a,dc=b", "c"])),
            (
                "1,2",
                json!({ "type": "array", "items": { "type": "integer" } }),
                json!([1, 2]),
            ),
            ("{a: 1}", json!({ "type": "object" }), json!("{a: 1}")),
        ];
        for (text, schema, expected) in table {
            assert_eq!(typed(text, Shape::new(&schema)), expected, "{text:?}");
        }
    }
}
