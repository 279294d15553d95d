//! Templates of further claims: `{username}`, `{attributes.NAME}`, `{{` = `{`.
//!
//! One pass: a value is never expanded again. A template that is wholly one
//! placeholder keeps the value's type; a missing value leaves the claim out.

use countersign_abi::User;
use serde_json::{Map, Value};

use crate::config::template::{self, Part};

/// A claim's value before it is known whose.
#[derive(Debug, Clone, PartialEq)]
pub enum Template {
    /// Text and placeholders.
    Text(Vec<Part>),
    /// A list of templates.
    List(Vec<Template>),
    /// An object of templates.
    Object(Vec<(String, Template)>),
    /// Anything else, as it is.
    Literal(Value),
}

/// What placeholders stand for.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// The backend's id.
    pub backend: &'a str,
    /// The user, with his final roles.
    pub user: &'a User,
    /// His attributes.
    pub attributes: &'a Map<String, Value>,
}

impl Template {
    /// Reads a template from the configuration's value. Unknown names and open
    /// braces were refused when the configuration was checked; here they are text.
    pub fn parse(value: &Value) -> Self {
        match value {
            Value::String(text) => Template::Text(template::parse(text)),
            Value::Array(items) => Template::List(items.iter().map(Template::parse).collect()),
            Value::Object(members) => Template::Object(
                members
                    .iter()
                    .map(|(key, value)| (key.clone(), Template::parse(value)))
                    .collect(),
            ),
            other => Template::Literal(other.clone()),
        }
    }

    /// The value for one user; none if something in it is missing.
    pub fn fill(&self, values: Values<'_>) -> Option<Value> {
        match self {
            Template::Literal(value) => Some(value.clone()),
            Template::List(items) => Some(Value::Array(
                items.iter().filter_map(|item| item.fill(values)).collect(),
            )),
            Template::Object(members) => Some(Value::Object(
                members
                    .iter()
                    .filter_map(|(key, item)| Some((key.clone(), item.fill(values)?)))
                    .collect(),
            )),
            Template::Text(parts) => match parts.as_slice() {
                [Part::Placeholder(name)] => values.get(name),
                parts => parts
                    .iter()
                    .try_fold(String::new(), |text, part| {
                        Some(text + &text_of(part, values)?)
                    })
                    .map(Value::String),
            },
        }
    }
}

fn text_of(part: &Part, values: Values<'_>) -> Option<String> {
    match part {
        Part::Text(text) => Some(text.clone()),
        Part::Placeholder(name) => values.get(name).map(|value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        }),
    }
}

impl Values<'_> {
    fn get(self, name: &str) -> Option<Value> {
        let text = |text: &str| (!text.is_empty()).then(|| Value::from(text));
        match name {
            "id" => text(&self.user.id),
            "username" => text(&self.user.username),
            "email" => text(&self.user.email),
            "first_name" => text(&self.user.first_name),
            "last_name" => text(&self.user.last_name),
            "backend" => text(self.backend),
            "roles" => Some(self.user.roles.as_slice().into()),
            "groups" => Some(self.user.groups.as_slice().into()),
            other => self
                .attributes
                .get(other.strip_prefix("attributes.")?)
                .filter(|value| !value.is_null())
                .cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filled(template: Value) -> Option<Value> {
        let user = User {
            id: "7".into(),
            username: "{roles}".into(),
            roles: vec!["Admin".into()],
            groups: vec!["g".into()],
            ..User::default()
        };
        let attributes = Map::from_iter([("team".to_owned(), json!(3))]);
        Template::parse(&template).fill(Values {
            backend: "users",
            user: &user,
            attributes: &attributes,
        })
    }

    #[test]
    fn fill_of_one_placeholder_keeps_the_type() {
        assert_eq!(filled(json!("{roles}")), Some(json!(["Admin"])));
        assert_eq!(filled(json!("{attributes.team}")), Some(json!(3)));
    }

    #[test]
    fn fill_never_expands_a_value_again() {
        assert_eq!(filled(json!("{username}")), Some(json!("{roles}")));
        assert_eq!(
            filled(json!("u-{username}-{backend}")),
            Some(json!("u-{roles}-users"))
        );
    }

    #[test]
    fn fill_of_a_missing_value_leaves_the_claim_out() {
        assert_eq!(filled(json!("{email}")), None);
        assert_eq!(filled(json!("mailto:{email}")), None);
        assert_eq!(
            filled(json!({ "a": "{email}", "b": "{id}" })),
            Some(json!({ "b": "7" }))
        );
    }

    #[test]
    fn fill_of_doubled_braces_is_literal() {
        assert_eq!(filled(json!("{{id}}")), Some(json!("{id}")));
        assert_eq!(filled(json!(true)), Some(json!(true)));
    }
}
