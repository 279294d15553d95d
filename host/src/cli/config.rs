//! `countersign config show|explain|schema|reference`.

use clap::Subcommand;

use super::failure::Failure;
use super::output;
use super::setup::Setup;
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
    })
}
