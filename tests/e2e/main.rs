//! One end-to-end binary: linking is dear, and one binary links once. Modules by
//! area; no test depends on another, each has its own folder, ports and server.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod airflow;
mod arrows;
mod audit;
mod bots;
mod canary;
mod chain;
mod check;
mod claims;
mod cli_login;
mod config;
mod console;
mod consumers;
mod databases;
mod deploy;
mod discovery;
mod embed;
mod exits;
mod fab;
mod fab_wire;
mod first_start;
mod hosts;
mod import_fab;
mod install;
mod jwks;
mod keys;
mod ldap;
mod limits;
mod loading;
mod login;
mod metrics;
mod oauth;
mod oauth2;
mod openapi;
mod openmetadata;
mod outcomes;
mod plugins;
mod probe;
mod probes;
mod provisioning;
mod reload;
mod request_id;
mod sdk_testing;
mod server;
mod store;
mod throttle;
mod tls;
mod token;
mod traces;
mod users;
mod verify;

use countersign_tests::{Done, Folder, Server, artifacts, countersign};

/// A server with the template plugin, whose shared password is `door`.
fn template(folder: &Folder) -> Server {
    folder.plugin(&artifacts::plugin("template"), "template");
    Server::start(folder, TEMPLATE)
}

/// Configuration with one backend, the template plugin.
const TEMPLATE: &str = r#"
plugins: { directories: [plugins] }
backends:
  door: { plugin: template, config: { password: door } }
"#;

/// A server with the fixture that answers what the username asks for.
fn answers(folder: &Folder, more: &str) -> Server {
    folder.plugin(&artifacts::fixture("answers"), "answers");
    Server::start(
        folder,
        &format!(
            "plugins: {{ directories: [plugins] }}\nbackends:\n  first:\n    plugin: answers\n    config: {{}}\n{more}"
        ),
    )
}

/// A command on `config.yaml` and `state` of the folder, unless `environment` says otherwise.
fn run(folder: &Folder, arguments: &[&str], environment: &[(&str, &str)]) -> Done {
    let all = [
        &[
            ("COUNTERSIGN_STATE", "state"),
            ("COUNTERSIGN_CONFIG", "config.yaml"),
        ],
        environment,
    ]
    .concat();
    countersign(folder.path(), arguments, &all, "")
}
