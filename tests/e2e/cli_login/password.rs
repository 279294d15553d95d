//! Signing in at the terminal itself, with a name and a password.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use countersign_tests::token::claims;
use countersign_tests::{Folder, artifacts};

use super::good;
use super::terminal::login;
use crate::template;

#[test]
fn name_and_password_give_a_token_without_a_browser() {
    let folder = Folder::new();
    let server = template(&folder);
    let named = ["--username", "ada", "--password-stdin"];
    let done = login(&folder, &server, &named, "door\n");
    let token = good(&done).to_owned();
    let said = claims(&token);
    assert_eq!(
        said["exp"].as_u64().unwrap() - said["iat"].as_u64().unwrap(),
        3_600
    );
    // Kept for that name: the password is not read again.
    assert_eq!(good(&login(&folder, &server, &named, "wrong\n")), token);
    let forced = login(
        &folder,
        &server,
        &[&named[..], &["--force"]].concat(),
        "door\n",
    );
    assert_ne!(good(&forced), token);
    let direct = [&named[..], &["--backend", "door"]].concat();
    assert_ne!(
        good(&login(&folder, &server, &direct, "door\n")),
        good(&forced)
    );
}

#[test]
fn token_that_cannot_be_kept_is_given_all_the_same() {
    let folder = Folder::new();
    let server = template(&folder);
    let named = ["--username", "ada", "--password-stdin", "--force"];
    good(&login(&folder, &server, &named, "door\n"));
    let kept = folder.join(".cache/countersign/tokens");
    std::fs::set_permissions(&kept, PermissionsExt::from_mode(0o755)).unwrap();
    let done = login(&folder, &server, &named, "door\n");
    good(&done);
    assert!(done.stderr.contains("not kept"), "{done:?}");
    assert!(done.stderr.contains("chmod 700"), "{done:?}");
}

/// A terminal's own doing: without it the shell would show nothing of what is typed next.
#[test]
fn interrupt_at_the_question_for_the_password_leaves_the_terminal_as_it_was() {
    let folder = Folder::new();
    let script = folder.write("terminal.py", TERMINAL);
    let program = artifacts::binary();
    let done = Command::new("python3")
        .args([script.as_path(), &program])
        .env("HOME", folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert_eq!(said, "silent while asked\nechoes again, 130\n", "{done:?}");
}

/// A pseudo-terminal with somebody who types Ctrl-C.
const TERMINAL: &str = r#"
import os, pty, subprocess, sys, termios
ours, its = pty.openpty()
echoes = lambda: bool(termios.tcgetattr(its)[3] & termios.ECHO)
def terminal():
    os.setsid()
    import fcntl
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
command = [sys.argv[1], "login", "--server", "http://127.0.0.1:1", "--username", "ada"]
child = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, preexec_fn=terminal)
seen = b""
while b"Password:" not in seen:
    seen += os.read(ours, 1000)
print("echoes" if echoes() else "silent", "while asked")
os.write(ours, b"\x03")
code = child.wait(60)
print("echoes" if echoes() else "silent", "again,", code)
"#;
