//! Names of groups, so that two spellings of one are one: distinguished names (RFC 4514)
//! without regard to case, escapes and blanks around their parts; plain keys exactly.

/// A name in its one spelling.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Name {
    /// Of each part, its sorted attributes.
    Dn(Vec<Vec<(String, Vec<u8>)>>),
    Plain(String),
}

impl Name {
    pub(super) fn of(text: &str) -> Name {
        let parts = split(text, ',').into_iter().map(|part| {
            let attributes = split(part, '+').into_iter().map(attribute);
            let mut attributes = attributes.collect::<Option<Vec<_>>>()?;
            attributes.sort_unstable();
            Some(attributes)
        });
        let dn = parts.collect::<Option<_>>().map(Name::Dn);
        dn.unwrap_or_else(|| Name::Plain(text.to_owned()))
    }
}

/// The `DC=corp,DC=example` at the end of a name: the domain that its entry belongs to.
pub(super) fn domain(dn: &str) -> Option<&str> {
    let mut rest = dn.len();
    for part in split(dn, ',').into_iter().rev() {
        let kind = part.split_once('=').map(|(kind, _)| kind.trim());
        if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("dc")) {
            break;
        }
        rest = part.as_ptr().addr() - dn.as_ptr().addr();
    }
    Some(dn[rest..].trim_start()).filter(|domain| !domain.is_empty())
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
    let mut bytes = Vec::with_capacity(value.len());
    // No trimming takes an escaped blank: it is a part of the value.
    let mut kept = 0;
    let mut rest = value.trim_start_matches(' ').chars();
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
        Ok(text) => text.to_lowercase().into_bytes(),
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
            (r"cn=a\,b,dc=x", r"CN=A\2cB,DC=x"),
            (r"cn=M\C3\BCller,dc=x", "cn=m\u{fc}ller,dc=x"),
            ("ou=y+cn=a,dc=x", "CN=a + OU=y,dc=x"),
            (r"cn=a\\,dc=x", r"cn=a\5C,dc=x"),
        ] {
            assert!(matches!(Name::of(a), Name::Dn(_)), "{a}");
            assert_eq!(Name::of(a), Name::of(b), "{a} {b}");
        }
    }

    #[test]
    fn other_names_differ() {
        for (a, b) in [
            ("cn=a,dc=x", "dc=x,cn=a"),
            (r"cn=a\,dc=x", "cn=a,dc=x"),
            (r"cn=a\ ,dc=x", "cn=a,dc=x"),
            (r"cn=a\+ou=y,dc=x", "cn=a+ou=y,dc=x"),
            ("admins", "Admins"),
        ] {
            assert_ne!(Name::of(a), Name::of(b), "{a} {b}");
        }
        for plain in ["admins", "", "a=b,c", "role name=x", r"cn=a\"] {
            assert_eq!(Name::of(plain), Name::Plain(plain.to_owned()));
        }
    }

    #[test]
    fn domain_is_what_a_name_ends_with() {
        assert_eq!(
            domain(r"CN=A\,DC=no,OU=u,DC=corp, dc=test"),
            Some("DC=corp, dc=test")
        );
        assert_eq!(domain("dc=x"), Some("dc=x"));
        assert_eq!(domain("uid=ada,o=x"), None);
        assert_eq!(domain(""), None);
    }
}
