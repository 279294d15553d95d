//! What every command begins with: where configuration comes from, and the
//! libraries whose schemas complete it.

use std::path::PathBuf;
use std::sync::Arc;

use super::failure::{Failure, INTERNAL, USAGE};
use crate::backends::library::Libraries;
use crate::config::{self, Loaded, Report, Sources};
use crate::start::StartError;
use crate::telemetry;

/// The beginning of a command. Cheap to clone.
#[derive(Clone)]
pub(super) struct Setup {
    pub(super) sources: Arc<Sources>,
    pub(super) libraries: Arc<Libraries>,
}

impl Setup {
    pub(super) fn new(files: Vec<PathBuf>, set: &[String]) -> Result<Self, Failure> {
        let flags = set.iter().map(|pair| {
            let (key, value) = pair.split_once('=').ok_or_else(|| {
                Failure::new(
                    USAGE,
                    format!("--set {pair}: there is no `=`"),
                    "write --set KEY=VALUE, such as --set server.listen=127.0.0.1:9000",
                )
            })?;
            Ok((key.to_owned(), value.to_owned()))
        });
        let sources = Sources::from_process(files, flags.collect::<Result<_, Failure>>()?)?;
        // Used only where executable memfds are forbidden; the copies have no names.
        let copies = std::env::temp_dir();
        Ok(Setup {
            sources: Arc::new(sources),
            libraries: Arc::new(Libraries::new(copies)),
        })
    }

    /// Loads and checks the configuration.
    pub(super) fn load(&self) -> Result<Loaded, Report> {
        config::load(&self.sources, self.libraries.as_ref())
    }

    /// Starts logging, and tells there what loading noticed.
    pub(super) fn logging(&self, loaded: &Loaded) {
        telemetry::start(self.sources.environment.get("RUST_LOG").map(String::as_str));
        for notice in &loaded.notices {
            notice.log();
        }
    }

    /// What a start failed of, with the places of the settings that a plugin refused. They are
    /// read again: a server that runs does not keep them.
    pub(super) fn placed(&self, error: StartError) -> Failure {
        match self.load() {
            Ok(loaded) => Failure::starting(error, &loaded.origins),
            Err(_) => error.into(),
        }
    }

    /// A runtime for the commands that call plugins.
    pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| {
                Failure::new(
                    INTERNAL,
                    format!("the runtime cannot be started: {error}"),
                    "check the process's limits (ulimit -u, -n)",
                )
            })
    }
}
