//! `host/examples/embed.rs`: Countersign inside another service.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use countersign_tests::artifacts::{self, built};
use countersign_tests::{Folder, get, post_json, token};

/// A running example; it ends with this value.
struct Embedding {
    child: Child,
    address: SocketAddr,
}

impl Embedding {
    fn start(folder: &Folder) -> Self {
        folder.plugin(&artifacts::plugin("template"), "template");
        folder.write("config.yaml", crate::TEMPLATE);
        let mut child = command(folder).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("serving http://");
        let address = address.unwrap_or_else(|| panic!("the example did not start: {line}"));
        Embedding {
            address: address.parse().unwrap(),
            child,
        }
    }
}

impl Drop for Embedding {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(folder: &Folder) -> Command {
    let mut command = Command::new(built().join("examples/embed"));
    command
        .arg("127.0.0.1:0")
        .current_dir(folder.path())
        .env_clear()
        .env("COUNTERSIGN_CONFIG", "config.yaml")
        .env("COUNTERSIGN_STATE", "state");
    command
}

#[test]
fn routes_of_both_are_answered_side_by_side() {
    let folder = Folder::new();
    let mut service = Embedding::start(&folder);
    assert_eq!(get(service.address, "/hello").body, "hello\n");
    let login = |password: &str| {
        let body = serde_json::json!({ "username": "ada", "password": password });
        post_json(service.address, "/auth/token", &body.to_string())
    };
    let answer = login("door");
    assert_eq!(answer.status, 201, "{answer:?}");
    let answer = answer.json();
    let claims = token::claims(answer["access_token"].as_str().unwrap());
    assert_eq!(claims["sub"], "ada");
    assert_eq!(login("sesame").status, 401);
    let keys = get(service.address, "/.well-known/jwks.json").json();
    assert!(keys["keys"].as_array().is_some_and(|keys| !keys.is_empty()));
    assert_eq!(get(service.address, "/nowhere").status, 404);

    let interrupt = ["-INT", &service.child.id().to_string()];
    Command::new("kill").args(interrupt).status().unwrap();
    assert!(service.child.wait().unwrap().success());
}

#[test]
fn configuration_that_does_not_hold_is_told_whole() {
    let folder = Folder::new();
    folder.write(
        "config.yaml",
        "tokens: { lifetme: 1h }\nbackends: { door: { plugin: nowhere } }\n",
    );
    let done = command(&folder).output().unwrap();
    assert!(!done.status.success());
    let told = String::from_utf8(done.stderr).unwrap();
    for text in ["tokens.lifetme", "config.yaml", "nowhere"] {
        assert!(told.contains(text), "{text} is missing in: {told}");
    }
}
