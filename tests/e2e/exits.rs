//! What an operator reads when the server cannot start, and the exit codes.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use countersign_tests::{Folder, artifacts};

use crate::run;

#[test]
fn port_that_is_taken_is_told_at_once() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    folder.write("config.yaml", "server: { listen: \"127.0.0.1:0\" }\n");
    let done = run(
        &folder,
        &["serve"],
        &[("COUNTERSIGN_SERVER__LISTEN", &address)],
    );
    assert_eq!(done.code, 78, "{done:?}");
    for expected in [
        "server.listen",
        &address,
        "in use",
        "COUNTERSIGN_SERVER__LISTEN",
    ] {
        assert!(
            done.stderr.contains(expected),
            "{expected:?} is missing in:\n{}",
            done.stderr
        );
    }
}

#[test]
fn state_that_cannot_be_had_is_told() {
    let folder = Folder::new();
    folder.write(
        "config.yaml",
        "server: { listen: \"127.0.0.1:0\" }\nadmin: { listen: \"127.0.0.1:0\" }\n",
    );
    folder.write("file", "");
    let done = run(&folder, &["serve"], &[("COUNTERSIGN_STATE", "file/state")]);
    assert_eq!(done.code, 78, "{done:?}");
    assert!(
        done.stderr.contains("cannot be created or written")
            && done.stderr.contains("COUNTERSIGN_STATE"),
        "{}",
        done.stderr
    );
    for command in ["check", "serve"] {
        let done = run(&folder, &[command], &[("COUNTERSIGN_STATE", "file")]);
        assert!(
            done.code == 78 && done.stderr.contains("cannot be created or written"),
            "{command}: {done:?}"
        );
        let deep = "deep/".repeat(30);
        let done = run(&folder, &[command], &[("COUNTERSIGN_STATE", &deep)]);
        assert!(
            done.code == 78 && done.stderr.contains("too long for a socket"),
            "{command}: {done:?}"
        );
    }
    fs::create_dir(folder.join("open")).unwrap();
    fs::set_permissions(folder.join("open"), fs::Permissions::from_mode(0o755)).unwrap();
    let done = run(&folder, &["serve"], &[("COUNTERSIGN_STATE", "open")]);
    assert!(
        done.code == 78 && done.stderr.contains("chmod 700"),
        "{done:?}"
    );
}

#[test]
fn key_file_that_others_can_read_is_exit_74() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    folder.write(
        "config.yaml",
        format!("keys: {{ private_key: private.der }}\n{}", crate::TEMPLATE),
    );
    let made = run(
        &folder,
        &[
            "keys",
            "generate",
            "--private-key",
            "private.der",
            "--public-key",
            "public.der",
        ],
        &[],
    );
    assert_eq!(made.code, 0, "{made:?}");
    assert_eq!(run(&folder, &["check"], &[]).code, 0);
    fs::set_permissions(
        folder.join("private.der"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let done = run(&folder, &["check"], &[]);
    assert_eq!(done.code, 74, "{done:?}");
    assert!(
        done.stderr.contains("private.der") && done.stderr.contains("help:"),
        "{}",
        done.stderr
    );
}

#[test]
fn usage_mistakes_are_exit_64() {
    let folder = Folder::new();
    for arguments in [
        &["nonsense"][..],
        &["--set", "novalue"],
        &["keys", "generate", "--algorithm", "HS256"],
        &["keys", "generate", "--private-key", "x"],
    ] {
        let done = run(&folder, arguments, &[("COUNTERSIGN_CONFIG", "")]);
        assert_eq!(done.code, 64, "{arguments:?}: {done:?}");
    }
}
