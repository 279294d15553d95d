//! `application/x-www-form-urlencoded`, of a form or of an address: bounded, and nothing
//! twice (RFC 6749 section 3.1).

use url::form_urlencoded;
use zeroize::Zeroizing;

/// More fields than any provider or form of ours sends.
const MOST: usize = 64;

/// Bytes of all fields; a form's body is bounded alike.
const LONGEST: usize = 64 * 1024;

/// Fields by name.
#[derive(Default)]
pub(in crate::http) struct Fields(Vec<(String, Zeroizing<String>)>);

impl Fields {
    /// # Errors
    /// Why they are refused, for the log.
    pub(in crate::http) fn read(text: &[u8]) -> Result<Self, &'static str> {
        if text.len() > LONGEST {
            return Err("the parameters are too long");
        }
        let mut fields: Vec<(String, Zeroizing<String>)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text) {
            if fields.iter().any(|(known, _)| *known == name) {
                return Err("a parameter is there twice");
            }
            if fields.len() == MOST {
                return Err("there are too many parameters");
            }
            fields.push((name.into_owned(), Zeroizing::new(value.into_owned())));
        }
        Ok(Fields(fields))
    }

    /// A field's value.
    pub(in crate::http) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All of them.
    pub(in crate::http) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s02_fields_are_decoded_and_none_is_there_twice() {
        let fields = Fields::read(b"a=1+2&b=%26%C3%A9&c").unwrap_or_default();
        assert_eq!(fields.get("a"), Some("1 2"));
        assert_eq!(fields.get("b"), Some("&é"));
        assert_eq!(fields.get("c"), Some(""));
        assert_eq!(fields.get("d"), None);
        assert_eq!(fields.iter().count(), 3);
        for bad in ["a=1&a=2", "a=1&%61=1"] {
            assert!(Fields::read(bad.as_bytes()).is_err(), "{bad}");
        }
        let many: String = (0..=MOST).map(|n| format!("p{n}=1&")).collect();
        assert!(Fields::read(many.as_bytes()).is_err());
        assert!(Fields::read(&vec![b'a'; LONGEST + 1]).is_err());
    }
}
