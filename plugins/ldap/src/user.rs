//! From an entry to the host's user: what it says of him, and whether his account is open.

use countersign_sdk::User;
use serde_json::Value;

use crate::config::Config;
use crate::dn::Dn;
use crate::entry::Entry;
use crate::groups;
use crate::id;
use crate::name::IDENTITY;

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
        "auto" => id::LASTING.to_vec(),
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
    let mut user = User::new(id::of(own, entry)?, username(config, entry, typed));
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

/// The first value that is a name or an address.
fn first<'a>(entry: &'a Entry, name: &str) -> Option<&'a str> {
    let mut values = entry.all(name).map(str::trim);
    values.find(|value| !value.is_empty() && is_clean(value))
}

/// Short enough, and without control characters?
pub(crate) fn is_clean(text: &str) -> bool {
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
