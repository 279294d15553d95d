//! What configuration is made from: files, the environment, the command line
//! and the folder that the process runs in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::origins::Place;
use super::report::{Finding, Report};

/// The defaults as a file; used when there is none.
pub(super) const BUILT_IN: &str = include_str!("../../../config/countersign.yaml");
/// What places in it are called.
pub(super) const BUILT_IN_NAME: &str = "built-in countersign.yaml";

/// Everything that configuration is made from.
#[derive(Clone)]
pub struct Sources {
    /// Files, in order; empty = the built-in defaults.
    pub files: Vec<PathBuf>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// Dotted key and text, from the command line.
    pub flags: Vec<(String, String)>,
    /// Where relative paths start that no file said.
    pub cwd: PathBuf,
}

impl Sources {
    /// The sources of this process. `files`: what `--config` named; without it
    /// `$COUNTERSIGN_CONFIG`, `./config/countersign.yaml`, `/etc/countersign/countersign.yaml`.
    ///
    /// # Errors
    /// No working directory, or a `COUNTERSIGN_` variable that is not UTF-8.
    pub fn from_process(files: Vec<PathBuf>, flags: Vec<(String, String)>) -> Result<Self, Report> {
        let mut findings = Vec::new();
        let mut environment = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            match value.into_string() {
                Ok(value) => {
                    environment.insert(name, value);
                }
                Err(_) if name.to_ascii_uppercase().starts_with("COUNTERSIGN_") => {
                    findings.push(Finding::new(
                        Place::Variable(name),
                        "the value is not UTF-8 text",
                    ));
                }
                Err(_) => {}
            }
        }
        let cwd = std::env::current_dir().unwrap_or_else(|error| {
            findings.push(
                Finding::new(Place::Default, "there is no working directory")
                    .caused_by(error.to_string()),
            );
            PathBuf::new()
        });
        if findings.is_empty() {
            Ok(Sources::find(files, environment, flags, cwd))
        } else {
            Err(Report::new(findings))
        }
    }

    /// The same with everything given; looks for files if none is named.
    pub fn find(
        files: Vec<PathBuf>,
        environment: BTreeMap<String, String>,
        flags: Vec<(String, String)>,
        cwd: PathBuf,
    ) -> Self {
        let mut sources = Sources {
            files,
            environment,
            flags,
            cwd,
        };
        if sources.files.is_empty() {
            sources.files.extend(sources.usual_file());
        }
        sources
    }

    fn usual_file(&self) -> Option<PathBuf> {
        let named = self
            .environment
            .get("COUNTERSIGN_CONFIG")
            .filter(|path| !path.is_empty());
        if let Some(path) = named {
            return Some(PathBuf::from(path));
        }
        let usual = [
            "config/countersign.yaml",
            "/etc/countersign/countersign.yaml",
        ];
        usual
            .into_iter()
            .map(PathBuf::from)
            .find(|path| self.cwd.join(path).exists())
    }

    /// The text of a file of these sources.
    pub(super) fn read(&self, path: &Path) -> Result<String, Finding> {
        let failed = |cause: String| {
            Finding::new(Place::file(path), "the configuration file cannot be read")
                .caused_by(cause)
        };
        let full = self.cwd.join(path);
        let size = std::fs::metadata(&full)
            .map_err(|error| failed(error.to_string()))?
            .len();
        if size > super::yaml::MAX_BYTES as u64 {
            return Err(failed("larger than 1 MiB".into()));
        }
        let bytes = std::fs::read(&full).map_err(|error| failed(error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| {
            let before = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..before]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count()
                + 1;
            failed(format!("line {line} is not UTF-8 text"))
        })
    }
}
