//! A real Apache Airflow on a database of its own, through `testbed/airflow/`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

pub use crate::peer::Facts;
use crate::peer::{Peer, cached, facts, installed, script};

/// Installs Airflow where it is missing (minutes, once) and makes a home with four users in `folder`.
pub fn prepare(folder: &Path) -> Facts {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| drop(installed("airflow/install.sh", "airflow")));
    facts(script_on("prepare", folder).output().unwrap())
}

/// Runs Airflow's own command line on the home in `folder`.
pub fn cli(folder: &Path, arguments: &[&str]) -> Output {
    script_on("cli", folder).args(arguments).output().unwrap()
}

/// Runs airflowctl with a home of its own.
pub fn ctl(folder: &Path, arguments: &[&str]) -> Output {
    script_on("ctl", folder).args(arguments).output().unwrap()
}

/// A running Airflow; it ends with this value, or with this process.
pub struct Airflow(Peer);

impl Airflow {
    /// Starts the API server; answers when it serves.
    pub fn start(folder: &Path, options: &[&str]) -> Self {
        let mut command = script_on("run", folder);
        command.args(["0"]).args(options);
        Airflow(Peer::start(command, "AIRFLOW_LOG"))
    }

    pub fn address(&self) -> SocketAddr {
        format!("127.0.0.1:{}", self.0.facts["AIRFLOW_PORT"])
            .parse()
            .unwrap()
    }
}

fn script_on(verb: &str, folder: &Path) -> Command {
    let mut command = Command::new(script("airflow/airflow.sh"));
    command
        .arg(verb)
        .arg(folder)
        .arg(cached("airflow"))
        .stderr(Stdio::inherit());
    command
}
