//! Every key as one commented YAML file, made from the schema and the
//! defaults; the file itself loads and says what the defaults say.

use serde_json::Value;

use super::compat::openmetadata;
use super::emit::{inline, ordered, string};
use super::explain::variable;
use super::key::KeyPath;
use super::schema;
use super::shape::Shape;
use super::shapes::Config;

const HEAD: &str = "\
# Every key of Countersign's configuration with its default: what is written here is what holds
# without it. Made by `countersign config reference` from the same shapes that check the file.
#
# Values may read variables: \"${NAME}\" or \"${NAME:-default}\" ($${ is a literal ${); quote them inside
# { } and [ ]. Every key has a variable that overrides it, named beside it; with _FILE at its end it
# names a file that holds the value. Secrets may be written { file: … } or { env: … }.
#
# OpenTelemetry traces are configured by the SDK's own variables: OTEL_EXPORTER_OTLP_ENDPOINT or
# OTEL_EXPORTER_OTLP_TRACES_ENDPOINT (OTLP over HTTP) turns them on; RUST_LOG says what is logged.
";

/// What `config reference` prints.
pub fn reference() -> String {
    let schema = schema::host();
    let defaults = serde_json::to_value(Config::default()).unwrap_or_default();
    let mut page = Page {
        text: HEAD.to_owned(),
    };
    page.keys(Shape::new(&schema), &defaults, &KeyPath::root());
    page.text +=
        "\n# OpenMetadata's blocks are accepted as they stand and mapped onto the keys above:\n";
    for (block, node) in openmetadata::schema() {
        page.text += &format!("# {block}:\n");
        page.wrapped("#  ", &names(Shape::new(&node)));
    }
    page.text
}

/// The keys of a block, those of inner maps in brackets.
fn names(shape: Shape<'_>) -> String {
    let name = |(name, child): (&str, Shape<'_>)| match names(child) {
        inner if inner.is_empty() => name.to_owned(),
        inner => format!("{name} ({inner})"),
    };
    shape
        .properties()
        .into_iter()
        .map(name)
        .collect::<Vec<_>>()
        .join(", ")
}

struct Page {
    text: String,
}

impl Page {
    fn keys(&mut self, shape: Shape<'_>, defaults: &Value, above: &KeyPath) {
        let blocks = openmetadata::schema();
        let depth = above.segments().len() * 2;
        for name in ordered(
            shape.properties().into_iter().map(|(name, _)| name),
            &shape.order(),
        ) {
            let Some(child) = shape
                .property(name)
                .filter(|_| depth > 0 || !blocks.contains_key(name))
            else {
                continue;
            };
            let key = above.child(name);
            let default = defaults.get(name).filter(|default| !default.is_null());
            self.text += if depth == 0 { "\n" } else { "" };
            self.comment(depth, child.description());
            let indent = " ".repeat(depth);
            if !child.properties().is_empty() {
                self.text += &format!("{indent}{name}:\n");
                self.keys(child, default.unwrap_or(&Value::Null), &key);
            } else if let Some(entry) = child
                .any_key()
                .filter(|entry| !entry.properties().is_empty())
            {
                let given = default.and_then(Value::as_object);
                let Some(given) = given.filter(|given| !given.is_empty()) else {
                    self.value(depth, child, default, &key);
                    self.text += &format!("{indent}#   NAME:\n");
                    self.entry(&format!("{indent}#     "), entry, "");
                    continue;
                };
                self.text += &format!("{indent}{name}:\n");
                for (id, default) in given {
                    self.text += &format!("{indent}  {}:\n", string(id));
                    self.keys(entry, default, &key.child(id));
                }
            } else {
                self.value(depth, child, default, &key);
            }
        }
    }

    fn value(&mut self, depth: usize, shape: Shape<'_>, default: Option<&Value>, key: &KeyPath) {
        let indent = " ".repeat(depth);
        let secret = if shape.is_secret() { "secret " } else { "" };
        let meta = format!("{secret}{}; {}", shape.expected(), variable(shape, key));
        self.comment(depth, &meta);
        self.text += &match default {
            Some(value) => format!("{indent}{}: {}\n", key.last(), inline(value)),
            None => format!("{indent}# {}:\n", key.last()),
        };
        if let Some(item) = shape.items() {
            self.entry(&format!("{indent}#   "), item, "- ");
        }
    }

    /// The keys of a map in a list or under a name of the operator's, as comments.
    fn entry(&mut self, start: &str, item: Shape<'_>, bullet: &str) {
        let blank = " ".repeat(bullet.len());
        let names = ordered(
            item.properties().into_iter().map(|(name, _)| name),
            &item.order(),
        );
        for (i, name) in names.into_iter().enumerate() {
            let Some(child) = item.property(name) else {
                continue;
            };
            let bullet = if i == 0 { bullet } else { &blank };
            let given = if item.requires(name) {
                "required".into()
            } else {
                let default = child.default().filter(|default| !default.is_null());
                default.map_or_else(String::new, inline)
            };
            self.text += &format!(
                "{start}{bullet}{name}: # {given}; {}; {}\n",
                child.expected(),
                child.description()
            );
        }
    }

    fn comment(&mut self, depth: usize, text: &str) {
        self.wrapped(&format!("{}#", " ".repeat(depth)), text);
    }

    /// Lines of about 110 characters that begin with `start`.
    fn wrapped(&mut self, start: &str, text: &str) {
        for paragraph in text.lines().filter(|line| !line.is_empty()) {
            let mut line = start.to_owned();
            for word in paragraph.split_whitespace() {
                if line.chars().count() + word.chars().count() > 110 {
                    self.text += &format!("{line}\n");
                    start.clone_into(&mut line);
                }
                line += &format!(" {word}");
            }
            self.text += &format!("{line}\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::env::leaves;
    use crate::config::testing::Scene;

    #[test]
    fn reference_file_is_what_the_shapes_say() {
        let file = include_str!("../../../config/reference.yaml");
        assert!(
            file == reference(),
            "config/reference.yaml is stale: countersign config reference > config/reference.yaml"
        );
    }

    #[test]
    fn reference_loads_and_says_what_the_defaults_say() {
        let told = |scene: Scene| {
            let cwd = scene.sources.cwd.display().to_string();
            serde_json::to_string(&scene.load().config)
                .map(|text| text.replace(&cwd, ""))
                .unwrap_or_default()
        };
        assert_eq!(told(Scene::new(&reference())), told(Scene::empty()));
    }

    #[test]
    fn reference_names_every_key() {
        let schema = schema::host();
        let text = reference();
        let mut keys = Vec::new();
        leaves(Shape::new(&schema), &KeyPath::root(), &mut keys);
        assert!(keys.len() > 60, "{}", keys.len());
        for key in keys {
            assert!(text.contains(key.last()), "{key} is missing");
        }
        for key in Shape::new(&schema)
            .find(&KeyPath::parse("backends.users"))
            .map(Shape::properties)
            .unwrap_or_default()
        {
            assert!(
                text.contains(&format!("    {}:", key.0))
                    || text.contains(&format!("    # {}:", key.0)),
                "{}",
                key.0
            );
        }
    }
}
