//! What the scripted server holds: entries, in Active Directory's manner or plainly.

use std::collections::HashMap;

/// The domain of [`Directory::active_directory`].
pub(crate) const DOMAIN: &str = "DC=corp,DC=test";

/// Its SID but for the last number: S-1-5-21-1-2-3.
const DOMAIN_SID: [u8; 24] = [
    1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0,
];

pub(crate) struct Directory {
    /// The chain rule, ranges, memberOf, `objectSid`, Active Directory's names and texts at a bind.
    pub(crate) active_directory: bool,
    /// Entries of one answer, at most (AD's MaxPageSize).
    pub(crate) page: usize,
    /// Values of one attribute in one answer, at most (AD's MaxValRange).
    pub(crate) range: usize,
    entries: Vec<Entry>,
    /// Groups by their members.
    groups: HashMap<Vec<u8>, Vec<usize>>,
}

#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) dn: String,
    pub(crate) attributes: Vec<(String, Vec<u8>)>,
}

impl Directory {
    /// A domain with the group Domain Users, which is everybody's primary group.
    pub(crate) fn active_directory() -> Self {
        let mut directory = Self::plain();
        directory.active_directory = true;
        directory.range = 1_500;
        let dn = directory.group("Domain Users", &[]);
        directory.set(&dn, "objectSid", sid(513));
        directory
    }

    /// No such features: groupOfNames, and no memberOf.
    pub(crate) fn plain() -> Self {
        let mut directory = Directory {
            active_directory: false,
            page: 1_000,
            range: usize::MAX,
            entries: Vec::new(),
            groups: HashMap::new(),
        };
        directory.entry(DOMAIN, &[("objectClass", "domain")]);
        directory
    }

    /// Adds a user with the password `NAME-pw`; says his DN.
    pub(crate) fn user(&mut self, name: &str) -> String {
        let dn = format!("CN={name},CN=Users,{DOMAIN}");
        let password = format!("{name}-pw");
        self.entry(
            &dn,
            &[
                ("objectClass", "person"),
                ("uid", name),
                ("userPassword", &password),
            ],
        );
        if self.active_directory {
            self.set(&dn, "sAMAccountName", name);
            self.set(&dn, "userPrincipalName", format!("{name}@corp.test"));
            self.set(&dn, "primaryGroupID", "513");
            self.set(&dn, "objectSid", sid(1_000 + self.entries.len() as u32));
        }
        dn
    }

    /// Adds a group; says its DN.
    pub(crate) fn group(&mut self, name: &str, members: &[&str]) -> String {
        let dn = format!("CN={name},OU=Groups,{DOMAIN}");
        self.entry(&dn, &[("objectClass", "group")]);
        for member in members {
            self.member(&dn, member);
        }
        dn
    }

    /// Puts a member into a group.
    pub(crate) fn member(&mut self, group: &str, member: &str) {
        self.set(group, "member", member);
        let at = self.place(group);
        self.groups
            .entry(fold(member.as_bytes()))
            .or_default()
            .push(at);
    }

    pub(crate) fn entry(&mut self, dn: &str, attributes: &[(&str, &str)]) {
        let attributes = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        let (dn, attributes) = (dn.to_owned(), attributes.collect());
        self.entries.push(Entry { dn, attributes });
    }

    /// Adds a value.
    pub(crate) fn set(&mut self, dn: &str, name: &str, value: impl AsRef<[u8]>) {
        let at = self.place(dn);
        let value = value.as_ref().to_vec();
        self.entries[at].attributes.push((name.to_owned(), value));
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    pub(super) fn groups_of(&self, member: &[u8]) -> impl Iterator<Item = &Entry> {
        let places = self.groups.get(&fold(member));
        places.into_iter().flatten().map(|at| &self.entries[*at])
    }

    pub(super) fn values(&self, entry: &Entry, name: &str) -> Vec<Vec<u8>> {
        if self.active_directory && name.eq_ignore_ascii_case("memberOf") {
            let groups = self.groups_of(entry.dn.as_bytes());
            return groups.map(|group| group.dn.clone().into_bytes()).collect();
        }
        let values = entry
            .attributes
            .iter()
            .filter(|(own, _)| own.eq_ignore_ascii_case(name));
        values.map(|(_, value)| value.clone()).collect()
    }

    /// What a search for these attributes shows, long ones by ranges.
    pub(super) fn shown(&self, entry: &Entry, wanted: &[String]) -> Vec<(String, Vec<Vec<u8>>)> {
        let mut names: Vec<&str> = wanted.iter().map(String::as_str).collect();
        if wanted.is_empty() || names.contains(&"*") {
            names.extend(entry.attributes.iter().map(|(name, _)| name.as_str()));
            names.push("memberOf");
        }
        let mut shown: Vec<(String, Vec<Vec<u8>>)> = Vec::new();
        for wanted in names {
            let (name, from) = match wanted.split_once(";range=") {
                Some((name, range)) => (name, range.split('-').next().unwrap().parse().unwrap()),
                None => (wanted, 0),
            };
            let known = |(shown, _): &(String, _)| {
                shown.split(';').next().unwrap().eq_ignore_ascii_case(name)
            };
            let values = self.values(entry, name);
            if name == "userPassword" || from >= values.len() || shown.iter().any(known) {
                continue;
            }
            let rest = values.len() - from;
            let some = values[from..].iter().take(self.range).cloned().collect();
            shown.push(match rest > self.range {
                true => (
                    format!("{name};range={from}-{}", from + self.range - 1),
                    some,
                ),
                false if from > 0 => (format!("{name};range={from}-*"), some),
                false => (name.to_owned(), some),
            });
        }
        shown
    }

    fn place(&self, dn: &str) -> usize {
        self.entries
            .iter()
            .rposition(|entry| entry.dn == dn)
            .unwrap()
    }
}

/// As texts are compared.
pub(super) fn fold(value: &[u8]) -> Vec<u8> {
    value.to_ascii_lowercase()
}

fn sid(number: u32) -> Vec<u8> {
    [&DOMAIN_SID[..], &number.to_le_bytes()].concat()
}
