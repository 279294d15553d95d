//! Which entries a filter matches (RFC 4511 section 4.5.1.7), simply: texts without regard to case.

use std::collections::HashSet;

use ldap3::asn1::StructureTag;

use super::directory::{Directory, Entry, fold};
use super::wire::{bytes, parts, text};

const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// A filter, read once for all entries.
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    Present(String),
    /// One of these values.
    Equal(String, HashSet<Vec<u8>>),
    /// One of these entries.
    Named(HashSet<Vec<u8>>),
}

impl Filter {
    pub(super) fn read(directory: &Directory, filter: &StructureTag) -> Self {
        let each = || parts(filter).iter().map(|part| Self::read(directory, part));
        match filter.id {
            0 => Filter::All(each().collect()),
            1 => Filter::Any(each().fold(Vec::new(), Self::or)),
            2 => Filter::Not(Box::new(Self::read(directory, &parts(filter)[0]))),
            3 | 8 => {
                let [name, value] = parts(filter) else {
                    panic!("no comparison: {filter:?}");
                };
                // Active Directory knows classes of objects by their short names.
                let name = match text(name).to_ascii_lowercase() {
                    category if category == "objectcategory" => "objectClass".to_owned(),
                    name => name,
                };
                Filter::Equal(name, HashSet::from([fold(bytes(value))]))
            }
            7 => Filter::Present(text(filter)),
            9 => Filter::Named(extensible(directory, filter)),
            other => panic!("the scripted server knows no filter {other}"),
        }
    }

    pub(super) fn matches(&self, directory: &Directory, entry: &Entry) -> bool {
        match self {
            Filter::All(all) => all.iter().all(|part| part.matches(directory, entry)),
            Filter::Any(any) => any.iter().any(|part| part.matches(directory, entry)),
            Filter::Not(not) => !not.matches(directory, entry),
            Filter::Present(name) => !directory.values(entry, name).is_empty(),
            Filter::Equal(name, wanted) => {
                let values = directory.values(entry, name);
                values.iter().any(|value| wanted.contains(&fold(value)))
            }
            Filter::Named(names) => names.contains(&fold(entry.dn.as_bytes())),
        }
    }

    /// Values of one attribute are looked for all together: there may be thousands.
    fn or(mut any: Vec<Filter>, next: Filter) -> Vec<Filter> {
        match (any.last_mut(), next) {
            (Some(Filter::Equal(name, wanted)), Filter::Equal(own, value)) if *name == own => {
                wanted.extend(value);
            }
            (_, next) => any.push(next),
        }
        any
    }
}

/// The groups that hold a member, and those that hold these, and so on.
fn extensible(directory: &Directory, filter: &StructureTag) -> HashSet<Vec<u8>> {
    let part = |id| parts(filter).iter().find(|part| part.id == id);
    let rule = part(1).map(text).unwrap_or_default();
    let mut holders = HashSet::new();
    if !directory.active_directory || rule != IN_CHAIN {
        return holders;
    }
    assert_eq!(part(2).map(text).as_deref(), Some("member"));
    let mut asked = vec![bytes(part(3).unwrap()).to_vec()];
    while let Some(member) = asked.pop() {
        for group in directory.groups_of(&member) {
            let name = fold(group.dn.as_bytes());
            if holders.insert(name.clone()) {
                asked.push(name);
            }
        }
    }
    holders
}
