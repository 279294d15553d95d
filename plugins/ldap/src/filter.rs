//! Search filters (RFC 4515), made so that a value cannot become a part of one: text that came
//! from outside goes in through [`Filter::equals`] or a [`Template`](crate::template::Template)
//! filled with [`escape`]d values, and in no other way.

use std::fmt;

/// The longest filter of an operator's that is read.
const LONGEST: usize = 8 << 10;

/// A filter that may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter(String);

impl Filter {
    /// The operator's own text.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!(
                "expected at most {LONGEST} bytes, found {}",
                text.len()
            ));
        }
        let text = text.trim();
        if ldap3::parse_filter(text).is_err() {
            return Err(format!(
                "expected a filter (RFC 4515) as in (objectClass=person), found {text:?}; \
                 see to the parentheses, and write ( ) * \\ within a value as \\28 \\29 \\2a \\5c"
            ));
        }
        // ldap3 reads one without, servers and Airflow do not.
        if !text.starts_with('(') {
            return Err(format!(
                "expected a filter in parentheses, found {text:?}; write ({text})"
            ));
        }
        Ok(Filter(text.to_owned()))
    }

    /// Entries whose attribute has this value.
    pub(crate) fn equals(attribute: &str, value: &str) -> Self {
        Filter(format!("({attribute}={})", escape(value)))
    }

    /// A text made of filters that were read and of values that were [`escape`]d.
    pub(crate) fn made(text: String) -> Self {
        Filter(text)
    }

    /// Entries that match both.
    pub(crate) fn and(&self, other: &Filter) -> Self {
        Filter(format!("(&{}{})", self.0, other.0))
    }

    /// Entries that match one of them, or both.
    pub(crate) fn or(&self, other: &Filter) -> Self {
        Filter(format!("(|{}{})", self.0, other.0))
    }

    /// Its text, to be sent.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 4515 section 3.
pub(crate) fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '\\' | '*' | '(' | ')' | '\0' => {
                escaped.push_str(&format!("\\{:02x}", character as u32));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn l03_value_stays_one_value_whatever_it_is() {
        for (value, text) in [
            ("ada", "(uid=ada)"),
            ("*", r"(uid=\2a)"),
            ("*)(uid=*", r"(uid=\2a\29\28uid=\2a)"),
            ("admin)(&)", r"(uid=admin\29\28&\29)"),
            (r"\28", r"(uid=\5c28)"),
            ("a\0b", r"(uid=a\00b)"),
            ("José", "(uid=José)"),
            ("", "(uid=)"),
        ] {
            assert_eq!(Filter::equals("uid", value).as_str(), text);
            assert_eq!(sent_value(&Filter::equals("uid", value)), value.as_bytes());
        }
    }

    #[test]
    fn escaped_value_parses_back() {
        for value in crate::random::texts(20_000) {
            assert_eq!(
                sent_value(&Filter::equals("cn;lang-en", &value)),
                value.as_bytes(),
                "{value:?}"
            );
        }
    }

    #[test]
    fn filter_of_an_operator_is_read_or_refused_with_the_remedy() {
        for text in [
            "(objectClass=person)",
            " (objectClass=person)\n",
            "(&(a=b)(|(c=d)(!(e=f))))",
            "(userAccountControl:1.2.840.113556.1.4.803:=2)",
            "(cn=a*b*c)",
            "(mail=*)",
        ] {
            assert_eq!(Filter::parse(text).unwrap().as_str(), text.trim());
        }
        for text in [
            "",
            "(",
            "()",
            "(a=b",
            "(a=b)(c=d)",
            "(a=b))",
            "(a b=c)",
            "(a=\\2)",
            "(&(a=b)c=d)",
        ] {
            assert!(Filter::parse(text).is_err(), "{text:?}");
        }
        let bare = Filter::parse("objectClass=person").unwrap_err();
        assert!(bare.ends_with("write (objectClass=person)"), "{bare}");
        assert!(Filter::parse(&format!("(a={})", "x".repeat(LONGEST))).is_err());
    }

    #[test]
    fn filters_are_joined() {
        let (a, b) = (Filter::equals("a", "1"), Filter::equals("b", "2"));
        assert_eq!(a.and(&b).to_string(), "(&(a=1)(b=2))");
        assert_eq!(a.or(&b).to_string(), "(|(a=1)(b=2))");
    }

    /// The value of an equality filter, from the bytes that ldap3 would send.
    fn sent_value(filter: &Filter) -> Vec<u8> {
        use ldap3::asn1::{ASNTag, PL};
        let parsed = ldap3::parse_filter(filter.as_str())
            .unwrap()
            .into_structure();
        assert_eq!(parsed.id, 3, "an equality match");
        let PL::C(parts) = parsed.payload else {
            panic!("no sequence")
        };
        match &parts[1].payload {
            PL::P(bytes) => bytes.clone(),
            PL::C(_) => panic!("no text"),
        }
    }
}
