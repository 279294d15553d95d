//! The groups found so far: each once, however it is spelled, and no more than allowed.

use std::collections::HashSet;

use crate::dn::Dn;
use crate::entry::Entry;
use crate::trouble::Trouble;

/// What a group is known by.
#[derive(PartialEq, Eq, Hash)]
enum Name {
    /// Of an entry: however it is spelled.
    Entry(Dn),
    /// A plain key: as it is.
    Key(String),
}

pub(super) struct Found {
    user: String,
    most: usize,
    seen: HashSet<Name>,
    keys: Vec<String>,
}

impl Found {
    /// None yet; the user himself is no group of his, even if a ring of groups says so.
    pub(super) fn new(user: &Entry, most: usize) -> Self {
        Found {
            user: user.dn.clone(),
            most,
            seen: HashSet::from([Name::of(&user.dn)]),
            keys: Vec::new(),
        }
    }

    /// Adds a group; was it new?
    pub(super) fn add(&mut self, key: &str) -> Result<bool, Trouble> {
        if !self.seen.insert(Name::of(key)) {
            return Ok(false);
        }
        if self.keys.len() == self.most {
            return Err(Trouble::TooMuch(format!(
                "{} is in more than {} groups (groups.most)",
                self.user, self.most
            )));
        }
        self.keys.push(key.to_owned());
        Ok(true)
    }

    pub(super) fn add_all(
        &mut self,
        keys: impl IntoIterator<Item = String>,
    ) -> Result<(), Trouble> {
        for key in keys {
            self.add(&key)?;
        }
        Ok(())
    }

    /// Those that are entries of the directory, not plain keys.
    pub(super) fn entries(&self) -> impl Iterator<Item = &str> {
        let keys = self.keys.iter().map(String::as_str);
        keys.filter(|key| Dn::parse(key).is_some())
    }

    pub(super) fn into_sorted(mut self) -> Vec<String> {
        self.keys.sort_unstable();
        self.keys
    }
}

impl Name {
    fn of(key: &str) -> Self {
        let dn = Dn::parse(key).map(Name::Entry);
        dn.unwrap_or_else(|| Name::Key(key.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn found(most: usize) -> Found {
        Found::new(&Entry::new("uid=ada,dc=x".to_owned(), []), most)
    }

    #[test]
    fn group_in_several_spellings_is_found_once_as_first_written() {
        let mut found = found(3);
        assert!(found.add("CN=Ops, DC=x").unwrap());
        assert!(!found.add("cn=ops,dc=x").unwrap());
        assert!(!found.add("UID=ada,dc=x").unwrap());
        assert!(found.add("ops").unwrap());
        assert!(found.add("Ops").unwrap());
        assert_eq!(found.entries().collect::<Vec<_>>(), ["CN=Ops, DC=x"]);
        assert_eq!(found.into_sorted(), ["CN=Ops, DC=x", "Ops", "ops"]);
    }

    #[test]
    fn one_more_than_allowed_is_an_error_and_not_left_out() {
        let mut found = found(1);
        assert!(found.add("a").unwrap());
        assert!(!found.add("a").unwrap());
        assert!(
            matches!(found.add("b"), Err(Trouble::TooMuch(why)) if why.contains("groups.most"))
        );
    }
}
