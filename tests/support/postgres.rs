//! A PostgreSQL server of its own, through `testbed/postgres/`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::artifacts::repository;

/// A running server; it ends with this value, or with this process.
pub struct Postgres {
    /// The url of its database, as superuser.
    pub url: String,
    port: String,
    folder: PathBuf,
    child: Child,
}

impl Postgres {
    /// Starts it on a free port. Its folder is no test's own: those are private, and the
    /// server runs as another user where the tests run as root.
    pub fn start() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign-e2e-pg-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let mut child = script()
            .arg("run")
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let facts: BTreeMap<String, String> = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
            .take(5)
            .filter_map(|line| {
                let (key, value) = line.split_once('=')?;
                Some((key.to_owned(), value.to_owned()))
            })
            .collect();
        let fact = |key| facts.get(key).expect("PostgreSQL did not start").clone();
        Postgres {
            url: fact("PG_URL"),
            port: fact("PG_PORT"),
            folder,
            child,
        }
    }

    /// Ends it at once, as in a crash.
    pub fn stop(&self) {
        self.now("stop", &[]);
    }

    /// Starts it again on the same port.
    pub fn again(&self) {
        self.now("start", &[&self.port]);
    }

    fn now(&self, command: &str, more: &[&str]) {
        let mut script = script();
        let done = script
            .arg(command)
            .arg(&self.folder)
            .args(more)
            .output()
            .unwrap();
        assert!(done.status.success(), "pg.sh {command}: {done:?}");
    }

    /// Runs statements; panics if one fails.
    pub fn run(&self, statements: &str) {
        self.ask(statements);
    }

    /// The same, and what the last one answers, without its head.
    pub fn ask(&self, statements: &str) -> String {
        let done = Command::new("psql")
            .args([
                self.url.as_str(),
                "-qXtA",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                statements,
            ])
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn script() -> Command {
    Command::new(repository().join("tests/testbed/postgres/pg.sh"))
}
