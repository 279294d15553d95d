//! A folder, an environment and plugins' schemas for the tests of this module.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::load::{Loaded, PluginSchemas, load};
use super::shapes::Plugins;
use super::sources::Sources;

/// Sources in a folder of their own, which goes when this goes.
pub(super) struct Scene {
    pub(super) sources: Sources,
}

/// `db`, `ldap` and `oauth`, and nothing else.
pub(super) struct Known;

impl PluginSchemas for Known {
    fn schema(&self, plugin: &str, _: &Plugins) -> Result<Value, String> {
        match plugin {
            "db" => Ok(json!({
                "type": "object",
                "properties": {
                    "url": { "type": "string", "writeOnly": true, "description": "Where the users are." },
                    "access": { "type": "string", "enum": ["read", "counters", "full"], "default": "counters" },
                },
                "required": ["url"],
                "additionalProperties": false,
            })),
            "ldap" => Ok(json!({
                "type": "object",
                "properties": {
                    "servers": { "type": "array", "items": { "type": "string" } },
                    "port": { "type": "integer", "minimum": 1, "maximum": 65535, "default": 389 },
                    "password": { "$ref": "#/$defs/Password" },
                    "certificate": { "type": "string", "format": "path" },
                    "bind": { "type": "string" },
                    "verify": { "type": "boolean" },
                },
                "additionalProperties": false,
                "$defs": { "Password": { "type": "string", "writeOnly": true } },
            })),
            "oauth" => Ok(json!({
                "type": "object",
                "properties": { "client_secret": { "type": "string", "writeOnly": true } },
            })),
            other => Err(format!(
                "there is no file libcountersign_{other}.so\nlooked in: nowhere"
            )),
        }
    }
}

impl Scene {
    /// A scene with one file, `c.yaml`.
    pub(super) fn new(text: &str) -> Self {
        let scene = Scene::empty();
        scene.with_file("c.yaml", text)
    }

    pub(super) fn empty() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let unique = format!(
            "countersign-config-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let cwd = std::env::temp_dir().join(unique);
        fs::create_dir_all(&cwd).unwrap();
        Scene {
            sources: Sources {
                files: vec![],
                environment: BTreeMap::new(),
                flags: vec![],
                cwd,
            },
        }
    }

    pub(super) fn with_file(mut self, name: &str, text: &str) -> Self {
        self.put(name, text);
        self.sources.files.push(PathBuf::from(name));
        self
    }

    pub(super) fn put(&self, name: &str, text: &str) {
        let path = self.sources.cwd.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.sources.environment.insert(name.into(), value.into());
        self
    }

    pub(super) fn flag(mut self, key: &str, value: &str) -> Self {
        self.sources.flags.push((key.into(), value.into()));
        self
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.sources.cwd.join(name).display().to_string()
    }

    #[track_caller]
    pub(super) fn load(&self) -> Loaded {
        match load(&self.sources, &Known) {
            Ok(loaded) => loaded,
            Err(report) => panic!("{report}"),
        }
    }

    /// The whole report.
    #[track_caller]
    pub(super) fn report(&self) -> String {
        match load(&self.sources, &Known) {
            Ok(_) => panic!("loaded without errors"),
            Err(report) => report.to_string(),
        }
    }

    pub(super) fn notices(&self) -> String {
        self.load()
            .notices
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n\n")
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.sources.cwd);
    }
}
