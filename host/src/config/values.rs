//! Values that configuration is made of and that serde does not know:
//! durations (`10s`, `24h`, `7d`) and secrets.

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use zeroize::Zeroizing;

/// A text that must never be printed: redacted in `Debug`, wiped when dropped.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself. Whoever calls this keeps it out of logs and errors.
    pub fn expose(&self) -> &str {
        &self.0
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

impl JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        // writeOnly marks, for the whole house, what may be given as a file or a
        // variable and what is redacted wherever configuration is shown.
        schemars::json_schema!({ "type": "string", "writeOnly": true })
    }
}

/// Durations as people write them: `10s`, `15m`, `24h`, `7d`, `1h 30m`.
pub mod duration {
    use std::time::Duration;

    use schemars::JsonSchema;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Reads a duration from text.
    pub fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(source)?;
        humantime::parse_duration(&text)
            .map_err(|_| D::Error::custom("expected a duration such as 10s, 15m, 24h or 7d"))
    }

    /// Writes a duration as text, so that defaults stand in the schema as people write them.
    pub fn serialize<S: Serializer>(value: &Duration, sink: S) -> Result<S::Ok, S::Error> {
        sink.collect_str(&humantime::format_duration(*value))
    }

    /// The JSON Schema of a duration: a text of numbers with units.
    #[derive(Debug)]
    pub struct Schema;

    impl JsonSchema for Schema {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Duration".into()
        }

        fn inline_schema() -> bool {
            true
        }

        fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            schemars::json_schema!({
                "type": "string",
                "format": "duration-text",
                "pattern": r"^([0-9]+ ?(ns|us|ms|s|sec|m|min|h|hr|d|day|days|w) ?)+$",
            })
        }
    }
}
