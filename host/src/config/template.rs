//! Text templates of claims: `{username}`, `{attributes.NAME}`; `{{` and `}}` are
//! literal braces. One parser for the check of the configuration and for tokens.

use super::key::nearest;

/// What templates may name, beside `attributes.NAME`.
const PLACEHOLDERS: [&str; 8] = [
    "id",
    "username",
    "email",
    "first_name",
    "last_name",
    "roles",
    "groups",
    "backend",
];

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text as it is.
    Text(String),
    /// The name between the braces; empty where a brace is not closed.
    Placeholder(String),
}

/// Takes a template apart. There is always at least one part.
pub fn parse(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        if from.starts_with("{{") || from.starts_with("}}") {
            plain.push_str(&from[..1]);
            rest = &from[2..];
        } else if let Some(inside) = from.strip_prefix('{') {
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            let (name, after) = inside.split_once('}').unwrap_or_default();
            parts.push(Part::Placeholder(name.to_owned()));
            rest = after;
        } else {
            plain.push('}');
            rest = &from[1..];
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() || parts.is_empty() {
        parts.push(Part::Text(plain));
    }
    parts
}

/// What is wrong with a placeholder's name, and what to do about it.
pub(super) fn problem(name: &str) -> Option<(String, String)> {
    let attribute = name.strip_prefix("attributes.");
    if PLACEHOLDERS.contains(&name) || attribute.is_some_and(|name| !name.is_empty()) {
        return None;
    }
    if name.is_empty() {
        return Some((
            "a { is not closed, or holds nothing".into(),
            "write {{ for a literal brace".into(),
        ));
    }
    let help = match nearest(name, PLACEHOLDERS) {
        Some(near) => format!("did you mean {{{near}}}?"),
        None => format!(
            "known: {}, attributes.NAME; {{{{ is a literal brace",
            PLACEHOLDERS.join(", ")
        ),
    };
    Some(("the template holds an unknown placeholder".into(), help))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_tells_text_from_placeholders() {
        let text = |text: &str| Part::Text(text.into());
        let name = |name: &str| Part::Placeholder(name.into());
        for (template, expected) in [
            ("", vec![text("")]),
            ("plain", vec![text("plain")]),
            ("{id}", vec![name("id")]),
            (
                "a{id}{email}b",
                vec![text("a"), name("id"), name("email"), text("b")],
            ),
            ("{{id}}", vec![text("{id}")]),
            ("{{{id}}}", vec![text("{"), name("id"), text("}")]),
            ("a}b", vec![text("a}b")]),
            ("a{b", vec![text("a"), name("")]),
        ] {
            assert_eq!(parse(template), expected, "{template}");
        }
    }
}
