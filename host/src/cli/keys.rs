//! `countersign keys generate|list`.

use std::io::{Write, stderr};
use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Subcommand, ValueEnum};

use super::failure::{Failure, USAGE};
use super::output;
use super::setup::Setup;
use crate::config::Config;
use crate::config::shapes::Algorithm;
use crate::keys::generate::{self, Format};
use crate::keys::{KeyError, KeySet, Mode, Opening, table};
use crate::state;

/// Make and show keys.
#[derive(Subcommand)]
pub(super) enum Keys {
    /// Make a key: into two files, or as the next key of the state folder
    Generate {
        /// RS256 RS384 RS512 PS256 ES256 ES384 EdDSA; default: keys.algorithm
        #[arg(long)]
        algorithm: Option<String>,
        /// Key id; default: the RFC 7638 thumbprint
        #[arg(long)]
        id: Option<String>,
        /// Where the private half goes (PKCS#8)
        #[arg(long, requires = "public_key")]
        private_key: Option<PathBuf>,
        /// Where the public half goes (SubjectPublicKeyInfo)
        #[arg(long, requires = "private_key")]
        public_key: Option<PathBuf>,
        /// Format of the two files
        #[arg(long, value_enum, default_value = "der")]
        format: FileFormat,
    },
    /// Every published key and its state
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum FileFormat {
    Der,
    Pem,
}

/// The keys as they are; nothing is made, whoever may reach the server.
pub(super) fn looked_at(config: &Config) -> Result<KeySet, KeyError> {
    let opening = Opening {
        mode: Mode::Check,
        exposed: false,
        now: SystemTime::now(),
        progress: &|_| {},
    };
    let named = config.tokens.algorithms();
    KeySet::open(&config.keys, &named, &config.state, &opening)
}

pub(super) fn run(setup: &Setup, command: &Keys) -> Result<(), Failure> {
    let loaded = setup.load()?;
    let config = &loaded.config;
    match command {
        Keys::List { json } => {
            let keys = looked_at(config)?;
            output::write(&if *json {
                format!("{:#}\n", serde_json::json!(keys.list()))
            } else {
                table(keys.list())
            })
        }
        Keys::Generate {
            algorithm,
            id,
            private_key,
            public_key,
            format,
        } => {
            let algorithm = algorithm
                .as_deref()
                .map_or(Ok(config.keys.algorithm), named)?;
            let generated = match (private_key, public_key) {
                (Some(private), Some(public)) => {
                    let format = match format {
                        FileFormat::Der => Format::Der,
                        FileFormat::Pem => Format::Pem,
                    };
                    generate::into_files(
                        algorithm,
                        id.as_deref(),
                        private,
                        public,
                        format,
                        &progress,
                    )?
                }
                _ => {
                    let _lock = state::lock(&config.state)?;
                    generate::into_state(
                        algorithm,
                        &config.tokens.algorithms(),
                        id.as_deref(),
                        &config.state,
                        SystemTime::now(),
                        &progress,
                    )?
                }
            };
            let public = generated.public_key.as_ref();
            output::write(&format!(
                "kid         {}\nthumbprint  {}\nprivate     {}\n{}",
                generated.kid,
                generated.thumbprint,
                generated.private_key.display(),
                public.map_or_else(String::new, |file| format!(
                    "public      {}\n",
                    file.display()
                )),
            ))
        }
    }
}

fn progress(step: &str) {
    let _ = writeln!(stderr(), "{step} …");
}

fn named(name: &str) -> Result<Algorithm, Failure> {
    serde_json::from_value(name.into()).map_err(|_| {
        Failure::new(
            USAGE,
            format!("--algorithm {name} is unknown"),
            "one of RS256 RS384 RS512 PS256 ES256 ES384 EdDSA",
        )
    })
}
