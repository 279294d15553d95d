//! `config/deploy/install.sh`: a server that is installed finds its plugins by itself.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output};

use countersign_tests::artifacts::{built, repository};
use countersign_tests::{Folder, Server};

fn install(arguments: &[&Path]) -> Output {
    let mut script = Command::new(repository().join("config/deploy/install.sh"));
    script.args(arguments).output().unwrap()
}

#[test]
fn installed_server_runs_on_its_defaults_with_the_plugins_beside_it() {
    let folder = Folder::new();
    let prefix = folder.join("prefix");
    let done = install(&[&prefix, built()]);
    assert!(done.status.success(), "{done:?}");

    let defaults = fs::read_to_string(repository().join("config/countersign.yaml")).unwrap();
    let program = prefix.join("bin/countersign");
    let server = Server::of(&program, &folder, &defaults, &[]);
    let password = fs::read_to_string(server.state.join("initial-admin-password")).unwrap();
    server.token("admin", password.trim());
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    let plugin = prefix.join("lib/countersign/libcountersign_db.so");
    let found = fs::canonicalize(&plugin).unwrap();
    let paths = log
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|line| fs::canonicalize(line["path"].as_str()?).ok());
    assert!(paths.into_iter().any(|path| path == found), "{log}");
}

#[test]
fn installed_files_can_be_changed_by_their_owner_alone() {
    let folder = Folder::new();
    let prefix = folder.join("prefix");
    // Twice: an update replaces what is there.
    for _ in 0..2 {
        let done = install(&[&prefix, built()]);
        assert!(done.status.success(), "{done:?}");
    }
    let plugins = fs::read_dir(repository().join("plugins")).unwrap().count();
    let installed = fs::read_dir(prefix.join("lib/countersign")).unwrap();
    let installed: Vec<_> = installed.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(installed.len(), plugins, "{installed:?}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    for plugin in &installed {
        assert_eq!(mode(plugin), 0o644, "{}", plugin.display());
        let owner = fs::metadata(plugin).unwrap().uid();
        assert_eq!(owner, rustix::process::geteuid().as_raw());
    }
    for folder in ["bin", "lib/countersign", "bin/countersign"] {
        assert_eq!(mode(&prefix.join(folder)), 0o755, "{folder}");
    }
}

#[test]
fn build_that_is_not_there_installs_nothing_and_says_what_is_missing() {
    let folder = Folder::new();
    let prefix = folder.join("prefix");
    let done = install(&[&prefix, &folder.join("nothing")]);
    assert_eq!(done.status.code(), Some(1));
    let told = String::from_utf8(done.stderr).unwrap();
    assert!(told.contains("nothing/countersign is missing"), "{told}");
    assert!(told.contains("help: cargo build --release"), "{told}");
    assert!(!prefix.exists());
    assert_eq!(install(&[]).status.code(), Some(64));
}
