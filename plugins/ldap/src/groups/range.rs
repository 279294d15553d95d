//! Attributes with more values than Active Directory tells at once ([MS-ADTS] 3.1.1.3.1.3.3,
//! range retrieval): `memberOf;range=0-1499` comes instead, and the rest has to be asked for.

use crate::entry::Entry;
use crate::filter::Filter;
use crate::net::{Query, Reach, Session};
use crate::trouble::Trouble;

/// Where the values that came end.
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
    let mut end = take(entry, name, &mut values).unwrap_or(End::Whole);
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
            .and_then(|part| take(part, name, &mut values))
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

/// Takes the values of the one range that is there.
fn take(entry: &Entry, name: &str, values: &mut Vec<String>) -> Option<End> {
    let prefix = format!("{};range=", name.to_ascii_lowercase());
    let (ranged, last) = entry.names().find_map(|ranged| {
        let (_, last) = ranged.strip_prefix(&prefix)?.split_once('-')?;
        Some((ranged, last))
    })?;
    let end = match last {
        "*" => End::Whole,
        number => End::Before(number.parse::<usize>().ok()?.checked_add(1)?),
    };
    values.extend(entry.all(ranged).map(str::to_owned));
    Some(end)
}
