//! The first start on embedded defaults: an administrator, his password, a token.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use countersign_tests::{Folder, Server, countersign, token};

/// The built-in configuration: a users database in the state folder.
const DEFAULTS: &str =
    "backends:\n  users: { plugin: db, config: { url: \"sqlite://{state}/users.db\" } }\n";

#[test]
fn first_start_makes_an_administrator_whose_password_is_in_a_private_file() {
    let folder = Folder::new();
    let server = Server::start(&folder, DEFAULTS);
    let file = server.state.join("initial-admin-password");
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(
        fs::metadata(&server.state).unwrap().permissions().mode() & 0o777,
        0o700
    );
    let password = fs::read_to_string(&file).unwrap();
    let claims = token::claims(&server.token("admin", password.trim()));
    assert_eq!(claims["sub"], "1");
    let (_, log) = server.stop();
    assert!(log.contains("token issued"), "{log}");
    assert!(!log.contains(password.trim()), "the password is in no log");
}

#[test]
fn second_start_keeps_the_administrator_and_makes_no_other() {
    let folder = Folder::new();
    let first = Server::start(&folder, DEFAULTS);
    let file = first.state.join("initial-admin-password");
    let password = fs::read_to_string(&file).unwrap();
    first.stop();
    let second = Server::start(&folder, DEFAULTS);
    assert_eq!(fs::read_to_string(&file).unwrap(), password);
    second.token("admin", password.trim());
}

#[test]
fn database_that_was_emptied_by_hand_gets_no_new_administrator() {
    let folder = Folder::new();
    let first = Server::start(&folder, DEFAULTS);
    first.stop();
    fs::remove_file(folder.join("state/initial-admin-password")).unwrap();
    let second = Server::start(&folder, DEFAULTS);
    assert!(!second.state.join("initial-admin-password").exists());
    assert_eq!(second.login("admin", "anything").status, 401);
}

#[test]
fn several_new_databases_share_the_first_password() {
    let folder = Folder::new();
    let config = "backends:\n  a: { plugin: db, config: { url: \"sqlite://{state}/a.db\" } }\n  b: { plugin: db, config: { url: \"sqlite://{state}/b.db\" } }\n";
    let server = Server::start(&folder, config);
    let password = fs::read_to_string(server.state.join("initial-admin-password")).unwrap();
    let body = serde_json::json!({ "username": "admin", "password": password.trim() }).to_string();
    for path in ["/auth/token", "/auth/a/token", "/auth/b/token"] {
        assert_eq!(
            countersign_tests::post_json(server.address, path, &body).status,
            201,
            "{path}"
        );
    }
}

#[test]
fn own_password_of_the_administrator_removes_the_file() {
    let folder = Folder::new();
    let server = Server::start(&folder, DEFAULTS);
    let environment = [("COUNTERSIGN_STATE", server.state.to_str().unwrap())];
    let arguments = [
        "users",
        "passwd",
        "admin",
        "--password-stdin",
        "--config",
        "config.yaml",
    ];
    let done = countersign(folder.path(), &arguments, &environment, "my own\n");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(!server.state.join("initial-admin-password").exists());
    server.token("admin", "my own");
}
