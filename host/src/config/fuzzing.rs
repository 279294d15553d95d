//! What the fuzz targets reach of parsers that are private; built by them alone.

use std::collections::BTreeMap;
use std::path::Path;

use super::interpolate::Variables;
use super::layer::Layer;
use super::yaml;

/// Reads a configuration file's text and substitutes its variables.
pub fn read(text: &str) {
    let environment: BTreeMap<String, String> = [("SET", "a: [b"), ("EMPTY", "")]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
    let variables = Variables::new(&environment, Path::new("/nowhere"));
    let file = Path::new("fuzz.yaml");
    let mut findings = Vec::new();
    if let Some(tree) = yaml::parse(text, file, &mut findings) {
        Layer::from_tree(&tree, file, &variables, &mut findings);
    }
}

/// Reads a Python module's text; what is made of it must be a YAML document of ours.
pub fn import_fab(text: &str) {
    let imported = super::compat::fab::import(text);
    let mut findings = Vec::new();
    let tree = yaml::parse(&imported.yaml, Path::new("fuzz.yaml"), &mut findings);
    assert!(tree.is_some() && findings.is_empty(), "{}", imported.yaml);
}
