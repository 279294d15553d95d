//! Distinguished names, so that two spellings of one are one (RFC 4514).
//!
//! Compared without regard to case, escapes, blanks around the parts, and the order
//! within a multi-valued part; runs of blanks inside a value are one (RFC 4518).

/// A distinguished name in its one spelling: of each part, its sorted attributes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Dn(Vec<Vec<(String, Vec<u8>)>>);

impl Dn {
    /// Reads a distinguished name; none for what is no such thing.
    pub(super) fn parse(text: &str) -> Option<Dn> {
        let parts = split(text, ',').into_iter().map(|part| {
            let attributes = split(part, '+').into_iter().map(attribute);
            let mut attributes = attributes.collect::<Option<Vec<_>>>()?;
            attributes.sort_unstable();
            Some(attributes)
        });
        parts.collect::<Option<Vec<_>>>().map(Dn)
    }

    /// The value of its first attribute, folded, if that is text.
    pub(super) fn first(&self) -> Option<&str> {
        let (_, value) = self.0.first()?.first()?;
        std::str::from_utf8(value).ok()
    }
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
    let name = name.trim();
    let is_name = name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if name.is_empty() || !is_name {
        return None;
    }
    Some((name.to_ascii_lowercase(), plain(value)?))
}

/// A value without its escapes, folded; the bytes need not be UTF-8.
fn plain(value: &str) -> Option<Vec<u8>> {
    // Before the escapes go: an escaped blank at an end is a part of the value.
    let value = value.trim_start_matches(' ');
    let mut bytes = Vec::with_capacity(value.len());
    // How much of `bytes` no trimming may take.
    let mut kept = 0;
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            bytes.extend(c.to_string().bytes());
            kept = if c == ' ' { kept } else { bytes.len() };
            continue;
        }
        let escaped = rest.next()?;
        match escaped.to_digit(16) {
            Some(high) => {
                let low = rest.next()?.to_digit(16)?;
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            None => bytes.extend(escaped.to_string().bytes()),
        }
        kept = bytes.len();
    }
    bytes.truncate(kept);
    Some(match String::from_utf8(bytes) {
        Ok(text) => {
            let mut folded = text.to_lowercase();
            while folded.contains("  ") {
                folded = folded.replace("  ", " ");
            }
            folded.into_bytes()
        }
        Err(error) => error.into_bytes(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_equal() {
        for (a, b) in [
            ("cn=admins,dc=x", "CN=Admins, DC=X"),
            ("cn=admins,dc=x", " cn = admins , dc = x "),
            (r"cn=a\,b,dc=x", r"cn=a\2Cb,dc=x"),
            (r"cn=a\,b,dc=x", r"CN=A\2cB,DC=x"),
            (r"cn=M\C3\BCller,dc=x", "cn=m\u{fc}ller,dc=x"),
            (r"cn=a\+b,dc=x", r"cn=a\2Bb,dc=x"),
            (r"cn=\#1,dc=x", r"cn=\231,dc=x"),
            (r"cn=a\=b,dc=x", "cn=a=b,dc=x"),
            ("cn=a  b,dc=x", "cn=a b,dc=x"),
            ("ou=y+cn=a,dc=x", "CN=a + OU=y,dc=x"),
            (r"cn=a\\,dc=x", r"cn=a\5C,dc=x"),
        ] {
            assert!(Dn::parse(a).is_some(), "{a}");
            assert_eq!(Dn::parse(a), Dn::parse(b), "{a} {b}");
        }
    }

    #[test]
    fn other_names_differ() {
        for (a, b) in [
            ("cn=a,dc=x", "dc=x,cn=a"),
            ("cn=a,dc=x", "cn=a"),
            (r"cn=a\,dc=x", "cn=a,dc=x"),
            (r"cn=a\ ,dc=x", "cn=a,dc=x"),
            (r"cn=a\2Cdc=x", "cn=a,dc=x"),
            ("cn=a+ou=y,dc=x", "cn=a,ou=y,dc=x"),
        ] {
            assert_ne!(Dn::parse(a), Dn::parse(b), "{a} {b}");
        }
    }

    #[test]
    fn what_is_no_distinguished_name_is_none() {
        for text in [
            "", "ops", "a,b", "=x", "cn=a,", "c n=a", r"cn=a\", r"cn=a\2", r"cn=a\2g",
        ] {
            assert_eq!(Dn::parse(text), None, "{text}");
        }
    }
}
