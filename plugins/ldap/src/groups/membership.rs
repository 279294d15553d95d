//! `groups.filter`: how a group says who is in it. What comes from the directory or the user
//! goes in escaped (RFC 4515), and in one pass, so that no value is read as a placeholder.

use crate::filter::{Filter, escape};

const DN: &str = "{dn}";
const USERNAME: &str = "{username}";

/// A filter with placeholders.
#[derive(Debug)]
pub(super) struct Membership(String);

/// How `{dn}` is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Members themselves.
    Equal,
    /// Members of members, too: Active Directory's LDAP_MATCHING_RULE_IN_CHAIN.
    Chain,
}

impl Membership {
    /// Reads the operator's text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !text.contains(DN) && !text.contains(USERNAME) {
            return Err(format!(
                "{text:?} would put everybody into every group; expected {DN} or {USERNAME} in it"
            ));
        }
        // An escape may stand where a value may, and nowhere else. ldap3 would take a comparison
        // without parentheses, which cannot become a part of another filter.
        if !text.starts_with('(') {
            return Err(format!(
                "{text:?} is no filter; expected one in parentheses"
            ));
        }
        Filter::parse(&text.replace(DN, r"\28").replace(USERNAME, r"\28"))?;
        let rest = text.replace(DN, "").replace(USERNAME, "");
        if rest.contains(['{', '}']) {
            return Err(format!(
                "{text:?} has braces that are no placeholder; expected only {DN} (the DN of the user's \
                 entry) and {USERNAME}; a brace itself is \\7b or \\7d"
            ));
        }
        Ok(Membership(text.to_owned()))
    }

    /// The same for members that are groups, which have a DN and no log-in name.
    pub(super) fn with_dn(&self) -> Membership {
        if self.0.contains(DN) {
            return Membership(self.0.clone());
        }
        Membership(format!("(|{}(member={DN})(uniqueMember={DN}))", self.0))
    }

    /// Groups that hold any of these. Each comparison with `{dn}` becomes one with any of the names.
    pub(super) fn of_any(&self, names: &[&str], username: &str, rule: Rule) -> Filter {
        let mut filter = String::new();
        for (at, piece) in self.0.split(DN).enumerate() {
            let piece = piece.replace(USERNAME, &escape(username));
            if at == 0 {
                filter.push_str(&piece);
                continue;
            }
            // From its parenthesis to the one after the placeholder is the comparison.
            let open = filter.rfind('(').unwrap_or(0);
            let before = rule.write(&filter[open..]);
            filter.truncate(open);
            let close = piece.find(')').map_or(piece.len(), |close| close + 1);
            let (after, rest) = piece.split_at(close);
            let any = names
                .iter()
                .map(|name| format!("{before}{}{after}", escape(name)));
            match names {
                [_] => filter.extend(any),
                _ => {
                    filter.push_str("(|");
                    filter.extend(any);
                    filter.push(')');
                }
            }
            filter.push_str(rest);
        }
        Filter::made(filter)
    }
}

impl Rule {
    /// `(member=` by this rule.
    fn write(self, comparison: &str) -> String {
        match comparison.strip_suffix('=') {
            Some(attribute) if self == Rule::Chain && !attribute.ends_with(':') => {
                format!("{attribute}:1.2.840.113556.1.4.1941:=")
            }
            _ => comparison.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn made(filter: &str, names: &[&str], rule: Rule) -> String {
        let filter = Membership::parse(filter).unwrap();
        filter.with_dn().of_any(names, "a*da", rule).to_string()
    }

    #[test]
    fn comparison_is_with_any_of_the_names() {
        assert_eq!(
            made("(member={dn})", &["cn=a"], Rule::Equal),
            "(member=cn=a)"
        );
        assert_eq!(
            made(
                "(&(objectClass=g)(|(member={dn})(memberUid={username}))(x=y))",
                &["cn=a", r"cn=b\2c("],
                Rule::Equal
            ),
            r"(&(objectClass=g)(|(|(member=cn=a)(member=cn=b\5c2c\28))(memberUid=a\2ada))(x=y))"
        );
    }

    #[test]
    fn chain_asks_for_members_of_members() {
        assert_eq!(
            made("(&(cn=x)(member={dn}))", &["cn=a"], Rule::Chain),
            "(&(cn=x)(member:1.2.840.113556.1.4.1941:=cn=a))"
        );
        let own = "(member:1.2.840.113556.1.4.1941:={dn})";
        assert_eq!(
            made(own, &["cn=a"], Rule::Chain),
            own.replace("{dn}", "cn=a")
        );
    }

    #[test]
    fn groups_without_names_of_entries_are_climbed_by_the_usual_attributes() {
        assert_eq!(
            made("(memberUid={username})", &["cn=a"], Rule::Equal),
            r"(|(memberUid=a\2ada)(member=cn=a)(uniqueMember=cn=a))"
        );
    }

    #[test]
    fn value_is_never_a_placeholder_nor_a_part_of_the_filter() {
        let hostile = "x){dn}{username}(|(cn=*";
        for rule in [Rule::Equal, Rule::Chain] {
            let filter = Membership::parse("(|(member={dn})(memberUid={username}))").unwrap();
            let text = filter.of_any(&[hostile, hostile], hostile, rule);
            assert!(ldap3::parse_filter(text.as_str()).is_ok());
            let text = text.as_str();
            assert_eq!(text.matches(r"x\29{dn}{username}\28|\28cn=\2a").count(), 3);
        }
    }

    #[test]
    fn filter_that_cannot_work_is_refused_with_its_reason() {
        for (filter, why) in [
            ("(objectClass=group)", "everybody"),
            ("member={dn}", "parentheses"),
            ("({dn}=x)", "parentheses"),
            ("(member={dn}", "parentheses"),
            ("(member={dn})(x=y)", "parentheses"),
            ("(&(member={dn})(cn={user}))", "placeholder"),
        ] {
            let text = Membership::parse(filter).unwrap_err();
            assert!(text.contains(why), "{filter}: {text}");
        }
    }
}
