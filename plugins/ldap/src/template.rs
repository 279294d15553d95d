//! Texts of an operator's with places for values, such as `uid={username},ou=people,dc=x`.
//! Values go in escaped for what the text is, once, and are never read again for places.

/// A text with places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(&'static str),
}

impl Template {
    /// Reads a text whose places have these names: `{name}`; `{{` is a brace.
    pub(crate) fn parse(text: &str, names: &[&'static str]) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            plain.push_str(before);
            if let Some(after) = after.strip_prefix('{') {
                plain.push('{');
                rest = after;
                continue;
            }
            let place = after.split_once('}');
            let known = place.and_then(|(name, _)| names.iter().find(|known| **known == name));
            let (Some(name), Some((_, after))) = (known, place) else {
                let expected = names.iter().map(|name| format!("{{{name}}}"));
                return Err(format!(
                    "expected {} after each brace (or {{{{ for a brace itself), found {text:?}",
                    expected.collect::<Vec<_>>().join(" or ")
                ));
            };
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(Piece::Place(name));
            rest = after;
        }
        plain.push_str(rest);
        pieces.push(Piece::Text(plain));
        Ok(Template(pieces))
    }

    /// How often the place occurs.
    pub(crate) fn count(&self, name: &str) -> usize {
        let places = self
            .0
            .iter()
            .filter(|piece| matches!(piece, Piece::Place(place) if *place == name));
        places.count()
    }

    /// The text with each place filled, by its name.
    pub(crate) fn fill(&self, value: impl Fn(&str) -> String) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Place(name) => value(name),
        });
        pieces.collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn places_are_filled_and_values_are_not_read_again() {
        let template = Template::parse("(&(m={dn})(n={{{username}))", &["dn", "username"]).unwrap();
        assert_eq!((template.count("dn"), template.count("username")), (1, 1));
        let filled = template.fill(|name| format!("<{name} {{dn}}>"));
        assert_eq!(filled, "(&(m=<dn {dn}>)(n={<username {dn}>))");
    }

    #[test]
    fn unknown_or_open_place_is_refused() {
        for text in ["{user}", "{username", "{", "a{}b", "{ username }"] {
            let error = Template::parse(text, &["username"]).unwrap_err();
            assert!(error.contains("{username}"), "{error}");
        }
        let plain = Template::parse("no place }", &["username"]).unwrap();
        assert_eq!(plain.fill(|_| String::new()), "no place }");
    }

    #[test]
    fn any_text_is_read_or_refused_without_a_panic() {
        for text in crate::random::texts(10_000) {
            if let Ok(template) = Template::parse(&text, &["a"]) {
                template.fill(|_| text.clone());
            }
        }
    }
}
