//! Searches for groups: those that hold the user, and those that hold such groups.

use super::found::Found;
use super::membership::{Membership, Rule};
use crate::entry::Entry;
use crate::filter::Filter;
use crate::net::{Query, Reach, Session};
use crate::trouble::Trouble;

pub(super) const GID_NUMBER: &str = "gidNumber";

/// Bytes of one filter. OpenLDAP takes requests up to 256 KiB from a client that is not bound, and
/// 500 names of 320 bytes fit in here.
const FILTER: usize = 192 * 1024;

pub(super) struct Search<'a> {
    pub(super) session: &'a mut Session,
    pub(super) base: &'a str,
    pub(super) membership: &'a Membership,
    pub(super) user: &'a Entry,
    pub(super) username: &'a str,
    pub(super) most: usize,
}

impl Search<'_> {
    /// The groups that hold the user himself.
    pub(super) async fn direct(&mut self) -> Result<Vec<String>, Trouble> {
        let filter = self
            .membership
            .of_any(&[&self.user.dn], self.username, Rule::Equal);
        self.groups(&self.or_of_his_number(filter)).await
    }

    /// The groups that hold the user or his primary group, at any depth, in one search.
    pub(super) async fn chain(&mut self, primary: Option<&str>) -> Result<Vec<String>, Trouble> {
        let mut names = vec![self.user.dn.as_str()];
        names.extend(primary);
        let membership = self.membership.of_groups().map_err(Trouble::Unavailable)?;
        let filter = membership.of_any(&names, self.username, Rule::Chain);
        if !self.session.is_active_directory() {
            return self.groups(&filter).await;
        }
        let groups = Filter::equals("objectCategory", "group");
        self.groups(&groups.and(&filter)).await
    }

    /// The groups that hold the user, and upwards from all that were found, level by level: one
    /// search for all groups of a level, each group once, so that a ring of groups ends.
    pub(super) async fn climb(&mut self, found: &mut Found, depth: usize) -> Result<(), Trouble> {
        let membership = self.membership.of_groups().map_err(Trouble::Unavailable)?;
        let mut level: Vec<String> = found.entries().map(str::to_owned).collect();
        level.push(self.user.dn.clone());
        // The first search finds the direct groups, the last one has to find nothing new.
        for climbed in 0..depth.saturating_add(2) {
            let mut above = Vec::new();
            for (part, names) in batches(&level, |name| membership.size(name))
                .into_iter()
                .enumerate()
            {
                let filter = membership.of_any(&names, self.username, Rule::Equal);
                let filter = if climbed == 0 && part == 0 {
                    self.or_of_his_number(filter)
                } else {
                    filter
                };
                for group in self.groups(&filter).await? {
                    if found.add(&group)? {
                        above.push(group);
                    }
                }
            }
            if above.is_empty() {
                return Ok(());
            }
            level = above;
        }
        Err(Trouble::TooMuch(format!(
            "{} is in groups that are nested deeper than {depth} levels (groups.depth)",
            self.user.dn
        )))
    }

    /// Or the primary group of a POSIX account (RFC 2307), which need not list him.
    fn or_of_his_number(&self, filter: Filter) -> Filter {
        let Some(number) = self.user.first(GID_NUMBER) else {
            return filter;
        };
        let posix = Filter::equals("objectClass", "posixGroup");
        filter.or(&posix.and(&Filter::equals(GID_NUMBER, number)))
    }

    async fn groups(&mut self, filter: &Filter) -> Result<Vec<String>, Trouble> {
        let found = self
            .session
            .search(&Query {
                base: self.base,
                depth: Reach::Subtree,
                filter,
                attributes: &["1.1"],
                // Every one holds him, so that more are too many.
                most: self.most,
            })
            .await?;
        Ok(found.into_iter().map(|group| group.dn).collect())
    }
}

/// As few as possible, each small enough for one filter.
fn batches(names: &[String], size_of: impl Fn(&str) -> usize) -> Vec<Vec<&str>> {
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    let mut size = 0;
    for name in names {
        let more = size_of(name);
        if size + more > FILTER && !batch.is_empty() {
            batches.push(std::mem::take(&mut batch));
            size = 0;
        }
        size += more;
        batch.push(name.as_str());
    }
    batches.push(batch);
    batches
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parts(filter: &str, names: &[String]) -> Vec<usize> {
        let membership = Membership::parse(filter).unwrap();
        let batches = batches(names, |name| membership.size(name));
        batches.iter().map(Vec::len).collect()
    }

    #[test]
    fn five_hundred_long_names_fit_one_filter() {
        let names = vec!["x".repeat(320); 500];
        assert_eq!(parts("(member={dn})", &names), [500]);
        let parts = parts("(member={dn})", &vec!["x".repeat(320); 5_000]);
        assert_eq!((parts.len(), parts.iter().sum::<usize>()), (10, 5_000));
    }

    #[test]
    fn name_that_is_compared_twice_counts_twice() {
        let names = vec!["x".repeat(320); 500];
        let parts = parts("(|(member={dn})(uniqueMember={dn}))", &names);
        assert_eq!(parts, [256, 244]);
    }

    #[test]
    fn name_that_is_longer_than_a_filter_is_asked_alone() {
        let names = ["x".repeat(FILTER), "y".to_owned()];
        assert_eq!(parts("(member={dn})", &names), [1, 1]);
    }
}
