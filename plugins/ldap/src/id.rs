//! What names a user for ever: an attribute that no rename changes, as the directory's own
//! tools print it.

use crate::config::Attributes;
use crate::dn::Dn;
use crate::entry::Entry;
use crate::user::is_clean;

/// What `attributes.id: auto` takes, in this order.
pub(crate) const LASTING: &[&str] = &["entryUUID", "objectGUID", "nsUniqueId", "ipaUniqueID"];

/// The identifier of an entry; or why nothing names him for ever.
pub(crate) fn of(own: &Attributes, entry: &Entry) -> Result<String, String> {
    if own.id != "auto" {
        return match entry.bytes(&own.id) {
            [one] => text_of(&own.id, one),
            [] => Err(format!("has no `{}`", own.id)),
            _ => Err(format!("has several values of `{}`", own.id)),
        };
    }
    for name in LASTING {
        if let [one] = entry.bytes(name) {
            return text_of(name, one);
        }
    }
    match Dn::parse(&entry.dn) {
        Some(dn) => Ok(dn.to_string()),
        None => Err("has a name that is no distinguished name".to_owned()),
    }
}

/// An identifier as the directory's own tools print it.
fn text_of(name: &str, value: &[u8]) -> Result<String, String> {
    let text = if name.eq_ignore_ascii_case("objectGUID") {
        guid(value)
    } else if name.eq_ignore_ascii_case("objectSid") {
        sid(value)
    } else if name.eq_ignore_ascii_case("entryUUID") {
        std::str::from_utf8(value).ok().map(str::to_lowercase)
    } else {
        std::str::from_utf8(value).ok().map(str::to_owned)
    };
    let text = text.filter(|text| !text.is_empty() && is_clean(text));
    text.ok_or_else(|| format!("has a `{name}` that is no identifier"))
}

/// The first three fields are little-endian ([MS-DTYP] 2.3.4.2).
fn guid(value: &[u8]) -> Option<String> {
    let bytes: [u8; 16] = value.try_into().ok()?;
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let mut text = String::with_capacity(36);
    for (at, byte) in order.into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{:02x}", bytes[byte]));
    }
    Some(text)
}

/// `S-1-5-21-…` ([MS-DTYP] 2.4.2.2).
fn sid(value: &[u8]) -> Option<String> {
    let [revision, count, authority @ ..] = value.get(..8)? else {
        return None;
    };
    let authority = authority
        .iter()
        .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let parts = value.get(8..)?.chunks_exact(4);
    if parts.len() != usize::from(*count) || value.len() != 8 + 4 * parts.len() {
        return None;
    }
    let mut text = format!("S-{revision}-{authority}");
    for part in parts {
        let part: [u8; 4] = part.try_into().ok()?;
        text.push_str(&format!("-{}", u32::from_le_bytes(part)));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry(attributes: &[(&str, &[&[u8]])]) -> Entry {
        let attributes = attributes.iter().map(|(name, values)| {
            let values = values.iter().map(|value| value.to_vec()).collect();
            ((*name).to_owned(), values)
        });
        Entry::new("UID=Ada, ou=People,dc=x".to_owned(), attributes)
    }

    const GUID: &[u8] = &[
        0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee,
        0xff,
    ];

    #[test]
    fn auto_id_is_what_lasts_else_the_name() {
        let auto = |attributes: &[(&str, &[&[u8]])]| of(&Attributes::default(), &entry(attributes));
        let uuid: &[&[u8]] = &[b"0A1b2C3d-0000-4000-8000-000000000000"];
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(
            auto(&[("ENTRYuuid", uuid), ("objectGUID", &[GUID])]),
            ok("0a1b2c3d-0000-4000-8000-000000000000")
        );
        assert_eq!(
            auto(&[("objectguid", &[GUID])]),
            ok("00112233-4455-6677-8899-aabbccddeeff")
        );
        assert_eq!(
            auto(&[("nsUniqueId", &[b"7d-1"]), ("ipaUniqueID", &[b"x"])]),
            ok("7d-1")
        );
        assert_eq!(auto(&[("ipaUniqueID", &[b"x"])]), ok("x"));
        assert_eq!(auto(&[]), ok("uid=ada,ou=people,dc=x"));
        assert!(auto(&[("objectGUID", &[b"short"])]).is_err());
    }

    #[test]
    fn named_id_is_one_value_or_nobody_comes_in() {
        let own = |name: &str| Attributes {
            id: name.to_owned(),
            ..Attributes::default()
        };
        let sid: &[u8] = &[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
        let found = entry(&[
            ("employeeNumber", &[b"7"]),
            ("objectSid", &[sid]),
            ("uid", &[b"a", b"b"]),
        ]);
        assert_eq!(of(&own("employeenumber"), &found), Ok("7".to_owned()));
        assert_eq!(of(&own("objectSid"), &found), Ok("S-1-5-32-544".to_owned()));
        for name in ["uid", "absent"] {
            assert!(of(&own(name), &found).unwrap_err().contains(name));
        }
    }
}
