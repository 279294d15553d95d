//! `countersign plugins list|inspect`: what a file says of itself; never runs its code.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use countersign_abi::{Inspected, Inspection, LoadError, Sealed};
use rustix::fs::OFlags;
use serde_json::{Value, json};

use super::failure::{Failure, REFUSED};
use super::output;
use super::setup::Setup;
use crate::backends::discover::{Found, available};
use crate::backends::verify::verify;
use crate::config::{PluginSchemas, load, shapes};

/// Show plugins.
#[derive(Subcommand)]
pub(super) enum Plugins {
    /// All plugin files in the configured folders
    List,
    /// One file: name, versions, target, sha256, verdict. Never runs its code
    Inspect {
        /// The file
        file: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(setup: &Setup, command: &Plugins) -> Result<(), Failure> {
    match command {
        Plugins::List => {
            let settings = load(&setup.sources, &AnySchema)?.config.plugins;
            output::write(&available(&settings).iter().map(row).collect::<String>())
        }
        Plugins::Inspect { file, json } => {
            let seen = Seen::of(file)?;
            output::write(&if *json {
                format!("{:#}\n", seen.json())
            } else {
                seen.text()
            })?;
            seen.verdict().map_err(|error| {
                Failure::new(REFUSED, format!("{}: {error}", file.display()), seen.help())
            })
        }
    }
}

/// Takes every plugin's settings as they are: asking for its schema would run its code.
struct AnySchema;

impl PluginSchemas for AnySchema {
    fn schema(&self, _: &str, _: &shapes::Plugins) -> Result<Value, String> {
        Ok(json!({ "type": "object" }))
    }
}

/// One line of the list; what cannot be read is a row, too.
fn row(found: &Found) -> String {
    let (version, state) = match Seen::of(&found.path) {
        Ok(seen) => {
            let version = seen
                .inspection
                .as_ref()
                .map(|seen| seen.info.version.clone());
            let state = seen.verdict().map_or_else(|error| error, |()| "ok".into());
            (version.unwrap_or_else(|_| "-".into()), state)
        }
        Err(failure) => ("-".to_owned(), failure.first_line()),
    };
    format!(
        "{:<12} {version:<10} {}  {state}\n",
        found.name,
        found.path.display()
    )
}

/// What a look at the file finds.
struct Seen {
    path: PathBuf,
    sha256: String,
    inspection: Result<Inspection, LoadError>,
    trust: Result<Option<String>, (String, String)>,
}

impl Seen {
    fn of(path: &Path) -> Result<Self, Failure> {
        let unreadable = |error: std::io::Error| {
            Failure::new(
                REFUSED,
                format!("{}: {error}", path.display()),
                "name a plugin's `.so` file",
            )
        };
        // Without waiting: opening a named pipe would wait for its other end.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
            .open(path)
            .map_err(unreadable)?;
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(Failure::new(
                REFUSED,
                format!("{}: not a regular file", path.display()),
                "name a plugin's `.so` file",
            ));
        }
        // The copy that loading would make: hashed and inspected are the same bytes.
        let sealed = Sealed::of(&file, "inspected", &std::env::temp_dir()).map_err(unreadable)?;
        let sha256 = sealed.sha256();
        let trust = verify(Found {
            name: String::new(),
            path: path.to_path_buf(),
        });
        Ok(Seen {
            path: path.to_path_buf(),
            sha256,
            inspection: sealed.inspect().map(Inspected::into_inspection),
            trust: trust
                .map(|verified| verified.warning)
                .map_err(|error| (error.to_string(), error.help())),
        })
    }

    fn verdict(&self) -> Result<(), String> {
        self.inspection.as_ref().map_err(ToString::to_string)?;
        self.trust
            .as_ref()
            .map(|_| ())
            .map_err(|(error, _)| error.clone())
    }

    fn help(&self) -> String {
        match (&self.inspection, &self.trust) {
            (Err(error), _) => error.help(),
            (_, Err((_, help))) => help.clone(),
            _ => String::new(),
        }
    }

    fn json(&self) -> Value {
        let info = self
            .inspection
            .as_ref()
            .ok()
            .map(|inspection| &inspection.info);
        json!({
            "file": self.path, "sha256": self.sha256, "plugin": info,
            "needed": self.inspection.as_ref().map(|inspection| inspection.needed.clone()).unwrap_or_default(),
            "verdict": self.verdict().err().unwrap_or_else(|| "ok".into()),
            "warning": self.trust.as_ref().ok().cloned().flatten(),
        })
    }

    fn text(&self) -> String {
        let mut lines = vec![
            ("file", self.path.display().to_string()),
            ("sha256", self.sha256.clone()),
        ];
        if let Ok(Inspection { info, needed }) = &self.inspection {
            lines.extend([
                ("name", info.name.clone()),
                ("version", info.version.clone()),
                ("abi", info.abi.clone()),
                ("sdk", info.sdk.clone()),
                ("target", info.target.clone()),
                ("panic", info.panic.clone()),
                ("needs", needed.join(", ")),
                ("schema", "shown by `countersign config schema` once a backend uses the plugin (making it runs the plugin's code)".into()),
            ]);
        }
        if let Ok(Some(warning)) = &self.trust {
            lines.push(("warning", warning.clone()));
        }
        lines.push((
            "verdict",
            self.verdict().err().unwrap_or_else(|| "ok".into()),
        ));
        lines
            .into_iter()
            .map(|(name, value)| format!("{name:<8} {value}\n"))
            .collect()
    }
}
