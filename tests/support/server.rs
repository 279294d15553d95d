//! A running server on free ports, with a state folder of its own; stopped when
//! dropped. It is ready when it says so in its log.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::Value;

use crate::artifacts::binary;
use crate::client::{Answer, post_json};
use crate::command::command;
use crate::folder::Folder;

pub struct Server {
    pub address: SocketAddr,
    pub admin: SocketAddr,
    pub state: PathBuf,
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts on `config.yaml` of this text, in `folder`; panics with the log if it does not get ready.
    pub fn start(folder: &Folder, config: &str) -> Self {
        Server::with(folder, config, &[])
    }

    pub fn with(folder: &Folder, config: &str, environment: &[(&str, &str)]) -> Self {
        Server::of(&binary(), folder, config, environment)
    }

    /// The same of another file than the one that was built here.
    pub fn of(program: &Path, folder: &Folder, config: &str, environment: &[(&str, &str)]) -> Self {
        folder.write("config.yaml", config);
        let state = folder.join("state");
        let mut variables = vec![
            ("COUNTERSIGN_CONFIG", "config.yaml"),
            ("COUNTERSIGN_STATE", state.to_str().unwrap()),
            ("COUNTERSIGN_SERVER__LISTEN", "127.0.0.1:0"),
            ("COUNTERSIGN_ADMIN__LISTEN", "127.0.0.1:0"),
        ];
        variables.retain(|(name, _)| environment.iter().all(|(other, _)| name != other));
        variables.extend(environment);
        let mut child = command(program, folder.path(), &variables)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let serving = lines.by_ref().map_while(Result::ok).find_map(|line| {
            append(&log, &line);
            serde_json::from_str::<Value>(&line)
                .ok()
                .filter(|line| line["message"] == "serving")
        });
        let Some(serving) = serving else {
            panic!("the server did not start:\n{}", log.lock().unwrap())
        };
        let address = |key: &str| serving[key].as_str().unwrap().parse().unwrap();
        let (address, admin) = (address("listen"), address("admin"));
        let reader = std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                lines
                    .map_while(Result::ok)
                    .for_each(|line| append(&log, &line))
            }
        });
        Server {
            address,
            admin,
            state,
            child,
            log,
            reader: Some(reader),
        }
    }

    /// `POST /auth/token` with a name and a password.
    pub fn login(&self, username: &str, password: &str) -> Answer {
        post_json(
            self.address,
            "/auth/token",
            &serde_json::json!({ "username": username, "password": password }).to_string(),
        )
    }

    /// The token of a login that must succeed.
    pub fn token(&self, username: &str, password: &str) -> String {
        let answer = self.login(username, password);
        assert_eq!(answer.status, 201, "{answer:?}\n{}", self.log());
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// The log as far as it has been read: more may be on its way. What must be in it, or
    /// must not, is looked for in the whole log, which [`Server::stop`] gives.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// SIGTERM, then the exit code and the whole log.
    pub fn stop(self) -> (i32, String) {
        self.terminate();
        self.ended()
    }

    /// The exit code and the whole log of a server that is stopping already.
    pub fn ended(mut self) -> (i32, String) {
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        (code, self.log())
    }

    /// SIGTERM, without waiting.
    pub fn signal(&self) {
        self.terminate();
    }

    /// A signal by its name, such as `HUP`.
    pub fn send(&self, signal: &str) {
        let id = self.child.id().to_string();
        let _ = std::process::Command::new("kill")
            .args(["-s", signal, &id])
            .status();
    }

    fn terminate(&self) {
        let _ = std::process::Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn append(log: &Mutex<String>, line: &str) {
    let mut log = log.lock().unwrap();
    log.push_str(line);
    log.push('\n');
}
