//! The text of a statement as a database reads it, as far as to know where no parameter can
//! be: string literals, quoted names, comments, `::casts`, `:=`, dollar quotes, and words.

use super::Dialect;

/// The length of a literal, a quoted name, a comment or a `::` at the beginning.
pub(super) fn passage(rest: &str, dialect: Dialect) -> Option<Result<usize, String>> {
    use Dialect::{MySql, Postgres, Sqlite};
    let bytes = rest.as_bytes();
    let found = match (bytes.first()?, dialect) {
        (b'\'', MySql) | (b'"', MySql) => quoted(rest, 0, true),
        (b'\'' | b'"', _) => quoted(rest, 0, false),
        (b'e' | b'E', Postgres) if bytes.get(1) == Some(&b'\'') => quoted(rest, 1, true),
        (b'`', MySql | Sqlite) => quoted(rest, 0, false),
        (b'[', Sqlite) => rest.find(']').map(|end| end + 1),
        (b'-', _) if bytes.get(1) == Some(&b'-') => Some(line(rest)),
        (b'#', MySql) => Some(line(rest)),
        (b'/', _) if bytes.get(1) == Some(&b'*') => comment(rest, dialect == Postgres),
        (b'$', Postgres) => dollar_quoted(rest)?,
        (b':', _) if matches!(bytes.get(1), Some(b':' | b'=')) => Some(2),
        _ => return None,
    };
    Some(found.ok_or_else(|| "what begins here has no end".to_owned()))
}

/// From the quote at `start` to its end: doubled quotes, and backslashes where they escape.
fn quoted(rest: &str, start: usize, escapes: bool) -> Option<usize> {
    let bytes = rest.as_bytes();
    let quote = bytes[start];
    let mut at = start + 1;
    loop {
        match *bytes.get(at)? {
            b'\\' if escapes => at += 2,
            byte if byte == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
}

fn line(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

/// PostgreSQL's comments nest.
fn comment(rest: &str, nests: bool) -> Option<usize> {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (1, 2);
    while depth > 0 {
        match bytes.get(at..at + 2)? {
            b"*/" => (depth, at) = (depth - 1, at + 2),
            b"/*" if nests => (depth, at) = (depth + 1, at + 2),
            _ => at += 1,
        }
    }
    Some(at)
}

/// `$tag$ … $tag$`; the outer `None`: this dollar begins none.
fn dollar_quoted(rest: &str) -> Option<Option<usize>> {
    let tag = &rest[..rest[1..].find('$')? + 2];
    let name = &tag[1..tag.len() - 1];
    if name.starts_with(|first: char| first.is_ascii_digit()) || !name.chars().all(is_name) {
        return None;
    }
    let end = rest[tag.len()..].find(tag);
    Some(end.map(|end| tag.len() + end + tag.len()))
}

/// A word, so that neither `a$1` nor `note'…'` is torn apart.
pub(super) fn word(rest: &str) -> Option<usize> {
    let end = rest
        .find(|c| !(is_name(c) || c == '$'))
        .unwrap_or(rest.len());
    (end > 0 && !rest.starts_with('$')).then_some(end)
}

pub(super) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
