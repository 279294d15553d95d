//! Distinguished names: values written into one (RFC 4514 section 2.4), and names compared
//! whatever their spelling.

use std::fmt;

/// A value as it stands in a distinguished name: whatever it is, it stays one value.
pub(crate) fn escape(value: &str) -> String {
    escape_bytes(value.as_bytes())
}

/// A distinguished name in its one spelling: names of attributes and values in lower case,
/// runs of blanks as one, the attributes of a part in order. Two spellings of an entry's name
/// are equal, except where only the server knows: `uid` and `userid`, composed and decomposed accents.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Dn(Vec<Vec<(String, Vec<u8>)>>);

impl Dn {
    /// Reads a name; none for what is no such thing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parts = split(text, ',').into_iter().map(|part| {
            let attributes = split(part, '+').into_iter().map(attribute);
            let mut attributes = attributes.collect::<Option<Vec<_>>>()?;
            attributes.sort_unstable();
            Some(attributes)
        });
        parts.collect::<Option<Vec<_>>>().map(Dn)
    }

    /// The domain that an Active Directory entry's name ends in: `dc=corp,dc=example` is `corp.example`.
    pub(crate) fn domain(&self) -> String {
        let labels = self.0.iter().filter_map(|part| match part.as_slice() {
            [(name, value)] if name == "dc" => std::str::from_utf8(value).ok(),
            _ => None,
        });
        labels.collect::<Vec<_>>().join(".")
    }
}

impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { "," })?;
            for (at, (name, value)) in part.iter().enumerate() {
                f.write_str(if at == 0 { "" } else { "+" })?;
                write!(f, "{name}={}", escape_bytes(value))?;
            }
        }
        Ok(())
    }
}

fn escape_bytes(value: &[u8]) -> String {
    let mut escaped = String::with_capacity(value.len() + 8);
    let last = value.len().saturating_sub(1);
    let mut at = 0;
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            let edge = at == 0 || at == last;
            match character {
                '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' => {
                    escaped.extend(['\\', character]);
                }
                ' ' if edge => escaped.push_str("\\20"),
                '#' if at == 0 => escaped.push_str("\\#"),
                control if control.is_ascii_control() => {
                    escaped.push_str(&format!("\\{:02x}", u32::from(control)));
                }
                other => escaped.push(other),
            }
            at += character.len_utf8();
        }
        for byte in chunk.invalid() {
            escaped.push_str(&format!("\\{byte:02x}"));
            at += 1;
        }
    }
    escaped
}

/// Splits where the separator is not escaped.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut from, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        if !escaped && c == separator {
            pieces.push(&text[from..at]);
            from = at + c.len_utf8();
        }
        escaped = !escaped && c == '\\';
    }
    pieces.push(&text[from..]);
    pieces
}

fn attribute(text: &str) -> Option<(String, Vec<u8>)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim().to_ascii_lowercase();
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if name.is_empty() || !name.bytes().all(of_name) {
        return None;
    }
    plain(value).map(|value| (name, fold(value)))
}

/// A value without its escapes and the blanks around it; the bytes need not be UTF-8.
fn plain(value: &str) -> Option<Vec<u8>> {
    // Before the escapes go: an escaped blank at an end is a part of the value.
    let value = value.trim_start_matches(' ');
    let mut bytes = Vec::with_capacity(value.len());
    // How much of `bytes` no trimming may take.
    let mut kept = 0;
    let mut rest = value.chars();
    while let Some(character) = rest.next() {
        let mut buffer = [0; 4];
        match character {
            '\\' => {
                let escaped = rest.next()?;
                match escaped.to_digit(16) {
                    Some(high) => {
                        let low = rest.next()?.to_digit(16)?;
                        bytes.push(u8::try_from(high * 16 + low).ok()?);
                    }
                    None => bytes.extend_from_slice(escaped.encode_utf8(&mut buffer).as_bytes()),
                }
                kept = bytes.len();
            }
            '"' | ';' | '<' | '>' | '\0' => return None,
            other => {
                bytes.extend_from_slice(other.encode_utf8(&mut buffer).as_bytes());
                kept = if other == ' ' { kept } else { bytes.len() };
            }
        }
    }
    bytes.truncate(kept);
    Some(bytes)
}

/// As most attributes of names are compared (RFC 4518): neither case nor the number of blanks counts.
fn fold(value: Vec<u8>) -> Vec<u8> {
    match String::from_utf8(value) {
        Ok(text) => {
            let mut folded = text.to_lowercase();
            while folded.contains("  ") {
                folded = folded.replace("  ", " ");
            }
            folded.into_bytes()
        }
        Err(error) => error.into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn l04_value_stays_one_value_whatever_it_is() {
        for (value, escaped) in [
            ("ada", "ada"),
            ("ada,ou=admins", r"ada\,ou\=admins"),
            ("a+b", r"a\+b"),
            ("\"a\"", r#"\"a\""#),
            ("#1", r"\#1"),
            ("a#1", "a#1"),
            (" ada", r"\20ada"),
            ("ada ", r"ada\20"),
            (" ", r"\20"),
            ("a b", "a b"),
            (r"a\", r"a\\"),
            ("<a;b>", r"\<a\;b\>"),
            ("a\0b\nc", r"a\00b\0ac"),
            ("José", "José"),
            ("", ""),
        ] {
            assert_eq!(escape(value), escaped, "{value:?}");
        }
    }

    #[test]
    fn spellings_of_one_name_are_equal() {
        for (a, b) in [
            ("cn=admins,dc=x", "CN=Admins, DC=X"),
            (r"cn=a\,b,dc=x", r"cn=a\2Cb,dc=x"),
            (r"cn=M\C3\BCller,dc=x", "cn=müller,dc=x"),
            ("cn=a  b,dc=x", "cn=a b,dc=x"),
            ("ou=y+cn=a,dc=x", "CN=a + OU=y,dc=x"),
        ] {
            assert!(Dn::parse(a).is_some(), "{a}");
            assert_eq!(Dn::parse(a), Dn::parse(b), "{a} {b}");
        }
    }

    #[test]
    fn other_names_differ() {
        for (a, b) in [
            ("cn=a,dc=x", "dc=x,cn=a"),
            (r"cn=a\,dc=x", "cn=a,dc=x"),
            (r"cn=a\20,dc=x", "cn=a,dc=x"),
            ("cn=a+ou=y,dc=x", "cn=a,ou=y,dc=x"),
        ] {
            assert_ne!(Dn::parse(a), Dn::parse(b), "{a} {b}");
        }
    }

    #[test]
    fn what_is_no_distinguished_name_is_none() {
        for text in [
            "",
            "ops",
            "a,b",
            "=x",
            "cn=a,",
            "c n=a",
            r"cn=a\",
            r"cn=a\2",
            r#"cn="a",dc=x"#,
            "cn=a;dc=x",
        ] {
            assert_eq!(Dn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn domain_is_made_of_the_components() {
        let dn = Dn::parse("CN=Ada,OU=Staff,DC=Corp,DC=Example").unwrap();
        assert_eq!(dn.domain(), "corp.example");
        assert_eq!(Dn::parse("uid=ada,o=x").unwrap().domain(), "");
    }

    #[test]
    fn escaped_value_parses_back_and_so_does_a_name() {
        for value in crate::random::texts(20_000) {
            let escaped = escape(&value);
            assert_eq!(
                plain(&escaped),
                Some(value.clone().into_bytes()),
                "{value:?}"
            );
            let text = format!("uid={escaped},ou=people,dc=x");
            let dn = Dn::parse(&text).unwrap();
            assert_eq!(dn.0.len(), 3, "{text}");
            assert_eq!(Dn::parse(&dn.to_string()).as_ref(), Some(&dn), "{text}");
        }
    }

    #[test]
    fn any_text_parses_or_does_not_without_a_panic() {
        for text in crate::random::texts(20_000) {
            if let Some(dn) = Dn::parse(&text) {
                assert_eq!(Dn::parse(&dn.to_string()), Some(dn), "{text:?}");
            }
        }
    }
}
