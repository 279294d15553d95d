//! Search filters (RFC 4515), made so that a value cannot become a part of one: text that came
//! from outside goes in through [`Filter::equals`] or a template, which escape it, and in no other way.

use std::fmt;

/// A filter that may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter(String);

impl Filter {
    /// The operator's own text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parsed = ldap3::parse_filter(text).map(|_| Filter(text.to_owned()));
        parsed.map_err(|_| {
            format!(
                "{text:?} is no filter; expected one in parentheses, as in (objectClass=person)"
            )
        })
    }

    /// Entries whose attribute has this value.
    pub(crate) fn equals(attribute: &str, value: &str) -> Self {
        Filter(format!("({attribute}={})", escape(value)))
    }

    /// Entries that match both.
    pub(crate) fn and(&self, other: &Filter) -> Self {
        Filter(format!("(&{}{})", self.0, other.0))
    }

    /// Its text, to be sent.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 4515 section 3.
pub(crate) fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '\\' | '*' | '(' | ')' | '\0' => {
                escaped.push_str(&format!("\\{:02x}", character as u32))
            }
            other => escaped.push(other),
        }
    }
    escaped
}
