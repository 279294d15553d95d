//! `groups.filter`: how a group says who is in it. What comes from the directory or the user
//! goes in escaped (RFC 4515), and no value is read as a placeholder.

use crate::filter::{Filter, escape};
use crate::template::Template;

/// Where `{dn}` is while a filter is made: what no filter has.
const DN: char = '\0';

/// What a comparison adds to a name on the wire, at most: its attribute and its lengths.
const COMPARISON: usize = 64;

/// A filter with placeholders.
#[derive(Debug)]
pub(super) struct Membership {
    text: String,
    template: Template,
    /// May each comparison be asked for any of the names by itself?
    separable: bool,
}

/// How `{dn}` is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Members themselves.
    Equal,
    /// Members of members, too: Active Directory's LDAP_MATCHING_RULE_IN_CHAIN.
    Chain,
}

impl Membership {
    /// Can the operator's text find the groups of one user?
    pub(super) fn check(text: &str) -> Result<(), String> {
        let template = Membership::parse(text)?.template;
        if template.count("dn") + template.count("username") == 0 {
            return Err(format!(
                "expected {{dn}} or {{username}}, without which it puts everybody into every group, found {text:?}; \
                 as in (member={{dn}}) or (memberUid={{username}})"
            ));
        }
        // An escape may stand where a value may, and nowhere else.
        Filter::parse(&template.fill(|_| r"\28".to_owned())).map(drop)
    }

    /// Reads the operator's text.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let template = Template::parse(text, &["dn", "username"])?;
        Ok(Membership {
            text: text.to_owned(),
            separable: is_separable(&marked(&template, "")),
            template,
        })
    }

    /// The same for members that are groups, which have a DN and no log-in name.
    pub(super) fn of_groups(&self) -> Result<Self, String> {
        if self.template.count("dn") > 0 {
            return Self::parse(&self.text);
        }
        Self::parse(&format!(
            "(|{}(member={{dn}})(uniqueMember={{dn}}))",
            self.text
        ))
    }

    /// Groups that hold any of these.
    pub(super) fn of_any(&self, names: &[&str], username: &str, rule: Rule) -> Filter {
        let text = marked(&self.template, username);
        if self.separable {
            return Filter::made(compared(&text, names, rule));
        }
        let each = names.iter().map(|name| compared(&text, &[name], rule));
        Filter::made(any(each.collect()))
    }

    /// Bytes that a name adds to the filter, at most.
    pub(super) fn size(&self, name: &str) -> usize {
        let whole = if self.separable { 0 } else { self.text.len() };
        whole + self.template.count("dn") * (name.len() + COMPARISON)
    }
}

/// The text with [`DN`] at each `{dn}`.
fn marked(template: &Template, username: &str) -> String {
    template.fill(|place| match place {
        "dn" => DN.to_string(),
        _ => escape(username),
    })
}

/// With each comparison with [`DN`] as one with any of the names.
fn compared(text: &str, names: &[&str], rule: Rule) -> String {
    let mut pieces = text.split(DN);
    let mut filter = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // From its parenthesis to the one after the placeholder is the comparison.
        let open = filter.rfind('(').unwrap_or(0);
        let before = rule.write(&filter[open..]);
        filter.truncate(open);
        let close = piece.find(')').map_or(piece.len(), |close| close + 1);
        let (after, rest) = piece.split_at(close);
        let each = names
            .iter()
            .map(|name| format!("{before}{}{after}", escape(name)));
        filter.push_str(&any(each.collect()));
        filter.push_str(rest);
    }
    filter
}

fn any(filters: Vec<String>) -> String {
    match filters.as_slice() {
        [one] => one.clone(),
        several => format!("(|{})", several.concat()),
    }
}

/// Not where two comparisons must hold of one name together, nor where one must not hold: asked by
/// itself, each would be content with another name.
fn is_separable(text: &str) -> bool {
    // Of each filter that is open: its sign, and how many of its parts hold a name.
    let mut open: Vec<(Option<char>, usize)> = Vec::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let holds = match character {
            '(' => {
                open.push((characters.peek().copied(), 0));
                false
            }
            ')' => match open.pop() {
                Some((Some('|'), parts)) => parts > 0,
                Some((Some('!'), 1..)) | Some((_, 2..)) => return false,
                closed => matches!(closed, Some((_, 1))),
            },
            other => other == DN,
        };
        if let (true, Some((_, parts))) = (holds, open.last_mut()) {
            *parts += 1;
        }
    }
    true
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
        filter
            .of_groups()
            .unwrap()
            .of_any(names, "a*da", rule)
            .to_string()
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
    fn comparisons_that_belong_together_are_with_one_name_each_time() {
        for filter in [
            "(&(member={dn})(owner={dn}))",
            "(&(cn=x)(member={dn})(|(owner={dn})(manager={dn})))",
            "(&(member={dn})(!(excluded={dn})))",
            "(!(member={dn}))",
            "(x={dn}-{dn})",
        ] {
            let one = |name: &str| filter.replace("{dn}", name);
            assert_eq!(
                made(filter, &["cn=a", "cn=b"], Rule::Equal),
                format!("(|{}{})", one("cn=a"), one("cn=b"))
            );
        }
        assert_eq!(
            made("(&(cn=x)(|(a={dn})(b={dn})))", &["1", "2"], Rule::Equal),
            "(&(cn=x)(|(|(a=1)(a=2))(|(b=1)(b=2))))"
        );
    }

    #[test]
    fn size_is_never_less_than_what_a_name_adds() {
        for filter in [
            "(member={dn})",
            "(|(member={dn})(uniqueMember={dn}))",
            "(&(objectClass=groupOfNames)(member={dn})(!(excluded={dn})))",
        ] {
            let membership = Membership::parse(filter).unwrap();
            let names = ["cn=somebody,dc=x"; 100];
            let made = membership.of_any(&names, "ada", Rule::Chain);
            let size: usize = names.iter().map(|name| membership.size(name)).sum();
            assert!(made.as_str().len() <= size + filter.len(), "{filter}");
        }
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
    fn any_names_make_a_filter_that_servers_read() {
        let membership = Membership::parse("(|(member={dn})(memberUid={username}))").unwrap();
        for text in crate::random::texts(5_000) {
            let filter = membership.of_any(&[&text, &text], &text, Rule::Chain);
            assert!(ldap3::parse_filter(filter.as_str()).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn filter_that_cannot_work_is_refused_with_its_reason() {
        for (filter, why) in [
            ("(objectClass=group)", "into every group"),
            ("member={dn}", "in parentheses"),
            ("(member={dn}", "parentheses"),
            ("(member={dn})(x=y)", "parentheses"),
            ("({dn}=x)", "expected a filter"),
            ("(&(member={dn})(cn={user}))", "{dn}"),
        ] {
            let text = Membership::check(filter).unwrap_err();
            assert!(text.contains(why), "{filter}: {text}");
        }
    }
}
