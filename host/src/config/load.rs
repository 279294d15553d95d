//! From sources to a configuration, in a straight line: read and merge, ask
//! the plugins for their schemas, type, resolve secrets and paths, validate the
//! whole, then deserialise.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::compat::openmetadata;
use super::compat::openmetadata::ingestion::{Held, Ingestion};
use super::interpolate::Variables;
use super::key::KeyPath;
use super::layer::{Layer, Merged, merge};
use super::origins::{Origin, Origins, Place};
use super::report::{Finding, Notice, Report};
use super::shape::Shape;
use super::shapes::{Backend, Config, Plugins};
use super::sources::{BUILT_IN, BUILT_IN_NAME, Sources};
use super::values::Secret;
use super::{env, locate, redact, rules, schema, secrets, typing, validate, yaml};

/// Gives the schemas of plugins.
pub trait PluginSchemas {
    /// JSON Schema 2020-12 of the plugin's `config`.
    ///
    /// # Errors
    /// Why the plugin cannot be had: one text for the operator, which may have several lines.
    fn schema(&self, plugin: &str, settings: &Plugins) -> Result<Value, String>;
}

/// A configuration that holds.
#[derive(Clone)]
pub struct Loaded {
    /// The configuration; paths and `state` are absolute.
    pub config: Config,
    /// Where each value came from.
    pub origins: Origins,
    /// What the operator should know.
    pub notices: Vec<Notice>,
    /// The tokens of OpenMetadata's ingestion that stand in its blocks.
    pub ingestion: Vec<Ingestion>,
    /// The merged tree, secrets in it: print it only through [`super::show()`].
    pub value: Value,
    /// The JSON Schema that it was checked against, plugins' schemas inside.
    pub schema: Value,
}

impl Loaded {
    /// Every secret of the configuration, passwords inside URLs among them.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut all = secrets::all(&self.value, Shape::new(&self.schema));
        all.extend(self.ingestion.iter().filter_map(|each| match &each.held {
            Held::Token(token) => Some(token.clone()),
            _ => None,
        }));
        all
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = redact::tree(&self.value, Shape::new(&self.schema));
        f.debug_struct("Loaded")
            .field("value", &value.to_string())
            .field("notices", &self.notices)
            .finish_non_exhaustive()
    }
}

/// Reads, checks and resolves the whole configuration.
///
/// # Errors
/// Every error at once, sorted by place.
pub fn load(sources: &Sources, plugins: &dyn PluginSchemas) -> Result<Loaded, Report> {
    let Gathered {
        mut merged,
        schema,
        backend_order,
        mut findings,
        mut notices,
        partial,
    } = Gathered::from_sources(sources, plugins);
    let shape = Shape::new(&schema);
    let variables = Variables::new(&sources.environment, &sources.cwd);

    typing::apply(&mut merged.value, shape, &merged.marks);
    secrets::resolve(
        &mut merged.value,
        shape,
        &mut merged.marks,
        &variables,
        &sources.cwd,
        &mut findings,
    );
    let state = locate::state(&merged.value, &sources.cwd);
    let origins = merged.origins();
    locate::apply(&mut merged.value, shape, &origins, &state, &sources.cwd);

    match validate::compile(&schema) {
        Ok(validator) => findings.extend(validate::check(&merged, &schema, &validator, partial)),
        Err(cause) => findings.push(
            Finding::new(Place::Default, "the schema of the configuration is broken")
                .caused_by(cause),
        ),
    }
    let mapped = openmetadata::apply(&mut merged.value, &mut merged.marks, &sources.cwd);
    findings.extend(mapped.findings);
    notices.extend(mapped.notices);

    let origins = merged.origins();
    let (broken_rules, more_notices) = rules::check(&merged.value, &origins);
    findings.extend(broken_rules);
    notices.extend(more_notices);
    if !findings.is_empty() {
        return Err(Report::new(findings));
    }
    let config = deserialise(&merged.value, &backend_order)?;
    notices.sort();
    Ok(Loaded {
        config,
        origins,
        notices,
        ingestion: mapped.ingestion,
        value: merged.value,
        schema,
    })
}

/// The JSON Schema of these sources with the schemas of those plugins that can
/// be had; for `config schema` and `config explain`, which must work while the
/// configuration is still wrong.
pub fn schema_of(sources: &Sources, plugins: &dyn PluginSchemas) -> Value {
    Gathered::from_sources(sources, plugins).schema
}

/// Everything that was read, merged, with the schema that fits it.
struct Gathered {
    merged: Merged,
    schema: Value,
    backend_order: Vec<String>,
    findings: Vec<Finding>,
    notices: Vec<Notice>,
    /// A file could not be read to its end.
    partial: bool,
}

impl Gathered {
    fn from_sources(sources: &Sources, plugins: &dyn PluginSchemas) -> Self {
        let mut findings = Vec::new();
        let variables = Variables::new(&sources.environment, &sources.cwd);
        let (mut layers, partial) = read_files(sources, &variables, &mut findings);
        layers.insert(0, defaults(&layers));

        // Which plugins are used must be known before their keys can be.
        let host = schema::host();
        let first = overlay(sources, &layers, Shape::new(&host), &mut Vec::new());
        let (schemas, unavailable) = ask_plugins(first, Shape::new(&host), plugins, &sources.cwd);
        let schema = schema::with_plugins(&schemas);
        findings.extend(unavailable);

        let shape = Shape::new(&schema);
        let mut merged = overlay(sources, &layers, shape, &mut findings);
        for (_, backend) in backends_mut(&mut merged.value) {
            if let Value::Object(backend) = backend {
                backend.entry("config").or_insert_with(|| json!({}));
            }
        }
        let read: BTreeSet<String> = layers.iter().flat_map(Layer::variables).collect();
        let notices = env::lookalikes(&sources.environment, &read, shape);
        let backend_order = layers.iter().flat_map(Layer::backend_ids).collect();
        Gathered {
            merged,
            schema,
            backend_order,
            findings,
            notices,
            partial,
        }
    }
}

/// The files in order; whether one of them is broken.
fn read_files(
    sources: &Sources,
    variables: &Variables<'_>,
    findings: &mut Vec<Finding>,
) -> (Vec<Layer>, bool) {
    let mut layers = Vec::new();
    let mut broken = false;
    let mut add = |text: Result<String, Finding>, path: &Path| match text {
        Ok(text) => match yaml::parse(&text, path, findings) {
            Some(root) => layers.push(Layer::from_tree(&root, path, variables, findings)),
            None => broken = true,
        },
        Err(finding) => {
            findings.push(finding);
            broken = true;
        }
    };
    if sources.files.is_empty() {
        add(Ok(BUILT_IN.to_owned()), Path::new(BUILT_IN_NAME));
    }
    for path in &sources.files {
        add(sources.read(path), path);
    }
    (layers, broken)
}

/// The defaults; those of `backends` only if no file has that key, since a
/// file's backends are all there are.
fn defaults(files: &[Layer]) -> Layer {
    let mut values = serde_json::to_value(Config::default()).unwrap_or_default();
    if files
        .iter()
        .any(|layer| layer.values.get("backends").is_some())
        && let Value::Object(map) = &mut values
    {
        map.remove("backends");
    }
    Layer::over("defaults", &values)
}

/// Defaults and files, then the environment, then the command line.
fn overlay(
    sources: &Sources,
    layers: &[Layer],
    shape: Shape<'_>,
    findings: &mut Vec<Finding>,
) -> Merged {
    let variables = Variables::new(&sources.environment, &sources.cwd);
    let below = merge(layers).value;
    let environment = env::overrides(&sources.environment, &variables, shape, &below, findings);
    let flags = env::flags(&sources.flags, shape, &environment.values, findings);
    merge(layers.iter().chain([&environment, &flags]))
}

/// The schema of each backend's plugin, and why others cannot be had.
fn ask_plugins(
    mut merged: Merged,
    host: Shape<'_>,
    plugins: &dyn PluginSchemas,
    cwd: &Path,
) -> (Vec<(String, Value)>, Vec<Finding>) {
    typing::apply(&mut merged.value, host, &merged.marks);
    let state = locate::state(&merged.value, cwd);
    let origins = merged.origins();
    locate::apply(&mut merged.value, host, &origins, &state, cwd);
    openmetadata::announce(&mut merged.value, &mut merged.marks);
    let settings = merged.value.get("plugins").cloned().unwrap_or_default();
    let settings: Plugins = serde_json::from_value(settings).unwrap_or_default();

    let mut asked: BTreeMap<String, Result<Value, String>> = BTreeMap::new();
    let mut schemas = Vec::new();
    let mut findings = Vec::new();
    for (id, backend) in backends_mut(&mut merged.value) {
        let Some(plugin) = backend.get("plugin").and_then(Value::as_str) else {
            continue;
        };
        let ask = || plugins.schema(plugin, &settings).and_then(usable);
        match asked.entry(plugin.to_owned()).or_insert_with(ask) {
            Ok(schema) => schemas.push((id.clone(), schema.clone())),
            Err(cause) => {
                let key = KeyPath::parse("backends")
                    .child(id.as_str())
                    .child("plugin");
                let origin = merged
                    .marks
                    .nearest(&key)
                    .map_or(Origin::DEFAULT, |mark| mark.origin.clone());
                let message = format!("`{key}`: the plugin `{plugin}` cannot be used");
                findings.push(Finding::new(origin.place, message).caused_by(cause.as_str()));
            }
        }
    }
    (schemas, findings)
}

/// A plugin's schema is a stranger's: it must be of sensible size and compile by itself.
fn usable(schema: Value) -> Result<Value, String> {
    if schema.to_string().len() > yaml::MAX_BYTES {
        return Err("its configuration schema is larger than 1 MiB".into());
    }
    match validate::compile(&schema) {
        Ok(_) => Ok(schema),
        Err(cause) => Err(format!(
            "its configuration schema is not a usable JSON Schema\n{cause}"
        )),
    }
}

fn backends_mut(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value
        .get_mut("backends")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
}

/// The shapes from the tree; backends in the order in which files name them.
fn deserialise(value: &Value, order: &[String]) -> Result<Config, Report> {
    let mut config: Config = serde_json::from_value(value.clone()).map_err(|error| {
        // serde's text may quote a value; its class does not.
        let cause = format!(
            "{:?} error while reading the checked tree",
            error.classify()
        );
        Report::new(vec![
            Finding::new(Place::Default, "the configuration does not fit its shapes")
                .caused_by(cause),
        ])
    })?;
    let mut backends: IndexMap<String, Backend> = IndexMap::new();
    for id in order {
        if let Some(backend) = config.backends.shift_remove(id) {
            backends.insert(id.clone(), backend);
        }
    }
    backends.append(&mut config.backends);
    config.backends = backends;
    Ok(config)
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "report_tests.rs"]
mod report_tests;

#[cfg(test)]
#[path = "rules_tests.rs"]
mod rules_tests;
