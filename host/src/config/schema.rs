//! The JSON Schema of the whole configuration: our shapes, OpenMetadata's
//! blocks beside them, and each plugin's own schema at `backends.<id>.config`.

use serde_json::{Map, Value, json};

use super::compat::openmetadata;
use super::shapes::Config;

/// Our shapes alone; every plugin's `config` is any map.
pub fn host() -> Value {
    let mut schema = schemars::schema_for!(Config).to_value();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.extend(openmetadata::schema());
    }
    schema
}

/// Our shapes with plugins' schemas inside: `(backend id, schema of its config)`.
pub(super) fn with_plugins(plugins: &[(String, Value)]) -> Value {
    let mut schema = host();
    let Some(backend) = schema.pointer("/$defs/Backend").cloned() else {
        return schema;
    };
    let mut backends = Map::new();
    let mut definitions = Map::new();
    for (id, plugin) in plugins {
        let name = format!("plugin:{id}");
        let mut own = backend.clone();
        if let Some(config) = own.pointer_mut("/properties/config") {
            let description = config.get("description").cloned().unwrap_or_default();
            *config = json!({ "description": description, "$ref": format!("#/$defs/{name}") });
        }
        backends.insert(id.clone(), own);
        definitions.insert(name.clone(), embedded(plugin, &name));
    }
    if let Some(Value::Object(node)) = schema.pointer_mut("/properties/backends") {
        node.insert("properties".into(), Value::Object(backends));
    }
    if let Some(Value::Object(node)) = schema.get_mut("$defs") {
        node.extend(definitions);
    }
    schema
}

/// A plugin's schema as a part of ours: its own references then start at its new place.
fn embedded(plugin: &Value, name: &str) -> Value {
    let mut schema = plugin.clone();
    if let Value::Object(map) = &mut schema {
        map.remove("$schema");
        map.remove("$id");
    }
    move_references(&mut schema, name);
    schema
}

fn move_references(node: &mut Value, name: &str) {
    match node {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("$ref")
                && let Some(rest) = reference.strip_prefix('#')
            {
                *reference = format!("#/$defs/{name}{rest}");
            }
            map.values_mut()
                .for_each(|child| move_references(child, name));
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|child| move_references(child, name)),
        _ => {}
    }
}
