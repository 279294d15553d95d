//! Texts that must never be printed.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use zeroize::Zeroizing;

/// A password, token or key: no `Display`, redacted `Debug`, wiped when dropped.
///
/// In a configuration it may be written as text, as `{ file: … }` or as
/// `{ env: … }`; the host hands the plugin the text.
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself. Whoever calls this keeps it out of logs and errors.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Are both the same text? Takes the same time wherever they differ.
    pub fn matches(&self, other: &Secret) -> bool {
        let (a, b) = (self.0.as_bytes(), other.0.as_bytes());
        let differing = a.iter().zip(b).fold(0, |sum, (x, y)| sum | (x ^ y));
        std::hint::black_box(differing) == 0 && a.len() == b.len()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret(Zeroizing::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        String::deserialize(source).map(Secret::from)
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // writeOnly tells the host: resolve { file } and { env } here, never show this.
        json_schema!({ "type": "string", "writeOnly": true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_is_equality() {
        let secret = |text: &str| Secret::from(text.to_owned());
        assert!(secret("abc").matches(&secret("abc")));
        for other in ["", "ab", "abcd", "abd"] {
            assert!(!secret("abc").matches(&secret(other)));
        }
    }
}
