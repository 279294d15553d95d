//! From an entry to the host's user: what names him for ever, and what his entry says of him.

use countersign_sdk::User;
use serde_json::Value;

use crate::config::{Attributes, Config};
use crate::dn::Dn;
use crate::entry::Entry;
use crate::groups;
use crate::name::IDENTITY;

/// What `attributes.id: auto` takes, in this order.
const LASTING: &[&str] = &["entryUUID", "objectGUID", "nsUniqueId", "ipaUniqueID"];

/// Where Active Directory says "locked", which `userAccountControl` never does ([MS-ADTS] 3.1.1.4.5.17).
const COMPUTED: &str = "msDS-User-Account-Control-Computed";

/// What tells an account that may not log in.
const STATE: &[&str] = &[
    "userAccountControl",
    COMPUTED,
    "nsAccountLock",
    "pwdAccountLockedTime",
];

/// The longest name or address that is taken, in characters: Airflow's column of addresses.
const LONGEST: usize = 512;

/// All attributes that a user's entry is asked for.
pub(crate) fn attributes(config: &Config) -> Vec<&str> {
    let own = &config.attributes;
    let id = match own.id.as_str() {
        "auto" => LASTING.to_vec(),
        one => vec![one],
    };
    let named = [
        config.search.uid_attribute.as_str(),
        &own.username,
        &own.first_name,
        &own.last_name,
        &own.email,
    ];
    let all = id
        .into_iter()
        .chain(named)
        .chain(groups::attributes(config))
        .chain([STATE, IDENTITY].concat());
    let mut wanted: Vec<&str> = Vec::new();
    for name in all.filter(|name| !name.is_empty()) {
        if !wanted.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            wanted.push(name);
        }
    }
    wanted
}

/// The user of an entry, without groups; or why nothing names him for ever.
pub(crate) fn of_entry(config: &Config, entry: &Entry, typed: &str) -> Result<User, String> {
    let own = &config.attributes;
    let mut user = User::new(id(own, entry)?, username(config, entry, typed));
    let text = |name: &str| first(entry, name).unwrap_or_default().to_owned();
    user.first_name = text(&own.first_name);
    user.last_name = text(&own.last_name);
    user.email = text(&own.email);
    user.attributes
        .insert("dn".to_owned(), Value::from(entry.dn.as_str()));
    Ok(user)
}

/// The user of whom nothing is known but the name that was bound.
pub(crate) fn of_bound(bound: &str, typed: &str) -> User {
    match Dn::parse(bound) {
        Some(dn) => {
            let mut user = User::new(dn.to_string(), typed);
            user.attributes.insert("dn".to_owned(), Value::from(bound));
            user
        }
        None => User::new(bound.to_lowercase(), typed),
    }
}

/// The user's name in the token, as the directory writes it.
pub(crate) fn username(config: &Config, entry: &Entry, typed: &str) -> String {
    let own = Some(&config.attributes.username).filter(|name| !name.is_empty());
    let name = own.unwrap_or(&config.search.uid_attribute);
    spelled(entry, name, typed).to_owned()
}

/// The name that he is found and listed in groups by, as the directory writes it.
pub(crate) fn uid<'a>(config: &Config, entry: &'a Entry, typed: &'a str) -> &'a str {
    spelled(entry, &config.search.uid_attribute, typed)
}

/// Of several values the one that was typed.
fn spelled<'a>(entry: &'a Entry, name: &str, typed: &'a str) -> &'a str {
    let folded = typed.to_lowercase();
    let values: Vec<&str> = entry.all(name).filter(|value| is_clean(value)).collect();
    let same = values.iter().find(|value| value.to_lowercase() == folded);
    same.or(values.first()).copied().unwrap_or(typed)
}

/// Why the account may not log in, as its entry tells.
pub(crate) fn inactive(entry: &Entry) -> Option<&'static str> {
    let controls = ["userAccountControl", COMPUTED].map(|name| entry.first(name));
    let bits = controls
        .into_iter()
        .flatten()
        .filter_map(|text| text.parse::<i64>().ok())
        .fold(0, |all, bits| all | bits);
    // ADS_UF_ACCOUNTDISABLE, ADS_UF_LOCKOUT, ADS_UF_PASSWORD_EXPIRED.
    for (bit, why) in [
        (0x2, "the account is disabled"),
        (0x10, "the account is locked"),
        (0x80_0000, "the password has expired"),
    ] {
        if bits & bit != 0 {
            return Some(why);
        }
    }
    let locked = entry.first("nsAccountLock");
    if locked.is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return Some("the account is disabled");
    }
    // draft-behera-ldap-password-policy section 5.3.3: locked for good.
    let since = entry.first("pwdAccountLockedTime");
    since
        .is_some_and(|time| time == "000001010000Z")
        .then_some("the account is locked")
}

fn id(own: &Attributes, entry: &Entry) -> Result<String, String> {
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

/// The first value that is a name or an address.
fn first<'a>(entry: &'a Entry, name: &str) -> Option<&'a str> {
    let mut values = entry.all(name).map(str::trim);
    values.find(|value| !value.is_empty() && is_clean(value))
}

fn is_clean(text: &str) -> bool {
    text.chars().count() <= LONGEST && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn config(more: Value) -> Config {
        let mut config = json!({ "url": "ldaps://a", "search": { "base": "dc=x" } });
        config
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        serde_json::from_value(config).unwrap()
    }

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
        let id_of =
            |attributes: &[(&str, &[&[u8]])]| id(&Attributes::default(), &entry(attributes));
        let uuid: &[&[u8]] = &[b"0A1b2C3d-0000-4000-8000-000000000000"];
        let ok = |text: &str| Ok(text.to_owned());
        assert_eq!(
            id_of(&[("ENTRYuuid", uuid), ("objectGUID", &[GUID])]),
            ok("0a1b2c3d-0000-4000-8000-000000000000")
        );
        assert_eq!(
            id_of(&[("objectguid", &[GUID])]),
            ok("00112233-4455-6677-8899-aabbccddeeff")
        );
        assert_eq!(
            id_of(&[("nsUniqueId", &[b"7d-1"]), ("ipaUniqueID", &[b"x"])]),
            ok("7d-1")
        );
        assert_eq!(id_of(&[("ipaUniqueID", &[b"x"])]), ok("x"));
        assert_eq!(id_of(&[]), ok("uid=ada,ou=people,dc=x"));
        assert!(id_of(&[("objectGUID", &[b"short"])]).is_err());
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
        assert_eq!(id(&own("employeenumber"), &found), Ok("7".to_owned()));
        assert_eq!(id(&own("objectSid"), &found), Ok("S-1-5-32-544".to_owned()));
        for name in ["uid", "absent"] {
            assert!(id(&own(name), &found).unwrap_err().contains(name));
        }
    }

    #[test]
    fn username_is_the_directorys_spelling_of_the_typed_one() {
        let found = entry(&[
            ("uid", &[b"Countess", b"Ada"]),
            ("sAMAccountName", &[b"ADA1"]),
        ]);
        let plain = config(json!({}));
        assert_eq!(username(&plain, &found, "aDA"), "Ada");
        assert_eq!(username(&plain, &found, "other"), "Countess");
        let own = config(json!({ "attributes": { "username": "samaccountname" } }));
        assert_eq!(username(&own, &found, "ada"), "ADA1");
        assert_eq!(
            username(&plain, &entry(&[("uid", &[b"a\nb"])]), "ada"),
            "ada"
        );
    }

    #[test]
    fn names_are_the_first_values_that_are_text() {
        let found = entry(&[
            ("GIVENNAME", &[b"", b"\xff", b" Ada "]),
            ("sn", &[b"  "]),
            ("mail", &[b"a\nb@x", b"ada@x"]),
        ]);
        let user = of_entry(&config(json!({})), &found, "ada").unwrap();
        assert_eq!(
            (user.first_name.as_str(), user.last_name.as_str()),
            ("Ada", "")
        );
        assert_eq!(user.email, "ada@x");
        assert_eq!(user.attributes["dn"], "UID=Ada, ou=People,dc=x");
    }

    #[test]
    fn unknown_attributes_are_named_after_the_bound_name() {
        let user = of_bound("uid=Ada,  dc=x", "Ada");
        assert_eq!(
            (user.id.as_str(), user.username.as_str()),
            ("uid=ada,dc=x", "Ada")
        );
        assert_eq!(of_bound("Ada@X.org", "Ada").id, "ada@x.org");
    }

    #[test]
    fn inactive_account_is_told() {
        let told = |name, value: &[u8]| inactive(&entry(&[(name, &[value])]));
        assert_eq!(
            told("userAccountControl", b"514"),
            Some("the account is disabled")
        );
        assert_eq!(told(COMPUTED, b"16"), Some("the account is locked"));
        assert_eq!(told(COMPUTED, b"8388608"), Some("the password has expired"));
        assert_eq!(told(COMPUTED, b"0"), None);
        assert_eq!(
            told("nsAccountLock", b"TRUE"),
            Some("the account is disabled")
        );
        assert_eq!(
            told("pwdAccountLockedTime", b"000001010000Z"),
            Some("the account is locked")
        );
        assert_eq!(told("userAccountControl", b"512"), None);
        assert_eq!(told("nsAccountLock", b"false"), None);
    }

    #[test]
    fn entry_is_asked_for_each_attribute_once() {
        let config = config(json!({ "attributes": { "username": "UID", "groups": "" } }));
        let wanted = attributes(&config);
        let uids = wanted
            .iter()
            .filter(|name| name.eq_ignore_ascii_case("uid"));
        assert_eq!(uids.count(), 1);
        assert!(!wanted.contains(&""));
        assert!(wanted.contains(&"entryUUID") && wanted.contains(&"objectGUID"));
    }
}
