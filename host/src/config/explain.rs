//! What one key means: its documentation, type, default and variable, read
//! from the schema, the plugins' keys included.

use super::emit::{inline, ordered};
use super::env::leaves;
use super::key::{KeyPath, nearest};
use super::origins::Place;
use super::report::{Finding, Report};
use super::shape::Shape;

/// What `config explain KEY` prints; `schema` from [`super::schema_of`] or a loaded configuration.
///
/// # Errors
/// The key is unknown; the report names the nearest one.
pub fn explain(schema: &serde_json::Value, key: &str) -> Result<String, Report> {
    let root = Shape::new(schema);
    let key = KeyPath::parse(key);
    let Some(shape) = root.find(&key) else {
        return Err(Report::new(vec![unknown(root, &key)]));
    };

    let mut text = format!("{key}: {}\n", shape.expected());
    if !shape.description().is_empty() {
        text += &format!("\n{}\n", shape.description());
    }
    let required = key
        .parent()
        .and_then(|above| root.find(&above))
        .is_some_and(|above| above.requires(key.last()));
    if required {
        text += "\nrequired\n";
    } else if let Some(default) = shape.default().filter(|default| !default.is_object()) {
        text += &format!("\ndefault: {}\n", inline(default));
    }
    let keys = key_list(shape);
    if keys.is_empty() {
        text += &format!("environment: {}\n", variable(shape, &key));
        if shape.is_secret() {
            text += "secret: may be written { file: … } or { env: … }; never shown\n";
        }
    } else {
        text += &format!("\nkeys:\n{keys}");
    }
    Ok(text)
}

/// The variable that sets the key; for maps and lists of maps, those that set what they hold.
pub(super) fn variable(shape: Shape<'_>, key: &KeyPath) -> String {
    let variable = key.variable();
    let maps = shape
        .items()
        .is_some_and(|items| !items.properties().is_empty());
    match shape.kinds()[..] {
        ["object"] => format!("{variable}__NAME"),
        ["array"] if maps => format!("{variable}__0__NAME"),
        _ => variable,
    }
}

/// The keys below, each with the first sentence of its documentation.
fn key_list(shape: Shape<'_>) -> String {
    let properties = shape.properties();
    let width = properties
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0);
    let names = ordered(properties.iter().map(|(name, _)| *name), &shape.order());
    let lines = names.into_iter().map(|name| {
        let description = shape.property(name).map_or("", |child| child.description());
        let line = format!("  {name:<width$}  {}", first_sentence(description));
        line.trim_end().to_owned() + "\n"
    });
    lines.collect()
}

/// In one line, whatever lines it was written in.
fn first_sentence(text: &str) -> String {
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => line,
    }
}

fn unknown(root: Shape<'_>, key: &KeyPath) -> Finding {
    let finding = Finding::new(Place::Default, format!("`{key}` is not a known key"));
    let mut above = KeyPath::root();
    for segment in key.segments() {
        let Some(shape) = root.find(&above) else {
            break;
        };
        if shape.child(segment).is_none() {
            let known: Vec<&str> = shape
                .properties()
                .into_iter()
                .map(|(name, _)| name)
                .collect();
            if let Some(near) = nearest(segment, known) {
                return finding.help(format!("did you mean `{}`?", above.child(near)));
            }
            break;
        }
        above = above.child(segment);
    }
    let mut all = Vec::new();
    leaves(root, &KeyPath::root(), &mut all);
    let same_name = all.iter().find(|other| other.last() == key.last());
    finding.maybe_help(same_name.map(|other| format!("did you mean `{other}`?")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::testing::{Known, Scene};
    use crate::config::{load::schema_of, schema};

    #[test]
    fn key_is_explained_with_type_default_and_variable() {
        assert_eq!(
            explain(&schema::host(), "tokens.lifetime").unwrap(),
            "tokens.lifetime: a duration above zero, such as 10s, 15m, 24h or 7d\n\n\
             Lifetime of tokens from `/auth/token` (Airflow: `jwt_expiration_time`).\n\n\
             default: 24h\n\
             environment: COUNTERSIGN_TOKENS__LIFETIME\n"
        );
    }

    #[test]
    fn plugin_key_is_explained_by_the_plugins_schema_even_in_a_broken_configuration() {
        let scene = Scene::new("nonsense: 1\n");
        let text = explain(
            &schema_of(&scene.sources, &Known),
            "backends.users.config.url",
        )
        .unwrap();
        assert!(
            text.contains("Where the users are.\n\nrequired\n"),
            "{text}"
        );
        assert!(text.contains("secret: may be written"), "{text}");
        let section = explain(&schema::host(), "backends.users").unwrap();
        assert!(
            section.contains("  on_unavailable  What follows an outage.\n"),
            "{section}"
        );
    }

    #[test]
    fn list_of_keys_has_the_whole_first_sentence_of_each() {
        assert_eq!(
            first_sentence("Names the user,\nas typed. Or not.\n\nMore."),
            "Names the user, as typed."
        );
        assert_eq!(first_sentence("One\n\nTwo. Three"), "One");
    }

    #[test]
    fn unknown_key_names_the_nearest() {
        let report = |key: &str| explain(&schema::host(), key).unwrap_err().to_string();
        assert_eq!(
            report("tokens.lifetme"),
            "error: `tokens.lifetme` is not a known key\nhelp: did you mean `tokens.lifetime`?"
        );
        assert_eq!(
            report("leeway"),
            "error: `leeway` is not a known key\nhelp: did you mean `tokens.leeway`?"
        );
    }
}
