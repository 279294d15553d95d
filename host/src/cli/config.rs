//! `countersign config show|explain|schema|reference|import-fab`.

use std::fs::File;
use std::io::{Read, Write as _, stderr, stdin};
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::failure::{CONFIGURATION, Failure, REFUSED};
use super::output;
use super::setup::Setup;
use crate::config::compat::fab;
use crate::config::{explain, reference, schema_of, show};

/// Show and explain the configuration.
#[derive(Subcommand)]
pub(super) enum Config {
    /// The merged configuration, secrets redacted
    Show {
        /// Where each value came from
        #[arg(long)]
        origin: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// What a key means, such as tokens.lifetime or backends.users.config.url
    Explain {
        /// The key
        key: String,
    },
    /// The JSON Schema, the configured plugins' inside
    Schema,
    /// Every key with its default and meaning, as YAML
    Reference,
    /// Make a configuration of Flask-AppBuilder's webserver_config.py, which is read and not
    /// run; what could not be converted is told line by line, with exit code 1
    ImportFab {
        /// The file, or - for standard input
        file: PathBuf,
    },
}

pub(super) fn run(setup: &Setup, command: &Config) -> Result<(), Failure> {
    output::write(&match command {
        Config::Show { origin, json } => show(&setup.load()?, *origin, *json),
        Config::Explain { key } => {
            explain(&schema_of(&setup.sources, setup.libraries.as_ref()), key)
                .map_err(|report| Failure::unknown(&report))?
        }
        Config::Schema => format!(
            "{:#}\n",
            schema_of(&setup.sources, setup.libraries.as_ref())
        ),
        Config::Reference => reference(),
        Config::ImportFab { file } => return import_fab(file),
    })
}

/// The configuration to standard output, the remarks to standard error.
fn import_fab(file: &Path) -> Result<(), Failure> {
    let text = read(file)?;
    let imported = fab::import(&text);
    for remark in &imported.remarks {
        // Where even this cannot be written, the exit code is left.
        let _ = writeln!(stderr(), "{}:{remark}", file.display());
    }
    output::write(&imported.yaml)?;
    match imported.lacking() {
        0 => Ok(()),
        count => Err(Failure::new(
            REFUSED,
            format!("{count} things could not be converted"),
            "do what each line says, then run `countersign check` on the result",
        )),
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let failed = |why: String| {
        Failure::new(
            CONFIGURATION,
            format!("{} cannot be read: {why}", file.display()),
            "name Airflow's webserver_config.py, a text of at most 1 MiB",
        )
    };
    let mut bytes = Vec::new();
    let most = fab::LIMIT as u64 + 1;
    let done = match file.as_os_str().as_encoded_bytes() {
        b"-" => stdin().take(most).read_to_end(&mut bytes),
        _ => File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes)),
    };
    done.map_err(|error| failed(error.to_string()))?;
    if bytes.len() > fab::LIMIT {
        return Err(failed("it is too large".to_owned()));
    }
    String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8".to_owned()))
}
