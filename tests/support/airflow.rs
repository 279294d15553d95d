//! A real Apache Airflow on a database of its own, through `testbed/airflow/`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use crate::artifacts::repository;

/// `KEY=VALUE` lines of a test bed script.
pub type Facts = BTreeMap<String, String>;

/// Installs Airflow where it is missing (minutes, once) and makes a home with four users in `folder`.
pub fn prepare(folder: &Path) -> Facts {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let mut install = Command::new(script("install.sh"));
        facts(
            install
                .arg(environment())
                .stderr(Stdio::inherit())
                .output()
                .unwrap(),
        );
    });
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
pub struct Airflow {
    child: Child,
    pub facts: Facts,
}

impl Airflow {
    /// Starts the API server; answers when it serves.
    pub fn start(folder: &Path, options: &[&str]) -> Self {
        let mut command = script_on("run", folder);
        command
            .args(["0"])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut airflow = Airflow {
            child: command.spawn().unwrap(),
            facts: Facts::new(),
        };
        let mut lines = BufReader::new(airflow.child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        while !airflow.facts.contains_key("AIRFLOW_LOG") {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("Airflow did not start; see {}", folder.display()));
            let (key, value) = line.split_once('=').unwrap();
            airflow.facts.insert(key.into(), value.into());
        }
        airflow
    }

    pub fn address(&self) -> std::net::SocketAddr {
        format!("127.0.0.1:{}", self.facts["AIRFLOW_PORT"])
            .parse()
            .unwrap()
    }
}

impl Drop for Airflow {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn script_on(verb: &str, folder: &Path) -> Command {
    let mut command = Command::new(script("airflow.sh"));
    command
        .arg(verb)
        .arg(folder)
        .arg(environment())
        .stderr(Stdio::inherit());
    command
}

fn script(name: &str) -> PathBuf {
    repository().join("tests/testbed/airflow").join(name)
}

/// The virtual environment, cached outside the checkout.
fn environment() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = set("COUNTERSIGN_TEST_CACHE").unwrap_or_else(|| {
        let caches = set("XDG_CACHE_HOME").unwrap_or_else(|| set("HOME").unwrap().join(".cache"));
        caches.join("countersign")
    });
    cache.join("airflow")
}

fn facts(output: Output) -> Facts {
    let mut text = String::new();
    output.stdout.as_slice().read_to_string(&mut text).unwrap();
    assert!(output.status.success(), "the test bed failed: {text}");
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}
