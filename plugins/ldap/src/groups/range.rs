//! Attributes with more values than Active Directory tells at once ([MS-ADTS] 3.1.1.3.1.3.3,
//! range retrieval): `memberOf;range=0-1499` comes instead, and the rest has to be asked for.

use crate::entry::Entry;
use crate::filter::Filter;
use crate::net::{Query, Reach, Session};
use crate::trouble::Trouble;

/// Where the values that came end.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// These are all.
    Whole,
    /// The next one has this number.
    Before(usize),
}

/// All values of the attribute that are text and not empty.
pub(super) async fn values(
    session: &mut Session,
    entry: &Entry,
    name: &str,
    most: usize,
) -> Result<Vec<String>, Trouble> {
    if name.is_empty() {
        return Ok(Vec::new());
    }
    let mut values: Vec<String> = entry.all(name).map(str::to_owned).collect();
    let mut end = take(entry, name, 0, &mut values).unwrap_or(End::Whole);
    while let End::Before(next) = end {
        // What is too much already need not be read to its end; the bound itself is checked
        // where the groups are gathered.
        if values.len() > most {
            break;
        }
        let rest = format!("{name};range={next}-*");
        let found = session
            .search(&Query {
                base: &entry.dn,
                depth: Reach::Base,
                filter: &Filter::made("(objectClass=*)".to_owned()),
                attributes: &[&rest],
                most: 1,
            })
            .await?;
        let part = found.first();
        end = part
            .and_then(|part| take(part, name, next, &mut values))
            .filter(|end| !matches!(end, End::Before(later) if *later <= next))
            .ok_or_else(|| {
                Trouble::Unavailable(format!(
                    "{} told {next} values of {name} of {} and not the rest",
                    session.server(),
                    entry.dn
                ))
            })?;
    }
    Ok(values)
}

/// Takes the values of the one range that is there, which starts at `from`.
fn take(entry: &Entry, name: &str, from: usize, values: &mut Vec<String>) -> Option<End> {
    let prefix = format!("{};range=", name.to_ascii_lowercase());
    let (ranged, first, last) = entry.names().find_map(|ranged| {
        let (first, last) = ranged.strip_prefix(&prefix)?.split_once('-')?;
        Some((ranged, first, last))
    })?;
    let end = match last {
        // What makes no sense is asked for anew, from the start, and is an error the second time.
        _ if first.parse() != Ok(from) => End::Before(0),
        "*" => End::Whole,
        number => {
            let next = number
                .parse::<usize>()
                .ok()
                .and_then(|last| last.checked_add(1));
            End::Before(next.unwrap_or(0))
        }
    };
    if !matches!(end, End::Before(0)) {
        values.extend(entry.all(ranged).map(str::to_owned));
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_says_where_the_next_one_starts() {
        let beyond = "memberOf;range=0-18446744073709551615";
        for (name, from, end, count) in [
            ("memberOf;range=0-1", 0, Some(End::Before(2)), 2),
            ("MEMBEROF;RANGE=2-*", 2, Some(End::Whole), 2),
            ("memberOf;range=4-*", 2, Some(End::Before(0)), 0),
            ("memberOf;range=0-*", 2, Some(End::Before(0)), 0),
            ("memberOf;range=0-many", 0, Some(End::Before(0)), 0),
            (beyond, 0, Some(End::Before(0)), 0),
            ("memberOf", 0, None, 0),
            ("memberOf;lang-en", 0, None, 0),
            ("member;range=0-1", 0, None, 0),
        ] {
            let two = vec![b"a".to_vec(), b"b".to_vec()];
            let entry = Entry::new("cn=ada".to_owned(), [(name.to_owned(), two)]);
            let mut values = Vec::new();
            let taken = take(&entry, "memberOf", from, &mut values);
            assert_eq!(taken, end, "{name}");
            assert_eq!(values.len(), count, "{name}");
        }
    }
}
