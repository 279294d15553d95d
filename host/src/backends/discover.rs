//! From a plugin's name to its file: `libcountersign_<name>.so` in the configured
//! folders, else beside the executable, else in `../lib/countersign`. Neither the
//! working directory nor the linker's search path is looked at.

use std::path::{Path, PathBuf};

use crate::config::shapes::Plugins;

/// A plugin file that exists.
#[derive(Debug)]
pub struct Found {
    /// The name in the configuration.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// Why no file was found.
#[derive(Debug, Clone, thiserror::Error)]
#[error("plugin \"{name}\" not found: looked for {}", paths(tried))]
pub struct NotFound {
    name: String,
    tried: Vec<PathBuf>,
    there: Vec<String>,
    /// A file of that name without the prefix, and what it should be called.
    bare: Option<(PathBuf, String)>,
}

impl NotFound {
    /// What to do about it.
    pub fn help(&self) -> String {
        if let Some((path, wanted)) = &self.bare {
            return format!(
                "a plugin's file is called libcountersign_<name>.so: rename {} to {wanted}",
                path.display()
            );
        }
        let closest = self
            .there
            .iter()
            .max_by(|a, b| similarity(a, &self.name).total_cmp(&similarity(b, &self.name)));
        match closest.filter(|name| similarity(name, &self.name) > 0.7) {
            Some(name) => format!("did you mean \"{name}\"? Plugins there: {}", self.there.join(", ")),
            None if self.there.is_empty() => "there are no plugins in these folders; build them with `cargo build`, or set plugins.directories".into(),
            None => format!("plugins there: {}", self.there.join(", ")),
        }
    }
}

/// Looks for the file of a plugin.
pub fn discover(name: &str, settings: &Plugins) -> Result<Found, NotFound> {
    let folders = folders(settings);
    let wanted = file_name(name);
    // The configuration's check says so with its place; here it only keeps paths out.
    let sound = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let tried: Vec<PathBuf> = folders.iter().map(|folder| folder.join(&wanted)).collect();
    // symlink_metadata: a link is found, and then refused by the next stage with its reason.
    match tried
        .iter()
        .find(|path| sound && path.symlink_metadata().is_ok())
    {
        Some(path) => Ok(Found {
            name: name.to_owned(),
            path: path.clone(),
        }),
        None => Err(NotFound {
            name: name.to_owned(),
            tried,
            there: folders.iter().flat_map(|folder| names_in(folder)).collect(),
            bare: if sound {
                without_prefix(name, &folders)
            } else {
                None
            }
            .map(|path| (path, wanted)),
        }),
    }
}

/// The names of all plugins in the configured folders.
pub fn available(settings: &Plugins) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for folder in folders(settings) {
        for name in names_in(&folder) {
            if all.iter().all(|found| found.name != name) {
                all.push(Found {
                    path: folder.join(file_name(&name)),
                    name,
                });
            }
        }
    }
    all
}

fn folders(settings: &Plugins) -> Vec<PathBuf> {
    if !settings.directories.is_empty() {
        return settings.directories.clone();
    }
    let executable = std::env::current_exe()
        .ok()
        .and_then(|path| path.canonicalize().ok());
    let beside = executable.as_deref().and_then(Path::parent);
    beside.map_or_else(Vec::new, |folder| {
        vec![folder.to_path_buf(), folder.join("../lib/countersign")]
    })
}

fn file_name(name: &str) -> String {
    format!("libcountersign_{name}.so")
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let file = entry.file_name();
            let name = file
                .to_str()?
                .strip_prefix("libcountersign_")?
                .strip_suffix(".so")?;
            Some(name.to_owned())
        })
        .collect();
    names.sort();
    names
}

/// A file that is the plugin's by all but the prefix.
fn without_prefix(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let dashed = name.replace('_', "-");
    let names = [
        format!("lib{name}.so"),
        format!("{name}.so"),
        format!("{dashed}.so"),
        format!("countersign_{name}.so"),
        format!("libcountersign-{dashed}.so"),
    ];
    let all = folders
        .iter()
        .flat_map(|folder| names.iter().map(|name| folder.join(name)));
    all.into_iter().find(|path| path.is_file())
}

fn paths(paths: &[PathBuf]) -> String {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

fn similarity(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(a, b)
}
