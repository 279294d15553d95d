//! Servers that stop, come back, and are asked by many at once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use countersign_sdk::{AuthPlugin, Kind};
use serde_json::json;
use tokio::task::JoinSet;

use crate::bed::{Bed, bed, instance, login};

/// A server that is stopped and started on the same port.
struct Restarted {
    folder: PathBuf,
    ports: Vec<String>,
}

impl Restarted {
    fn start() -> Self {
        let name = format!("countersign-slapd-again-{}", std::process::id());
        let mut own = Restarted {
            folder: std::env::temp_dir().join(name),
            ports: Vec::new(),
        };
        own.run("start");
        let facts = std::fs::read_to_string(own.folder.join("env")).unwrap();
        let port = |key: &str| {
            let mut lines = facts.lines();
            let line = lines.find(|line| line.starts_with(key)).unwrap();
            line.rsplit(':').next().unwrap().to_owned()
        };
        own.ports = vec![port("LDAP_URI="), port("LDAPS_URI=")];
        own
    }

    fn run(&self, command: &str) {
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/testbed/slapd/slapd.sh");
        // Its output must not be waited for: the server keeps it open.
        let status = Command::new(script)
            .arg(command)
            .arg(&self.folder)
            .args(&self.ports)
            .stdout(std::process::Stdio::null())
            .status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Restarted {
    fn drop(&mut self) {
        self.run("stop");
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn restart_of_the_server_costs_nobody_his_login() {
    let own = Restarted::start();
    let settings = bed().settings(json!({ "url": format!("ldap://127.0.0.1:{}", own.ports[0]) }));
    let ldap = instance(settings).await;
    assert!(login(&ldap, "alice", "alice-pw").await.unwrap().is_some());
    own.run("stop");
    own.run("start");
    assert!(login(&ldap, "alice", "alice-pw").await.unwrap().is_some());
    own.run("stop");
    let error = login(&ldap, "alice", "alice-pw").await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(ldap.health().await.is_err());
    own.run("start");
    assert!(login(&ldap, "alice", "alice-pw").await.unwrap().is_some());
    ldap.health().await.unwrap();
}

#[tokio::test]
async fn second_server_takes_over() {
    let first = Bed::start(&[]);
    let settings = bed().settings(json!({ "url": [first.url(), bed().url()] }));
    let ldap = instance(settings).await;
    assert!(login(&ldap, "alice", "alice-pw").await.unwrap().is_some());
    assert!(first.log().contains("BIND dn=\"uid=alice"));
    first.stop();
    for _ in 0..3 {
        assert!(login(&ldap, "alice", "alice-pw").await.unwrap().is_some());
    }
}

#[tokio::test]
async fn many_logins_share_few_service_connections() {
    let own = Bed::start(&[]);
    let settings = own.settings(json!({ "pool": { "size": 3 } }));
    let ldap = Arc::new(instance(settings).await);
    let mut logins = JoinSet::new();
    for _ in 0..200 {
        let ldap = ldap.clone();
        logins.spawn(async move { login(&ldap, "alice", "alice-pw").await });
    }
    for login in logins.join_all().await {
        assert!(login.unwrap().is_some());
    }
    let binds = own.log().matches("BIND dn=\"cn=svc,").count();
    // Each bind stands there twice: with its method, and with its mechanism.
    assert!((2..=6).contains(&binds), "{binds}");
    own.stop();
}
