//! Rules about backends: their ids, their plugins' names, and the pins.

use serde_json::Value;

use super::Rules;
use crate::config::key::{KeyPath, nearest};

/// Backend ids that are paths of ours below `/auth`.
const RESERVED_IDS: [&str; 2] = ["token", "verify"];

/// Backend ids that stand in subjects for what is no backend: bots, and users of `trust`.
const SUBJECTS: [&str; 2] = ["bot", "trust"];

impl<'a> Rules<'a> {
    pub(super) fn backends(&mut self) {
        let Some(backends) = self.get("backends").and_then(Value::as_object) else {
            return;
        };
        for id in backends.keys() {
            let key = KeyPath::parse("backends").child(id);
            if !is_backend_id(id) {
                let help = "an id is lower-case letters, digits and single underscores, and starts with a letter";
                self.error_at(&key, "this is not a backend id", help);
            } else if RESERVED_IDS.contains(&id.as_str()) {
                self.error_at(
                    &key,
                    "this id is reserved",
                    "token and verify are paths of the server: choose another id",
                );
            } else if SUBJECTS.contains(&id.as_str()) {
                self.error_at(
                    &key,
                    "this id is reserved",
                    "subjects of bots and of users of `trust` begin with it: choose another id",
                );
            }
        }
        if backends.is_empty() {
            self.notice(
                "backends",
                "no backend is configured: nobody can log in",
                "add one, such as users: { plugin: db }",
            );
        }
        let subject = self.text("tokens.subject_backend");
        if !subject.is_empty() && !backends.contains_key(subject) {
            let near = nearest(subject, backends.keys().map(String::as_str))
                .map(|id| format!("did you mean {id}?"));
            let ids: Vec<&str> = backends.keys().map(String::as_str).collect();
            let help = near.unwrap_or_else(|| format!("configured backends: {}", ids.join(", ")));
            self.error(
                "tokens.subject_backend",
                "there is no backend of this id",
                &help,
            );
        }
    }

    /// One spelling for a plugin, so that a pin cannot miss its file; and a pin that
    /// nobody uses is a pin that was meant for another name.
    pub(super) fn plugins(&mut self) {
        let Some(backends) = self.get("backends").and_then(Value::as_object) else {
            return;
        };
        let used = |(id, backend): (&'a String, &'a Value)| {
            let name = backend.get("plugin").and_then(Value::as_str)?;
            Some((KeyPath::parse("backends").child(id).child("plugin"), name))
        };
        let used: Vec<(KeyPath, &str)> = backends.iter().filter_map(used).collect();
        for (key, name) in &used {
            if !is_plugin_name(name) {
                let help = "a name is lower-case letters, digits and underscores: `db` is the file libcountersign_db.so";
                self.error_at(key, "this is not a plugin's name", help);
            }
        }
        let Some(pins) = self.get("plugins.sha256").and_then(Value::as_object) else {
            return;
        };
        for pin in pins.keys() {
            if !used.iter().any(|(_, name)| name == pin) {
                let key = KeyPath::parse("plugins.sha256").child(pin);
                let near = nearest(pin, used.iter().map(|(_, name)| *name));
                let help = near.map_or_else(
                    || "remove the pin, or use the plugin in a backend".to_owned(),
                    |name| format!("did you mean {name}?"),
                );
                self.error_at(
                    &key,
                    "no backend uses this plugin, so nothing is pinned",
                    &help,
                );
            }
        }
    }
}

fn is_backend_id(id: &str) -> bool {
    is_plugin_name(id) && !id.contains("__")
}

fn is_plugin_name(name: &str) -> bool {
    let letters = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    letters && name.starts_with(|c: char| c.is_ascii_lowercase())
}
