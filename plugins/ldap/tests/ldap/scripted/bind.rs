//! Who may come in: by a DN, and on Active Directory by `ada@corp.test` and `CORP\ada`.

use ldap3::asn1::StructureTag;

use super::directory::{Directory, Entry};
use super::wire::{bytes, parts, result, text};
use super::{Connection, Reply, Seen};

impl Connection {
    /// An empty password is anybody's, as Active Directory has it: the caller must not ask.
    pub(super) fn bind(&mut self, request: &StructureTag) -> StructureTag {
        let [_, name, password] = parts(request) else {
            panic!("no bind: {request:?}");
        };
        let name = text(name);
        self.shared.note(Seen::Bind { name: name.clone() });
        let directory = &self.shared.directory;
        let user = directory
            .entries()
            .find(|entry| directory.is_named(entry, &name));
        let right = |user: &Entry| directory.values(user, "userPassword") == [bytes(password)];
        self.bound = bytes(password).is_empty() || user.is_some_and(right);
        if self.bound {
            return result(1, 0, "", &[]);
        }
        match Reply::data(if user.is_some() { "52e" } else { "525" }) {
            Reply::Result(code, text, _) if directory.active_directory => {
                result(1, code, &text, &[])
            }
            _ => result(1, 49, "", &[]),
        }
    }
}

impl Directory {
    fn is_named(&self, entry: &Entry, name: &str) -> bool {
        if entry.dn.eq_ignore_ascii_case(name) {
            return true;
        }
        let is = |attribute: &str, wanted: &str| {
            let mut values = self.values(entry, attribute).into_iter();
            self.active_directory
                && values.any(|value| value.eq_ignore_ascii_case(wanted.as_bytes()))
        };
        let account = name.strip_prefix("CORP\\");
        is("userPrincipalName", name)
            || account.is_some_and(|account| is("sAMAccountName", account))
    }
}
