//! Values that configuration is made of and that serde does not know:
//! durations (`10s`, `24h`, `7d`) and secrets.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
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

impl Serialize for Secret {
    /// Writes what may be seen: that a secret is there, never the secret.
    fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        sink.serialize_str(if self.0.is_empty() { "" } else { "[secret]" })
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

/// A type that stands in a schema for texts of one format inside lists and maps.
macro_rules! text_format {
    ($(#[$doc:meta])* $name:ident, $format:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": $format })
            }
        }
    };
}

text_format!(
    /// A path; made absolute when configuration is loaded.
    FilePath, "path"
);
text_format!(
    /// An address or a network in CIDR notation.
    Network, "network"
);
text_format!(
    /// A SHA-256 in hexadecimal.
    Sha256, "sha256"
);

/// Durations as people write them: `10s`, `15m`, `24h`, `7d`, `1h 30m`.
pub mod duration {
    use std::time::Duration;

    use schemars::JsonSchema;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// What a text says; `None`: it is no duration.
    pub fn parse(text: &str) -> Option<Duration> {
        humantime::parse_duration(text.trim()).ok()
    }

    /// A duration as people write it, in its largest unit up to hours: `24h`, `90s`.
    pub fn text(value: &Duration) -> String {
        match value.as_secs() {
            seconds if value.subsec_nanos() > 0 || seconds == 0 => {
                humantime::format_duration(*value).to_string()
            }
            seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
            seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
            seconds => format!("{seconds}s"),
        }
    }

    /// Reads a duration from text.
    pub fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(source)?;
        parse(&text)
            .ok_or_else(|| D::Error::custom("expected a duration such as 10s, 15m, 24h or 7d"))
    }

    /// Writes a duration as text, so that defaults stand in the schema as people write them.
    pub fn serialize<S: Serializer>(value: &Duration, sink: S) -> Result<S::Ok, S::Error> {
        sink.serialize_str(&text(value))
    }

    /// The same where a duration may be absent.
    pub mod optional {
        use std::time::Duration;

        use serde::{Deserialize, Deserializer, Serializer, de::Error};

        /// Reads a duration from text, if there is one.
        pub fn deserialize<'de, D: Deserializer<'de>>(
            source: D,
        ) -> Result<Option<Duration>, D::Error> {
            let text = Option::<String>::deserialize(source)?;
            let read = |text: String| {
                super::parse(&text).ok_or_else(|| {
                    D::Error::custom("expected a duration such as 10s, 15m, 24h or 7d")
                })
            };
            text.map(read).transpose()
        }

        /// Writes a duration as text, and nothing for none.
        pub fn serialize<S: Serializer>(
            value: &Option<Duration>,
            sink: S,
        ) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => sink.serialize_str(&super::text(value)),
                None => sink.serialize_none(),
            }
        }
    }

    /// The JSON Schema of a duration: a text of numbers with units, such as `1h 30m`.
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
            schemars::json_schema!({ "type": "string", "format": "duration-text" })
        }
    }
}
