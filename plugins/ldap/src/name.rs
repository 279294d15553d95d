//! Names that people type, the names they are bound by, and whether an entry is the one
//! that was bound.

use crate::dn::{self, Dn};
use crate::entry::Entry;
use crate::filter::Filter;
use crate::template::Template;

/// The longest log-in name, in characters (X.520 bounds names of people so).
const LONGEST: usize = 256;

const PLACE: &str = "username";

/// A typed name as it is looked for: without the blanks around it, which directories
/// do not compare either. `None`: nobody is called so.
pub(crate) fn typed(text: &str) -> Option<&str> {
    let name = text.trim();
    let possible =
        !name.is_empty() && name.chars().count() <= LONGEST && !name.chars().any(char::is_control);
    possible.then_some(name)
}

/// The direct flow's rule: from the typed name to the one that is bound.
#[derive(Debug, Clone)]
pub(crate) struct BindName {
    domain: Option<String>,
    format: Option<Template>,
    is_dn: bool,
}

impl BindName {
    /// From `username_format` and `append_domain`, of which one may be missing.
    pub(crate) fn parse(format: Option<&str>, domain: Option<&str>) -> Result<Self, String> {
        let template = format.map(template).transpose()?;
        let sample = template.as_ref().map(|of| of.fill(|_| "a b".to_owned()));
        let is_dn = sample.as_deref().and_then(Dn::parse).is_some();
        if let (Some(format), false) = (format, is_dn)
            && format.contains('=')
        {
            return Err(format!(
                "expected a distinguished name (RFC 4514), or {{username}} with a domain, found {format:?}; \
                 write commas, quotes and the like within a value as \\2C or \\22"
            ));
        }
        Ok(BindName {
            domain: domain.map(str::to_owned),
            format: template,
            is_dn,
        })
    }

    /// Is the name that is bound the typed one, and nobody else's to spell?
    pub(crate) fn is_typed_whole(&self) -> bool {
        self.domain.is_none() && self.of("a") == "a"
    }

    /// Is it a distinguished name that is bound?
    pub(crate) fn is_dn(&self) -> bool {
        self.is_dn
    }

    /// The name that is bound. In a distinguished name the typed one is a value and nothing else.
    pub(crate) fn of(&self, typed: &str) -> String {
        let suffix = self.domain.as_ref().map(|domain| format!("@{domain}"));
        let name = match suffix {
            Some(suffix) if !ends_with(typed, &suffix) => format!("{typed}{suffix}"),
            _ => typed.to_owned(),
        };
        match &self.format {
            None => name,
            Some(format) if self.is_dn => format.fill(|_| dn::escape(&name)),
            Some(format) => format.fill(|_| name.clone()),
        }
    }
}

fn template(format: &str) -> Result<Template, String> {
    if format.contains("%s") {
        let ours = format.replace("%s", "{username}").replace("%%", "%");
        return Err(format!(
            "expected {{username}}, found Flask-AppBuilder's %s; write {ours:?}"
        ));
    }
    let template = Template::parse(format, &[PLACE])?;
    match template.count(PLACE) {
        1 => Ok(template),
        count => Err(format!(
            "expected {{username}} exactly once, found it {count} times in {format:?}; \
             as in uid={{username}},ou=people,dc=example,dc=com"
        )),
    }
}

fn ends_with(name: &str, suffix: &str) -> bool {
    let at = name.len().checked_sub(suffix.len());
    let end = at.filter(|at| *at > 0).and_then(|at| name.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

/// The forms of a name that a server takes for a bind ([MS-ADTS] 5.1.1.1.1).
enum Form<'a> {
    Dn(Dn),
    /// `user@domain`
    Principal,
    /// `DOMAIN\user`
    Account(&'a str),
    Bare,
}

fn form(bound: &str) -> Form<'_> {
    match (Dn::parse(bound), bound.split_once('\\')) {
        (Some(dn), _) => Form::Dn(dn),
        (None, Some((_, user))) => Form::Account(user),
        (None, None) if bound.contains('@') => Form::Principal,
        (None, None) => Form::Bare,
    }
}

/// Whom to look for after a bind by this name: the typed name's entry, and with it every other
/// one that the server may have meant.
pub(crate) fn bound_filter(uid_attribute: &str, typed: &str, bound: &str) -> Filter {
    let named = Filter::equals(uid_attribute, typed);
    match form(bound) {
        Form::Principal => named.or(&Filter::equals(PRINCIPAL, bound)),
        Form::Account(user) => named.or(&Filter::equals("sAMAccountName", user)),
        Form::Dn(_) | Form::Bare => named,
    }
}

const PRINCIPAL: &str = "userPrincipalName";
const ACCOUNT: &str = "msDS-PrincipalName";

/// Attributes that [`is_surely_bound`] looks at.
pub(crate) const IDENTITY: &[&str] = &[PRINCIPAL, ACCOUNT];

/// Is this entry the one whose password was right, whatever else the directory holds? A search by
/// the typed name may find another one: the bound name is read by the server's rules, which in
/// Active Directory are many, and by which one user's `userPrincipalName` may be `ada@corp.example`
/// where another one's account is called ada.
pub(crate) fn is_surely_bound(entry: &Entry, bound: &str) -> bool {
    let has = |name: &str| {
        let mut values = entry.all(name);
        values.any(|of| of.to_lowercase() == bound.to_lowercase())
    };
    match form(bound) {
        Form::Dn(dn) => Dn::parse(&entry.dn) == Some(dn),
        Form::Principal => has(PRINCIPAL),
        Form::Account(_) => has(ACCOUNT),
        Form::Bare => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry(dn: &str, attributes: &[(&str, &str)]) -> Entry {
        let attributes = attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), vec![value.as_bytes().to_vec()]));
        Entry::new(dn.to_owned(), attributes)
    }

    #[test]
    fn typed_name_is_trimmed_and_bounded() {
        assert_eq!(typed("  ada "), Some("ada"));
        assert_eq!(typed("Ada Lovelace"), Some("Ada Lovelace"));
        assert_eq!(typed(&"é".repeat(256)).map(str::len), Some(512));
        for none in [
            "",
            "  ",
            "a\0",
            "a\nb",
            "\u{7f}a",
            "a\u{85}b",
            &"a".repeat(257),
        ] {
            assert_eq!(typed(none), None, "{none:?}");
        }
    }

    #[test]
    fn l04_bound_name_keeps_the_typed_one_a_value() {
        let of = |format, domain, typed| BindName::parse(format, domain).unwrap().of(typed);
        let people = Some("uid={username},ou=people,dc=x");
        for (format, domain, typed, bound) in [
            (people, None, "ada", "uid=ada,ou=people,dc=x"),
            (
                people,
                None,
                "ada,ou=admins",
                r"uid=ada\,ou\=admins,ou=people,dc=x",
            ),
            (people, None, "a+cn=b", r"uid=a\+cn\=b,ou=people,dc=x"),
            (people, None, "#a", r"uid=\#a,ou=people,dc=x"),
            (people, Some("x.org"), "ada", "uid=ada@x.org,ou=people,dc=x"),
            (None, Some("x.org"), "ada", "ada@x.org"),
            (None, Some("x.org"), "ada@X.org", "ada@X.org"),
            (None, Some("x.org"), "ada@y.org", "ada@y.org@x.org"),
            (None, Some("x.org"), "@x.org", "@x.org@x.org"),
            (Some("{username}"), None, "ada@x.org", "ada@x.org"),
            (Some("{username}"), None, r"CORP\ada", r"CORP\ada"),
            (Some(r"CORP\{username}"), None, "ada", r"CORP\ada"),
            (Some("{username}@x.org"), None, "ada, b", "ada, b@x.org"),
        ] {
            assert_eq!(of(format, domain, typed), bound);
        }
    }

    #[test]
    fn format_that_cannot_be_meant_is_refused_with_the_remedy() {
        for (format, says) in [
            (
                "uid=%s,ou=people,dc=x",
                r#"write "uid={username},ou=people,dc=x""#,
            ),
            ("100%%%s", r#"write "100%{username}""#),
            ("uid=ada,dc=x", "exactly once, found it 0 times"),
            (
                "uid={username},cn={username}",
                "exactly once, found it 2 times",
            ),
            ("uid={user},dc=x", "expected {username}"),
            ("{username}=x,dc=x", "expected a distinguished name"),
            (r#"uid="{username}",dc=x"#, "expected a distinguished name"),
        ] {
            let error = BindName::parse(Some(format), None).unwrap_err();
            assert!(error.contains(says), "{format}: {error}");
        }
    }

    #[test]
    fn entry_is_surely_the_bound_one_only_where_no_other_can_be() {
        let ad = entry(
            "CN=Ada,OU=Staff,DC=corp,DC=example",
            &[
                ("sAMAccountName", "ada"),
                ("userPrincipalName", "ada.l@example.com"),
                ("msDS-PrincipalName", r"CORP\ada"),
            ],
        );
        let plain = entry("uid=ada,ou=people,dc=x", &[("uid", "ada")]);
        for (entry, bound, is) in [
            (&ad, "ADA.L@example.com", true),
            // It may be somebody else's principal name.
            (&ad, "ada@corp.example", false),
            (&ad, "ada@example.com", false),
            (&ad, r"corp\ADA", true),
            (&ad, r"other\ada", false),
            (&ad, "ada", false),
            (&ad, "cn=ada, ou=staff,dc=corp,dc=example", true),
            (&plain, "UID=Ada,ou=people,dc=x", true),
            (&plain, "uid=ada,ou=admins,dc=x", false),
            (&plain, "ada@x", false),
            (&plain, "ada", false),
            (&plain, r"x\ada", false),
        ] {
            assert_eq!(is_surely_bound(entry, bound), is, "{bound}");
        }
    }

    #[test]
    fn filter_finds_the_typed_name_and_whom_the_server_may_have_bound() {
        let text = |typed, bound| bound_filter("uid", typed, bound).to_string();
        assert_eq!(text("ada", "uid=ada,dc=x"), "(uid=ada)");
        assert_eq!(
            text("ada", "ada@x"),
            "(|(uid=ada)(userPrincipalName=ada@x))"
        );
        assert_eq!(
            text(r"X\a*", r"X\a*"),
            r"(|(uid=X\5ca\2a)(sAMAccountName=a\2a))"
        );
    }
}
