//! The type of a plain scalar by YAML 1.2's core schema (10.3.2): `yes` is
//! text, `010` is ten, `0x1F` is 31.

use serde_json::Value;

/// What an unquoted scalar says.
pub(super) fn typed(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => integer(text)
            .or_else(|| float(text))
            .unwrap_or_else(|| Value::String(text.to_owned())),
    }
}

fn integer(text: &str) -> Option<Value> {
    if let Some(octal) = text.strip_prefix("0o") {
        return unsigned(octal, 8);
    }
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return unsigned(hexadecimal, 16);
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse::<i64>()
        .map(Value::from)
        .or_else(|_| text.parse::<u64>().map(Value::from))
        .ok()
}

fn unsigned(digits: &str, radix: u32) -> Option<Value> {
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None; // from_str_radix would take a sign
    }
    u64::from_str_radix(digits, radix).ok().map(Value::from)
}

/// Infinity and NaN stay text: JSON has no number for them.
fn float(text: &str) -> Option<Value> {
    let digits = text.bytes().any(|b| b.is_ascii_digit());
    let known = text
        .bytes()
        .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    if !digits || !known {
        return None;
    }
    text.parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())
        .map(Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        let table = [
            ("", json!(null)),
            ("~", json!(null)),
            ("Null", json!(null)),
            ("true", json!(true)),
            ("FALSE", json!(false)),
            ("yes", json!("yes")),
            ("on", json!("on")),
            ("010", json!(10)),
            ("+5", json!(5)),
            ("-7", json!(-7)),
            ("0o17", json!(15)),
            ("0x1F", json!(31)),
            ("0x-1", json!("0x-1")),
            ("18446744073709551615", json!(18446744073709551615u64)),
            ("1.10", json!(1.1)),
            ("1e3", json!(1000.0)),
            (".5", json!(0.5)),
            ("1_000", json!("1_000")),
            ("12:30", json!("12:30")),
            ("2024-01-01", json!("2024-01-01")),
            (".inf", json!(".inf")),
            ("1.2.3.4", json!("1.2.3.4")),
            ("-", json!("-")),
        ];
        for (text, expected) in table {
            assert_eq!(typed(text), expected, "{text:?}");
        }
    }
}
