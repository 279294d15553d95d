//! Entries for a search: by pages where that is asked for, and the server's own entry.

use ldap3::asn1::{StructureTag, TagClass, parse_tag};

use super::directory::{Directory, Entry};
use super::filter::Filter;
use super::wire::{
    self, PAGED, bytes, constructed, message, octets, parts, result, sequence, set, text, unsigned,
};
use super::{Connection, Seen};

impl Connection {
    pub(super) fn search(
        &self,
        id: &StructureTag,
        request: &StructureTag,
        controls: Option<&StructureTag>,
    ) -> Vec<StructureTag> {
        let [base, scope, _, _, _, _, filter, wanted] = parts(request) else {
            panic!("no search: {request:?}");
        };
        let (base, scope) = (text(base), unsigned(scope));
        let wanted: Vec<String> = parts(wanted).iter().map(text).collect();
        let control = controls
            .into_iter()
            .flat_map(parts)
            .find(|control| bytes(&parts(control)[0]) == PAGED.as_bytes());
        let attributes = wanted.clone();
        self.shared.note(Seen::Search {
            base: base.clone(),
            attributes,
            page: control.is_some(),
        });
        let directory = &self.shared.directory;
        if base.is_empty() && scope == 0 {
            return vec![directory.root(), result(5, 0, "", &[])];
        }
        if directory.active_directory && !self.bound {
            let text = "000004DC: LdapErr: DSID-0C090A5C, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v4563";
            return vec![result(5, 1, text, &[])];
        }
        let filter = Filter::read(directory, filter);
        let within: Vec<_> = directory
            .entries()
            .filter(|entry| entry.is_within(&base, scope))
            .collect();
        if within.is_empty() {
            return vec![result(5, 32, "0000208D: NameErr: no such object", &[])];
        }
        let found: Vec<_> = within
            .into_iter()
            .filter(|entry| filter.matches(directory, entry))
            .collect();
        let (from, size) = control.map_or((0, directory.page), |control| {
            page_of(control, directory.page)
        });
        let page = found.iter().skip(from).take(size);
        let mut answers: Vec<_> = page
            .map(|entry| shown(&entry.dn, directory.shown(entry, &wanted)))
            .collect();
        let next = Some(from + answers.len()).filter(|next| *next < found.len());
        answers.push(match control {
            Some(_) => message(id, result(5, 0, "", &[]), vec![wire::page(next)]),
            None if next.is_some() => result(5, 4, "sizeLimitExceeded", &[]),
            None => result(5, 0, "", &[]),
        });
        answers
    }
}

impl Directory {
    /// Says who it is before anybody is bound.
    fn root(&self) -> StructureTag {
        let mut attributes = vec![("supportedControl".to_owned(), vec![PAGED.into()])];
        if self.active_directory {
            let capabilities = vec![
                "1.2.840.113556.1.4.800".into(),
                "1.2.840.113556.1.4.1670".into(),
            ];
            attributes.push(("supportedCapabilities".to_owned(), capabilities));
        }
        shown("", attributes)
    }
}

impl Entry {
    fn is_within(&self, base: &str, scope: usize) -> bool {
        let (own, base) = (self.dn.to_ascii_lowercase(), base.to_ascii_lowercase());
        let below = own
            .strip_suffix(&base)
            .and_then(|rest| rest.strip_suffix(','));
        match scope {
            0 => own == base,
            1 => below.is_some_and(|rest| !rest.replace("\\,", "").contains(',')),
            _ => own == base || below.is_some(),
        }
    }
}

fn shown(dn: &str, attributes: Vec<(String, Vec<Vec<u8>>)>) -> StructureTag {
    let attributes = attributes.into_iter().map(|(name, values)| {
        sequence(vec![octets(name), set(values.iter().map(octets).collect())])
    });
    let parts = vec![octets(dn), sequence(attributes.collect())];
    constructed(TagClass::Application, 4, parts)
}

/// Where the page starts, and how long it is.
fn page_of(control: &StructureTag, most: usize) -> (usize, usize) {
    let value = parts(control).last().unwrap();
    let (_, value) = parse_tag(bytes(value)).unwrap();
    let [size, cookie] = parts(&value) else {
        panic!("no page: {value:?}");
    };
    (text(cookie).parse().unwrap_or(0), unsigned(size).min(most))
}
