//! The primary group of a user of Active Directory. It stands neither in his `memberOf` nor in
//! its own `member`: his `objectSid` names his domain, and `primaryGroupID` the group in it.

use crate::dn::Dn;
use crate::entry::Entry;
use crate::filter::Filter;
use crate::net::{Query, Reach, Session};
use crate::trouble::Trouble;

/// What of the user's entry says it.
pub(super) const ATTRIBUTES: [&str; 2] = [OBJECT_SID, PRIMARY_GROUP_ID];

const OBJECT_SID: &str = "objectSid";
const PRIMARY_GROUP_ID: &str = "primaryGroupID";

/// noSuchObject (RFC 4511 appendix A).
const NO_SUCH_OBJECT: u32 = 32;

/// Its DN, of a user who has one. It is searched in the user's own domain, which always holds
/// it, wherever other groups are searched.
pub(super) async fn group(
    session: &mut Session,
    user: &Entry,
    base: &str,
) -> Result<Option<String>, Trouble> {
    let Some(sid) = sid(user) else {
        return Ok(None);
    };
    let domain = domain(&user.dn);
    let escaped: String = sid.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let found = session
        .search(&Query {
            base: domain.as_deref().unwrap_or(base),
            depth: Reach::Subtree,
            filter: &Filter::made(format!("({OBJECT_SID}={escaped})")),
            attributes: &["1.1"],
            most: 1,
        })
        .await;
    match found {
        Ok(found) => Ok(found.into_iter().next().map(|group| group.dn)),
        // A server that has only a part of the domain.
        Err(Trouble::Answer(answer)) if answer.code == NO_SUCH_OBJECT => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// The entry of the domain that an entry belongs to: `dc=corp,dc=example`.
fn domain(dn: &str) -> Option<String> {
    let domain = Dn::parse(dn)?.domain();
    let labels: Vec<String> = domain
        .split('.')
        .map(|label| format!("dc={label}"))
        .collect();
    Some(labels.join(",")).filter(|_| !domain.is_empty())
}

/// The user's own, its last number replaced. [MS-DTYP] 2.4.2.2: a revision, the count of numbers, six
/// bytes of authority, then the numbers, four bytes each, the lowest first.
fn sid(user: &Entry) -> Option<Vec<u8>> {
    let number: u32 = user.first(PRIMARY_GROUP_ID)?.parse().ok()?;
    let mut sid = user.bytes(OBJECT_SID).first()?.clone();
    let count = usize::from(*sid.get(1)?);
    if count < 2 || sid.len() != 8 + 4 * count {
        return None;
    }
    sid.truncate(sid.len() - 4);
    sid.extend(number.to_le_bytes());
    Some(sid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(sid: &[u8], group: &str) -> Entry {
        let values = [
            ("objectSid".to_owned(), vec![sid.to_vec()]),
            ("primaryGroupID".to_owned(), vec![group.into()]),
        ];
        Entry::new("CN=Ada,DC=x".to_owned(), values)
    }

    #[test]
    fn group_has_the_users_sid_with_its_own_number() {
        let ada = [1, 2, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 0x57, 4, 0, 0];
        let domain_users = [1, 2, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 2, 0, 0];
        assert_eq!(sid(&user(&ada, "513")), Some(domain_users.to_vec()));
    }

    #[test]
    fn domain_is_what_the_name_ends_in() {
        let dn = domain("CN=Ada,OU=Staff,DC=Corp,DC=Example");
        assert_eq!(dn.as_deref(), Some("dc=corp,dc=example"));
        assert_eq!(domain("uid=ada,o=x"), None);
        assert_eq!(domain("ada@corp.example"), None);
    }

    #[test]
    fn what_is_no_sid_has_no_group() {
        let ada = [1, 2, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 0x57, 4, 0, 0];
        for broken in [&[][..], &[1], &ada[..15], &[1, 0, 0, 0, 0, 0, 0, 5]] {
            assert_eq!(sid(&user(broken, "513")), None);
        }
        for number in ["", "-1", "many", "4294967296"] {
            assert_eq!(sid(&user(&ada, number)), None);
        }
    }
}
