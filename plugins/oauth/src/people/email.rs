//! E-mail addresses: which are believed, and which domains may come in.

use serde_json::{Map, Value};

/// The longest address (RFC 5321 section 4.5.3.1.3).
const LONGEST: usize = 254;

/// When an address is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Believed {
    /// Only with `email_verified: true`.
    Required,
    /// Unless `email_verified` is there and not true.
    #[default]
    UnlessFalse,
    /// Always.
    Ignored,
}

impl Believed {
    /// Is an address of these claims believed? `email_verified` speaks of the claim `email`
    /// alone: for an address of another claim it vouches never, and warns all the same.
    pub(crate) fn holds(self, claims: &Map<String, Value>, is_email: bool) -> bool {
        let is_true = |value: &Value| match value {
            Value::Bool(is) => *is,
            // Cognito's and some brokers' way to say it.
            Value::String(text) => text == "true",
            _ => false,
        };
        match (self, claims.get("email_verified")) {
            (Believed::Ignored, _) => true,
            (Believed::UnlessFalse, None) => true,
            (Believed::Required, _) if !is_email => false,
            (_, said) => said.is_some_and(is_true),
        }
    }
}

/// Whose users may come in.
#[derive(Debug)]
pub(crate) struct Domains(Vec<Domain>);

#[derive(Debug)]
enum Domain {
    Exact(String),
    /// With its leading dot: everything below, not itself.
    Below(String),
}

impl Domains {
    /// Domains as they are written in the configuration.
    ///
    /// # Errors
    /// Those that are none.
    pub(crate) fn parse(texts: &[String]) -> Result<Domains, String> {
        let (mut all, mut wrong) = (Vec::new(), Vec::new());
        for text in texts {
            match domain(text) {
                Some(domain) => all.push(domain),
                None => wrong.push(format!("{text:?}")),
            }
        }
        match wrong.is_empty() {
            true => Ok(Domains(all)),
            false => Err(format!(
                "expected domains without @, as in example.com or *.example.com, found {}",
                wrong.join(" and ")
            )),
        }
    }

    /// Is this the address of somebody of them? Both ends are compared, never a part.
    pub(crate) fn admit(&self, address: &str) -> bool {
        let Some(found) = domain_of(address) else {
            return false;
        };
        self.0.iter().any(|domain| match domain {
            Domain::Exact(name) => found == *name,
            Domain::Below(end) => found.len() > end.len() && found.ends_with(end.as_str()),
        })
    }
}

/// Is it one address, such as a mail server would take without quotes?
pub(crate) fn is_address(text: &str) -> bool {
    domain_of(text).is_some()
}

/// The domain in ASCII and lower case.
fn domain_of(address: &str) -> Option<String> {
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || "\"(),:;<>[]\\".contains(c);
    if address.len() > LONGEST || address.chars().any(is_odd) {
        return None;
    }
    let (local, domain) = address.split_once('@')?;
    (!local.is_empty()).then(|| ascii(domain)).flatten()
}

/// A host's name as DNS has it (RFC 5891); none = it is none, or one in disguise.
fn ascii(name: &str) -> Option<String> {
    let url::Host::Domain(found) = url::Host::parse(name).ok()? else {
        return None;
    };
    // Percent signs, fullwidth letters and invisible characters would become plain ones.
    let is_plain = |(written, found): (&str, &str)| match written.is_ascii() {
        true => written.eq_ignore_ascii_case(found) && is_label(found),
        false => found.starts_with("xn--") && is_label(found),
    };
    let is_same = name.split('.').count() == found.split('.').count();
    (is_same && name.split('.').zip(found.split('.')).all(is_plain)).then_some(found)
}

fn is_label(label: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let has_ends = !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    has_ends && label.len() <= 63 && label.bytes().all(is_inside)
}

fn domain(text: &str) -> Option<Domain> {
    let text = text.trim();
    let (name, below) = match text.strip_prefix("*.") {
        Some(name) => (name, true),
        None => (text, false),
    };
    match below {
        true => ascii(name).map(|name| Domain::Below(format!(".{name}"))),
        false => ascii(name).map(Domain::Exact),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;
    use crate::people::random;

    fn domains(texts: &[&str]) -> Domains {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        Domains::parse(&texts).unwrap()
    }

    #[test]
    fn domain_is_compared_whole() {
        let one = domains(&["example.com"]);
        for address in ["ada@example.com", "ADA@EXAMPLE.COM", "a.b+c@Example.Com"] {
            assert!(one.admit(address), "{address}");
        }
        for address in [
            "ada@notexample.com",
            "ada@example.com.evil.test",
            "ada@sub.example.com",
            "ada@example.comm",
            "ada@evil.test@example.com",
            "@example.com",
            "example.com",
            "ada@",
            "ada@example.com.",
            "",
            "ada@evil.test\n@example.com",
            "ada@example.com ",
            "\"ada@evil.test\"@example.com",
            "<ada@example.com>",
            "ada@evil.test,eve@example.com",
            "ada@example.com/x",
            "ada@example.com#x",
            "ada@example.com:80",
        ] {
            assert!(!one.admit(address), "{address}");
        }
    }

    #[test]
    fn everything_below_is_not_the_domain_itself() {
        let below = domains(&["*.example.com"]);
        assert!(below.admit("ada@a.example.com") && below.admit("ada@b.A.example.com"));
        for address in [
            "ada@example.com",
            "ada@aexample.com",
            "ada@.example.com",
            "ada@a.example.com.evil.test",
            "ada@a.example.community",
            "ada@a..example.com",
        ] {
            assert!(!below.admit(address), "{address}");
        }
    }

    #[test]
    fn domains_are_compared_as_dns_has_them() {
        for written in ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example"] {
            let one = domains(&[written]);
            assert!(one.admit("ada@bücher.example") && one.admit("ada@XN--BCHER-KVA.example"));
            // The same to the eye: a Cyrillic letter.
            assert!(!one.admit("ada@büсher.example"));
        }
        assert!(!domains(&["example.com"]).admit("ada@ехample.com"));
    }

    #[test]
    fn disguised_domain_is_another() {
        let one = domains(&["example.com"]);
        for address in [
            "ada@ex%61mple.com",
            "ada@\u{ff45}xample.com",
            "ada@exam\u{ad}ple.com",
            "ada@example\u{3002}com",
            "ada@example.com\u{200b}",
        ] {
            assert!(!one.admit(address), "{address}");
        }
    }

    #[test]
    fn what_is_no_domain_is_told() {
        for text in [
            "",
            "@example.com",
            "*",
            "*.",
            "*.*.example.com",
            ".example.com",
            "example.com.",
            "a b",
            "exa_mple.com",
            "https://example.com",
            "127.0.0.1",
            "[::1]",
            ".*\\.example\\.com",
            "-a.com",
        ] {
            assert!(Domains::parse(&[text.to_owned()]).is_err(), "{text}");
        }
    }

    #[test]
    fn whatever_is_admitted_ends_in_the_domain_after_its_only_at() {
        let all = domains(&["example.com", "*.example.com"]);
        for text in random::texts(50_000) {
            for address in [
                text.clone(),
                format!("{text}@example.com"),
                format!("a@{text}example.com"),
            ] {
                if all.admit(&address) {
                    let (local, domain) = address.split_once('@').unwrap();
                    let domain = domain.to_lowercase();
                    assert!(!local.is_empty() && !domain.contains('@'), "{address}");
                    assert!(
                        domain == "example.com" || domain.ends_with(".example.com"),
                        "{address}"
                    );
                }
            }
        }
    }

    #[test]
    fn address_is_believed_as_configured() {
        use Believed::{Ignored, Required, UnlessFalse};
        let holds =
            |believed: Believed, claims: Value| believed.holds(claims.as_object().unwrap(), true);
        for (said, expected) in [
            (json!({}), [false, true, true]),
            (json!({ "email_verified": true }), [true, true, true]),
            (json!({ "email_verified": "true" }), [true, true, true]),
            (json!({ "email_verified": false }), [false, false, true]),
            (json!({ "email_verified": "false" }), [false, false, true]),
            (json!({ "email_verified": null }), [false, false, true]),
            (json!({ "email_verified": 1 }), [false, false, true]),
        ] {
            let found = [Required, UnlessFalse, Ignored].map(|one| holds(one, said.clone()));
            assert_eq!(found, expected, "{said}");
        }
        let said = json!({ "email_verified": true });
        assert!(!Required.holds(said.as_object().unwrap(), false));
    }
}
