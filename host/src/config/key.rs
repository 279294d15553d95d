//! The path of a key, such as `backends.users.config.url`: shown to people,
//! read from a command line, turned into a variable's name, and the index of
//! every table of this module.

use std::fmt;

/// The way from the root of the configuration to one value.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(Vec<String>);

impl KeyPath {
    /// The whole configuration.
    pub fn root() -> Self {
        KeyPath::default()
    }

    /// Reads `a.b."c.d"`: dots part segments, double quotes keep dots inside one.
    pub fn parse(text: &str) -> Self {
        let mut segments = vec![String::new()];
        let mut quoted = false;
        for c in text.chars() {
            match c {
                '"' => quoted = !quoted,
                '.' if !quoted => segments.push(String::new()),
                _ => {
                    if let Some(last) = segments.last_mut() {
                        last.push(c);
                    }
                }
            }
        }
        segments.retain(|segment| !segment.is_empty());
        KeyPath(segments)
    }

    /// Reads a JSON pointer (RFC 6901).
    pub fn from_pointer(pointer: &str) -> Self {
        let parts = pointer.split('/').skip(1);
        KeyPath(
            parts
                .map(|part| part.replace("~1", "/").replace("~0", "~"))
                .collect(),
        )
    }

    /// One step further down.
    pub fn child(&self, key: impl Into<String>) -> Self {
        let mut segments = self.0.clone();
        segments.push(key.into());
        KeyPath(segments)
    }

    /// One step up; `None` at the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(KeyPath(above.to_vec()))
    }

    /// The last segment; empty at the root.
    pub fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// All segments, from the root.
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// Whether this is `above` itself or lies under it.
    pub fn is_within(&self, above: &KeyPath) -> bool {
        self.0.starts_with(&above.0)
    }

    /// The variable that overrides this key: `tokens.lifetime` → `COUNTERSIGN_TOKENS__LIFETIME`.
    pub fn variable(&self) -> String {
        let parts: Vec<String> = self
            .0
            .iter()
            .map(|part| fold(part).to_uppercase())
            .collect();
        format!("COUNTERSIGN_{}", parts.join("__"))
    }
}

/// A key as far as variable names can tell keys apart: lower case, and `_` for
/// every character that a variable's name cannot hold.
pub fn fold(key: &str) -> String {
    key.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect()
}

/// The candidate nearest to `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::normalized_damerau_levenshtein(&folded, &fold(candidate)),
                candidate,
            )
        })
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            let simple = !segment.is_empty()
                && segment
                    .chars()
                    .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
            if simple {
                f.write_str(segment)?
            } else {
                write!(f, "{segment:?}")?
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_with_dots_is_shown_quoted_and_read_back() {
        let key = KeyPath::root()
            .child("tokens")
            .child("claims")
            .child("https://x.example/role");
        assert_eq!(key.to_string(), r#"tokens.claims."https://x.example/role""#);
        assert_eq!(KeyPath::parse(&key.to_string()), key);
    }

    #[test]
    fn variable_of_a_key_has_double_underscores() {
        assert_eq!(
            KeyPath::parse("tokens.cli_lifetime").variable(),
            "COUNTERSIGN_TOKENS__CLI_LIFETIME"
        );
        assert_eq!(KeyPath::parse("state").variable(), "COUNTERSIGN_STATE");
    }

    #[test]
    fn nearest_of_a_misspelling_is_found_and_of_a_stranger_is_not() {
        assert_eq!(nearest("lifetme", ["lifetime", "leeway"]), Some("lifetime"));
        assert_eq!(nearest("zzz", ["lifetime", "leeway"]), None);
    }
}
