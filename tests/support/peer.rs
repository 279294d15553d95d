//! Real software of the test bed: its scripts, what they installed, and a server
//! of it that lives as long as a value.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use crate::artifacts::repository;

/// `KEY=VALUE` lines of a test bed script.
pub type Facts = BTreeMap<String, String>;

/// A file of the test bed, such as `nginx/nginx.sh`.
pub fn script(name: &str) -> PathBuf {
    repository().join("tests/testbed").join(name)
}

/// A folder for what is installed once, cached outside the checkout.
pub fn cached(name: &str) -> PathBuf {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = set("COUNTERSIGN_TEST_CACHE").unwrap_or_else(|| {
        let caches = set("XDG_CACHE_HOME").unwrap_or_else(|| set("HOME").unwrap().join(".cache"));
        caches.join("countersign")
    });
    cache.join(name)
}

/// Installs into the cache where it is not yet: `install` is the script, `name` its folder there.
pub fn installed(install: &str, name: &str) -> Facts {
    let mut command = Command::new(script(install));
    facts(
        command
            .arg(cached(name))
            .stderr(Stdio::inherit())
            .output()
            .unwrap(),
    )
}

/// The lines of a script that ran to its end.
pub fn facts(output: Output) -> Facts {
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "the test bed failed: {text}");
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// A running server; it ends with this value, or with this process.
pub struct Peer {
    child: Child,
    pub facts: Facts,
}

impl Peer {
    /// Runs a script that prints its facts, `last` at the end, when its server answers, and
    /// that ends with its standard input.
    pub fn start(mut command: Command, last: &str) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut peer = Peer {
            child: command.stderr(Stdio::inherit()).spawn().unwrap(),
            facts: Facts::new(),
        };
        let mut lines = BufReader::new(peer.child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok);
        while !peer.facts.contains_key(last) {
            let line = lines
                .next()
                .unwrap_or_else(|| panic!("it did not start: {command:?}"));
            let (key, value) = line.split_once('=').unwrap();
            peer.facts.insert(key.into(), value.into());
        }
        peer
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
