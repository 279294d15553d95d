//! The settings of a backend; their doc comments are the operator's documentation.

use std::path::PathBuf;
use std::time::Duration;

use countersign_sdk::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

/// Users of a directory: OpenLDAP, Active Directory, FreeIPA, 389 Directory Server and others.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// One server, or several in the order in which they are tried (AUTH_LDAP_SERVER):
    /// `ldaps://host[:636]`, `ldap://host[:389]`, `ldapi://%2Frun%2Fslapd.sock`;
    /// `ldaps+srv://example.com` and `ldap+srv://example.com` ask DNS for the servers
    /// of a domain (`_ldaps._tcp`, `_ldap._tcp`; RFC 2782).
    pub url: OneOrMany,
    /// StartTLS on `ldap://` before anything else is said (AUTH_LDAP_USE_TLS). A server that refuses it is
    /// not used. Not with `ldaps://`, which has TLS from the first byte.
    #[serde(default)]
    pub start_tls: bool,
    /// Allows `ldap://` without StartTLS to other machines: passwords then cross the network
    /// in clear text.
    #[serde(default)]
    pub plain_text: bool,
    /// How the server is checked, and how we show ourselves.
    #[serde(default)]
    pub tls: Tls,
    /// The service account that looks users up (AUTH_LDAP_BIND_USER). Without it (and without `sasl_external` and
    /// `anonymous`) each user is bound directly, by `username_format` or `append_domain`.
    pub bind_dn: Option<String>,
    /// Its password (AUTH_LDAP_BIND_PASSWORD).
    pub bind_password: Option<Secret>,
    /// The service account is named by the client certificate in `tls`, or by the peer of an
    /// `ldapi://` socket (SASL EXTERNAL, RFC 4422).
    #[serde(default)]
    pub sasl_external: bool,
    /// Users are looked up without a service account, anonymously.
    #[serde(default)]
    pub anonymous: bool,
    /// Where and how users are found.
    #[serde(default)]
    pub search: Search,
    /// Direct flow: the name that binds, with `{username}` exactly once (AUTH_LDAP_USERNAME_FORMAT, `%s`
    /// there). In a DN as `uid={username},ou=people,dc=example,dc=com` the typed name is
    /// escaped; `{username}@example.com` and `CORP\{username}` are Active Directory's forms, and
    /// `{username}` alone binds what is typed in one of them.
    pub username_format: Option<String>,
    /// Direct flow: `@` and this domain, without `@`, follow the typed name, before `username_format`
    /// (AUTH_LDAP_APPEND_DOMAIN).
    pub append_domain: Option<String>,
    /// Which attributes say what.
    #[serde(default)]
    pub attributes: Attributes,
    /// Groups beyond those that the user's own entry names.
    #[serde(default)]
    pub groups: Groups,
    /// How long a server may take.
    #[serde(default)]
    pub timeouts: Timeouts,
    /// Connections of the service account that are kept.
    #[serde(default)]
    pub pool: Pool,
}

/// One text or a list of them.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several, in order.
    Many(Vec<String>),
}

/// TLS, for `ldaps://` and StartTLS.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// Certificates of the authorities that may have signed the server's, in PEM
    /// (AUTH_LDAP_TLS_CACERTFILE). Without it, the system's.
    #[schemars(extend("format" = "path"))]
    pub ca: Option<PathBuf>,
    /// Our own certificate and its chain, in PEM (AUTH_LDAP_TLS_CERTFILE).
    #[schemars(extend("format" = "path"))]
    pub certificate: Option<PathBuf>,
    /// Its private key, in PEM (AUTH_LDAP_TLS_KEYFILE).
    pub private_key: Option<Secret>,
    /// `false` takes any certificate from anybody: whoever is between us and the server reads
    /// every password. For a trial only.
    pub verify: bool,
}

/// The search for a user's entry.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Search {
    /// The entry below which users are searched (AUTH_LDAP_SEARCH). Empty: no search, which only the direct flow can do without.
    pub base: String,
    /// A filter that users must match besides their name (AUTH_LDAP_SEARCH_FILTER, RFC 4515).
    pub filter: String,
    /// The attribute that is compared with the typed name (AUTH_LDAP_UID_FIELD): `uid`, in Active Directory
    /// `sAMAccountName` or `userPrincipalName`. One that users cannot write themselves.
    pub uid_attribute: String,
    /// How deep below `base`.
    #[schemars(extend("default" = "subtree"))]
    pub scope: Depth,
}

/// How deep a search goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// The whole tree below the base.
    #[default]
    Subtree,
    /// The entries right below the base.
    One,
}

/// Names of attributes, in any case.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Attributes {
    /// What names a user for ever: becomes `sub` where he has no row elsewhere. Exactly one value, else he does
    /// not come in. `auto` takes `entryUUID`, `objectGUID`, `nsUniqueId` or `ipaUniqueID`, whichever the entry
    /// has first, else its DN.
    pub id: String,
    /// The log-in name as the token says it; empty: `search.uid_attribute`. One that users cannot write themselves.
    pub username: String,
    /// Given name (AUTH_LDAP_FIRSTNAME_FIELD).
    pub first_name: String,
    /// Family name (AUTH_LDAP_LASTNAME_FIELD).
    pub last_name: String,
    /// E-mail address (AUTH_LDAP_EMAIL_FIELD).
    pub email: String,
    /// The user's groups, as his own entry names them (AUTH_LDAP_GROUP_FIELD). Empty: none.
    pub groups: String,
}

/// Groups beyond those that the user's own entry names. What each rule finds is added: the values of
/// `attributes.groups`, the groups that `filter` finds below `base`, the user's primary group
/// (Active Directory's `primaryGroupID`; where groups are searched, the posixGroup with his
/// `gidNumber`), and what `nested` finds above these.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Groups {
    /// The entry below which groups are searched. Empty: groups of groups are searched below
    /// `search.base`, others not at all.
    pub base: String,
    /// Which of them hold the user: `{dn}` is his entry's name, `{username}` his log-in name, as in
    /// `(member={dn})` (groupOfNames), `(uniqueMember={dn})` (groupOfUniqueNames) and
    /// `(memberUid={username})` (posixGroup). For groups of groups, `{dn}` is the name of a group.
    pub filter: String,
    /// Groups of groups (AUTH_LDAP_USE_NESTED_GROUPS_FOR_ROLES): `auto` is `chain` where the server
    /// says that it is Active Directory, and `recursive` elsewhere; `chain` asks Active Directory's
    /// matching rule in chain, everything in one search (and then as `recursive`, where the server does not
    /// say that it is Active Directory: it may not know the rule); `recursive` asks level by level which
    /// groups hold the groups found so far, one search for each level; `off` takes direct groups only.
    #[schemars(extend("default" = "off"))]
    pub nested: Nested,
    /// Levels above the direct groups that `recursive` climbs. A deeper nesting is an error, never a user of
    /// fewer groups.
    pub depth: usize,
    /// Groups of one user. More are an error, never a user of fewer groups.
    pub most: usize,
    /// Groups are searched as the user himself, not as the service account.
    pub as_user: bool,
}

/// How groups of groups are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Nested {
    /// By what the server can do.
    Auto,
    /// Direct groups only.
    #[default]
    Off,
    /// Active Directory's LDAP_MATCHING_RULE_IN_CHAIN.
    Chain,
    /// Level by level.
    Recursive,
}

/// Time limits.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// For a connection, its TLS included, as `2s`.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "String", extend("format" = "duration-above-zero", "default" = "2s"))]
    pub connect: Duration,
    /// For one operation, as `5s`.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "String", extend("format" = "duration-above-zero", "default" = "5s"))]
    pub operation: Duration,
}

/// The service account's connections.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pool {
    /// The most at once to each server; many searches share one. As many connections on which
    /// users are bound one after another are kept beside them.
    pub size: usize,
    /// One that has not been used for so long is closed.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "String", extend("format" = "duration-above-zero", "default" = "60s"))]
    pub idle: Duration,
    /// One that is so old is closed, so that a balancer can spread them anew.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "String", extend("format" = "duration-above-zero", "default" = "10m"))]
    pub lifetime: Duration,
}

impl OneOrMany {
    /// In order.
    pub(crate) fn as_slice(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

impl Config {
    /// An empty text is the same as none: `"${LDAP_BIND_DN:-}"` chooses the direct flow.
    pub(crate) fn tidy(&mut self) {
        for text in [
            &mut self.bind_dn,
            &mut self.username_format,
            &mut self.append_domain,
        ] {
            *text = text.take().filter(|text| !text.trim().is_empty());
        }
        let password = self.bind_password.take();
        self.bind_password = password.filter(|password| !password.expose().is_empty());
    }

    /// Is a service account's connection what finds users?
    pub(crate) fn is_indirect(&self) -> bool {
        self.bind_dn.is_some() || self.sasl_external || self.anonymous
    }
}

impl Default for Tls {
    fn default() -> Self {
        Tls {
            ca: None,
            certificate: None,
            private_key: None,
            verify: true,
        }
    }
}

impl Default for Search {
    fn default() -> Self {
        Search {
            base: String::new(),
            filter: String::new(),
            uid_attribute: "uid".to_owned(),
            scope: Depth::default(),
        }
    }
}

impl Default for Attributes {
    fn default() -> Self {
        let owned = str::to_owned;
        Attributes {
            id: owned("auto"),
            username: String::new(),
            first_name: owned("givenName"),
            last_name: owned("sn"),
            email: owned("mail"),
            groups: owned("memberOf"),
        }
    }
}

impl Default for Groups {
    fn default() -> Self {
        Groups {
            base: String::new(),
            filter: "(member={dn})".to_owned(),
            nested: Nested::default(),
            depth: 10,
            most: 1_000,
            as_user: false,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            connect: Duration::from_secs(2),
            operation: Duration::from_secs(5),
        }
    }
}

impl Default for Pool {
    fn default() -> Self {
        Pool {
            size: 16,
            idle: Duration::from_secs(60),
            lifetime: Duration::from_secs(600),
        }
    }
}

/// `250ms`, `5s`, `1h 30m`, `1d`: what the host takes for a duration.
mod duration {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, de::Error};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(from)?;
        let time = humantime::parse_duration(text.trim()).ok();
        time.filter(|time| !time.is_zero()).ok_or_else(|| {
            D::Error::custom("expected a duration above zero, such as 250ms, 10s or 1h 30m")
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn schema_tells_the_defaults_that_hold() {
        let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
        let default = |of: &str, key: &str| {
            let found = &schema["$defs"][of]["properties"][key]["default"];
            assert_ne!(*found, Value::Null, "{of}.{key}");
            json!({ key: found })
        };
        let told =
            |key: &str| -> Timeouts { serde_json::from_value(default("Timeouts", key)).unwrap() };
        let (own, all) = (Timeouts::default(), ["connect", "operation"].map(told));
        for told in all {
            assert_eq!((told.connect, told.operation), (own.connect, own.operation));
        }
        let own = Pool::default();
        for key in ["size", "idle", "lifetime"] {
            let told: Pool = serde_json::from_value(default("Pool", key)).unwrap();
            assert_eq!(
                (told.size, told.idle, told.lifetime),
                (own.size, own.idle, own.lifetime)
            );
        }
        let told: Groups = serde_json::from_value(default("Groups", "nested")).unwrap();
        assert_eq!(told.nested, Groups::default().nested);
        let told: Search = serde_json::from_value(default("Search", "scope")).unwrap();
        assert_eq!(told.scope, Search::default().scope);
    }
}
