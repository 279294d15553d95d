//! A PostgreSQL server of its own, through `testbed/postgres/`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::artifacts::repository;

/// A running server; it ends with this value, or with this process.
pub struct Postgres {
    /// The url of its database, as superuser.
    pub url: String,
    child: Child,
}

impl Postgres {
    /// Starts it in a folder that does not exist yet.
    pub fn start(folder: &Path) -> Self {
        let mut child = Command::new(repository().join("tests/testbed/postgres/pg.sh"))
            .arg("run")
            .arg(folder)
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
        let url = facts.get("PG_URL").expect("PostgreSQL did not start");
        Postgres {
            url: url.clone(),
            child,
        }
    }

    /// Runs statements; panics if one fails.
    pub fn run(&self, statements: &str) {
        let done = Command::new("psql")
            .args([
                self.url.as_str(),
                "-qX",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                statements,
            ])
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
