//! `countersign login` in a terminal: started, its address read, its end awaited.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr};

use countersign_tests::{Done, Folder, Server, command, countersign};

/// One that waits for the browser.
pub(crate) struct Terminal {
    child: Child,
    stderr: BufReader<ChildStderr>,
    seen: String,
    /// What it asks the user to open.
    pub(crate) address: String,
}

/// Runs to its end, with this on standard input.
pub(crate) fn login(folder: &Folder, server: &Server, more: &[&str], input: &str) -> Done {
    let (url, home) = (format!("http://{}", server.address), home(folder));
    let arguments = [&["login"], more].concat();
    let environment = [("COUNTERSIGN_SERVER", url.as_str()), ("HOME", &home)];
    countersign(folder.path(), &arguments, &environment, input)
}

impl Terminal {
    /// Starts, and waits until the address is there.
    pub(crate) fn start(folder: &Folder, server: &Server, more: &[&str]) -> Self {
        Terminal::with(folder, server, &[&["--no-browser"], more].concat(), &[])
    }

    pub(crate) fn with(
        folder: &Folder,
        server: &Server,
        more: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let (url, home) = (format!("http://{}", server.address), home(folder));
        let arguments = [&["login", "--server", &url], more].concat();
        let environment = [&[("HOME", home.as_str())], environment].concat();
        let mut child = command::start(folder.path(), &arguments, &environment);
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        let address = loop {
            let mut line = String::new();
            assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "{seen}");
            seen += &line;
            if line.trim().starts_with("http://") {
                break line.trim().to_owned();
            }
        };
        Terminal {
            child,
            stderr,
            seen,
            address,
        }
    }

    /// The next line with this text.
    pub(crate) fn line(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(
                self.stderr.read_line(&mut line).unwrap(),
                0,
                "{}",
                self.seen
            );
            self.seen += &line;
            if line.contains(text) {
                return line;
            }
        }
    }

    pub(crate) fn end(mut self) -> Done {
        let mut stdout = String::new();
        let mut pipe = self.child.stdout.take().unwrap();
        pipe.read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut self.seen).unwrap();
        Done {
            code: self.child.wait().unwrap().code().unwrap_or(-1),
            stdout,
            stderr: self.seen.clone(),
        }
    }
}

/// A test that fails leaves nothing running.
impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn home(folder: &Folder) -> String {
    folder.path().to_str().unwrap().to_owned()
}
