//! The merged configuration as text: defaults filled in, secrets and passwords
//! hidden, on demand with the origin of each value.

use serde_json::{Value, json};

use super::emit::{inline, ordered, string};
use super::key::KeyPath;
use super::layer::complete;
use super::load::Loaded;
use super::origins::Origins;
use super::redact;
use super::shape::Shape;

/// What `config show` prints. `origin`: with where each value came from.
/// `json`: for programs; with `origin` a list of `{ key, value, origin }`.
pub fn show(loaded: &Loaded, origin: bool, json: bool) -> String {
    let shape = Shape::new(&loaded.schema);
    let mut value = loaded.value.clone();
    fill(&mut value, shape);
    let value = redact::tree(&value, shape);
    let mut origins = loaded.origins.clone();
    complete(&value, &KeyPath::root(), &mut origins);
    match (json, origin) {
        (true, false) => pretty(&value),
        (true, true) => {
            let mut list = Vec::new();
            leaves(&value, &KeyPath::root(), &mut |key, value| {
                list.push(json!({ "key": key.to_string(), "value": value, "origin": origins.of(key).to_string() }));
            });
            pretty(&Value::Array(list))
        }
        (false, _) => {
            let backends: Vec<&str> = loaded.config.backends.keys().map(String::as_str).collect();
            let mut page = Page {
                text: String::new(),
                origins: origin.then_some(&origins),
                shape,
                backends,
            };
            page.entries(&value, &KeyPath::root());
            page.text
        }
    }
}

/// Puts the schema's defaults where nothing was said, inside backends as well.
fn fill(value: &mut Value, shape: Shape<'_>) {
    match value {
        Value::Object(map) => {
            for (name, child) in shape.properties() {
                if let Some(default) = child.default().filter(|default| !default.is_null()) {
                    map.entry(name).or_insert_with(|| default.clone());
                }
            }
            map.retain(|_, value| !value.is_null()); // an optional key that nobody set
            for (name, value) in map {
                if let Some(child) = shape.child(name) {
                    fill(value, child);
                }
            }
        }
        Value::Array(items) => {
            if let Some(shape) = shape.items() {
                items.iter_mut().for_each(|item| fill(item, shape));
            }
        }
        _ => {}
    }
}

struct Page<'a> {
    text: String,
    origins: Option<&'a Origins>,
    shape: Shape<'a>,
    backends: Vec<&'a str>,
}

impl Page<'_> {
    fn entries(&mut self, value: &Value, key: &KeyPath) {
        let Value::Object(map) = value else { return };
        let order = match key.segments() {
            [section] if section == "backends" => self.backends.clone(),
            _ => self.shape.find(key).map(Shape::order).unwrap_or_default(),
        };
        for name in ordered(map.keys().map(String::as_str), &order) {
            let key = key.child(name);
            let indent = "  ".repeat(key.segments().len() - 1);
            match &map[name] {
                value @ Value::Object(inner) if !inner.is_empty() => {
                    self.text += &format!("{indent}{}:\n", string(name));
                    self.entries(value, &key);
                }
                value => {
                    let line = format!("{indent}{}: {}", string(name), inline(value));
                    self.text += &match self.origins {
                        Some(origins) => format!("{line:<50} # {}\n", origins.of(&key)),
                        None => format!("{line}\n"),
                    };
                }
            }
        }
    }
}

fn leaves(value: &Value, key: &KeyPath, found: &mut dyn FnMut(&KeyPath, &Value)) {
    match value {
        Value::Object(map) if !map.is_empty() => map
            .iter()
            .for_each(|(name, value)| leaves(value, &key.child(name), found)),
        _ => found(key, value),
    }
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::Scene;

    const FILE: &str = "\
tokens: { audience: \"${AUD:-mine}\" }
backends:
  users: { plugin: db, config: { url: \"postgres://u:c4n4ry@h/db\" } }
  dir:
    plugin: ldap
    config: { password: c4n4ry, bind: \"http://u:c4n4ry@h/?token=c4n4ry\" }
";

    #[test]
    fn c07_shown_configuration_hides_secrets_in_every_form() {
        let loaded = Scene::new(FILE).load();
        for (origin, json) in [(false, false), (true, false), (false, true), (true, true)] {
            let text = show(&loaded, origin, json);
            assert!(!text.contains("c4n4ry"), "{text}");
            assert!(text.contains("[secret]"), "{text}");
        }
    }

    #[test]
    fn shown_configuration_names_origins_and_fills_defaults_in_order() {
        let text = show(
            &Scene::new(FILE)
                .env("COUNTERSIGN_TOKENS__LEEWAY", "5s")
                .load(),
            true,
            false,
        );
        let lines = [
            "server:\n  listen: \"127.0.0.1:8090\"                         # default\n",
            "  audience: mine                                   # c.yaml:1:21 via AUD\n",
            "  leeway: 5s                                       # environment variable COUNTERSIGN_TOKENS__LEEWAY\n",
            "  users:\n    plugin: db                                     # c.yaml:3:20\n    title: \"\"                                      # default\n    config:\n      access: counters                             # default\n",
            "      url: \"[secret]\"                              # c.yaml:3:39\n",
            "      bind: \"http://u:[secret]@h/?token=[secret]\"  # c.yaml:6:39\n",
        ];
        for line in lines {
            assert!(text.contains(line), "missing {line:?} in:\n{text}");
        }
        assert!(!text.contains("null"), "{text}");
        let place = |part: &str| text.find(part);
        assert!(
            place("server:") < place("admin:") && place("\n  users:") < place("\n  dir:"),
            "{text}"
        );
    }

    #[test]
    fn shown_json_is_the_tree_or_a_list_with_origins() {
        let loaded = Scene::new(FILE).load();
        let tree: Value = serde_json::from_str(&show(&loaded, false, true)).unwrap_or_default();
        assert_eq!(tree["tokens"]["audience"], "mine");
        let list: Value = serde_json::from_str(&show(&loaded, true, true)).unwrap_or_default();
        let expected =
            json!({ "key": "tokens.audience", "value": "mine", "origin": "c.yaml:1:21 via AUD" });
        assert!(
            list.as_array().is_some_and(|list| list.contains(&expected)),
            "{list}"
        );
    }
}
