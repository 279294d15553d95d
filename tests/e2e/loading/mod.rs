//! One plugin file per sin: what the operator reads, and that the process ends in
//! order (exit 78) instead of dying in the dynamic linker. Then the sins of plugins that
//! load: each ends in an answer, and the server lives on.

mod abi;
mod damaged;
mod floods;
mod nonsense;
mod panics;
mod secrets;
mod stuck;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::{Duration, Instant};

use countersign_tests::{Done, Folder, Server, artifacts, countersign};

/// `countersign check` on a backend whose plugin is called `sin`.
fn check(folder: &Folder, more: &str) -> Done {
    folder.write("config.yaml", format!("plugins: {{ directories: [plugins]{more} }}\nbackends:\n  bad: {{ plugin: sin, config: {{ password: x }} }}\n"));
    countersign(
        folder.path(),
        &["check", "--config", "config.yaml"],
        &[("COUNTERSIGN_STATE", "state")],
        "",
    )
}

fn refused(folder: &Folder, more: &str, expected: &[&str]) {
    let done = check(folder, more);
    assert_eq!(done.code, 78, "{done:?}");
    for text in expected.iter().chain(&["error:", "help:"]) {
        assert!(
            done.stderr.contains(text),
            "{text:?} is missing in:\n{}",
            done.stderr
        );
    }
    assert!(
        done.stderr.len() < 4_000,
        "an error is no dump:\n{}",
        done.stderr
    );
}

/// Copies the template plugin as `sin`, its bytes changed.
fn changed(folder: &Folder, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(artifacts::plugin("template")).unwrap();
    change(&mut bytes);
    folder.plugin(&folder.write("changed", bytes), "sin");
}

fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    let at = bytes
        .windows(from.len())
        .position(|window| window == from)
        .unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
}

/// Configuration of one backend, `sin`, whose plugin is called so, too.
fn sinning(folder: &Folder, fixture: &str, more: &str) -> Server {
    as_sin(folder, fixture);
    Server::start(
        folder,
        &format!(
            "plugins: {{ directories: [plugins] }}\nbackends:\n  sin: {{ plugin: sin{more} }}\n"
        ),
    )
}

/// Waits for what another thread or process is about to do.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "waited in vain: {what}"
        );
        std::thread::yield_now();
    }
}

fn as_sin(folder: &Folder, fixture: &str) {
    folder.plugin(&artifacts::fixture(fixture), "sin");
}

#[test]
fn good_plugin_passes() {
    let folder = Folder::new();
    changed(&folder, |_| {});
    let done = check(&folder, "");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stdout.contains("backend bad: template 0.1.0"),
        "{}",
        done.stdout
    );
    assert!(!folder.join("state").exists(), "check changes nothing");
}

#[test]
fn missing_plugin_names_the_places_and_the_neighbours() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "sink");
    refused(
        &folder,
        "",
        &[
            "plugin \"sin\" not found",
            "plugins/libcountersign_sin.so",
            "did you mean \"sink\"?",
        ],
    );
}

#[test]
fn plugin_file_without_its_prefix_is_named() {
    for name in ["libsin.so", "sin.so"] {
        let folder = Folder::new();
        folder.write(
            &format!("plugins/{name}"),
            fs::read(artifacts::plugin("template")).unwrap(),
        );
        let renamed = format!("plugins/{name} to libcountersign_sin.so");
        refused(
            &folder,
            "",
            &["plugin \"sin\" not found", "rename", &renamed],
        );
    }
}

#[test]
fn plugin_that_calls_itself_otherwise_loads_with_a_warning() {
    let folder = Folder::new();
    changed(&folder, |_| {});
    let server = Server::start(
        &folder,
        "plugins: { directories: [plugins] }\nbackends:\n  bad: { plugin: sin, config: { password: x } }\n",
    );
    assert_eq!(server.login("ada", "x").status, 201);
    let (_, log) = server.stop();
    let warning = r#"says that it is the plugin \"template\", but it is configured as \"sin\""#;
    assert!(log.contains(warning), "{log}");
}

#[test]
fn plugin_that_never_gets_ready_is_given_up_at_its_time_limit() {
    let folder = Folder::new();
    as_sin(&folder, "slow_configure");
    folder.write("config.yaml", "plugins: { directories: [plugins] }\nbackends:\n  bad: { plugin: sin, config: {}, start_timeout: 200ms }\n");
    let done = crate::run(&folder, &["check"], &[]);
    assert_eq!(done.code, 78, "{done:?}");
    for text in ["backend \"bad\"", "not ready within 200ms", "start_timeout"] {
        assert!(
            done.stderr.contains(text),
            "{text:?} is missing in:\n{}",
            done.stderr
        );
    }
}

#[test]
fn p02_library_without_a_plugin_is_refused() {
    let folder = Folder::new();
    as_sin(&folder, "bare");
    refused(&folder, "", &["no Countersign plugin", "export_plugin!"]);
}

#[test]
fn p02_library_without_the_symbol_is_refused() {
    let folder = Folder::new();
    as_sin(&folder, "no_symbol");
    refused(&folder, "", &["does not export a plugin", "export_plugin!"]);
}

#[test]
fn p02_other_architecture_is_named() {
    let folder = Folder::new();
    changed(&folder, |bytes| bytes[18] = 183);
    refused(&folder, "", &["built for aarch64, but this host is x86_64"]);
}

#[test]
fn p27_other_c_library_is_named() {
    let folder = Folder::new();
    changed(&folder, |bytes| {
        let (gnu, musl) = (
            "-gnu\",\"panic\":\"unwind\"} ",
            "-musl\",\"panic\":\"unwind\"}",
        );
        replace(bytes, gnu.as_bytes(), musl.as_bytes());
    });
    refused(
        &folder,
        "",
        &["built for x86_64-linux-musl, but this host is x86_64-linux-gnu"],
    );
}

#[test]
fn p02_missing_library_is_named() {
    let folder = Folder::new();
    changed(&folder, |bytes| {
        replace(bytes, b"libgcc_s.so.1\0", b"libgone_.so.1\0")
    });
    refused(
        &folder,
        "",
        &[
            "libgone_.so.1: cannot open shared object file",
            "it needs these libraries",
        ],
    );
}

#[test]
fn p05_file_or_folder_that_others_can_write_is_refused() {
    let folder = Folder::new();
    changed(&folder, |_| {});
    let file = folder.join("plugins/libcountersign_sin.so");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o757)).unwrap();
    refused(
        &folder,
        "",
        &[
            "not trusted",
            "writable by everybody (mode 0757)",
            "chmod go-w",
        ],
    );
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(folder.join("plugins"), fs::Permissions::from_mode(0o777)).unwrap();
    refused(
        &folder,
        "",
        &["not trusted", "writable by everybody (mode 0777)"],
    );
}

#[test]
fn p05_symlink_is_refused() {
    let folder = Folder::new();
    fs::create_dir(folder.join("plugins")).unwrap();
    symlink(
        artifacts::plugin("template"),
        folder.join("plugins/libcountersign_sin.so"),
    )
    .unwrap();
    refused(&folder, "", &["a symbolic link"]);
}

#[test]
fn p05_name_that_leaves_the_folder_is_never_looked_for() {
    let folder = Folder::new();
    changed(&folder, |_| {});
    fs::create_dir(folder.join("inner")).unwrap();
    for name in [
        "../plugins/libcountersign_sin",
        "x/../sin",
        "/etc/passwd",
        "..",
        "a\\0b",
    ] {
        folder.write("config.yaml", format!("plugins: {{ directories: [inner] }}\nbackends:\n  bad: {{ plugin: \"{name}\", config: {{}} }}\n"));
        let done = countersign(
            folder.path(),
            &["check", "--config", "config.yaml"],
            &[("COUNTERSIGN_STATE", "state")],
            "",
        );
        assert_eq!(done.code, 78, "{name}: {done:?}");
    }
}

#[test]
fn p05_folder_in_place_of_a_file_is_refused() {
    let folder = Folder::new();
    fs::create_dir_all(folder.join("plugins/libcountersign_sin.so")).unwrap();
    refused(&folder, "", &["not a regular file"]);
}

#[test]
fn p03_pin_that_no_backend_uses_is_refused() {
    let folder = Folder::new();
    changed(&folder, |_| {});
    let pin = format!(", sha256: {{ sinn: \"{}\" }}", "0".repeat(64));
    refused(&folder, &pin, &["plugins.sha256.sinn", "did you mean sin?"]);
}

#[test]
fn p03_wrong_sha256_is_refused_and_the_right_one_passes() {
    let folder = Folder::new();
    changed(&folder, |_| {});
    refused(
        &folder,
        &format!(", sha256: {{ sin: \"{}\" }}", "0".repeat(64)),
        &["has sha256", "plugins.sha256.sin pins 0000"],
    );
    let done = countersign(
        folder.path(),
        &[
            "plugins",
            "inspect",
            "--json",
            "plugins/libcountersign_sin.so",
        ],
        &[],
        "",
    );
    let seen: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let done = check(&folder, &format!(", sha256: {{ sin: {} }}", seen["sha256"]));
    assert_eq!(done.code, 0, "{done:?}");
}

#[test]
fn panic_abort_in_the_section_is_refused() {
    let folder = Folder::new();
    changed(&folder, |bytes| {
        replace(bytes, br#""panic":"unwind""#, br#""panic":"abort" "#)
    });
    refused(&folder, "", &["panic = \"abort\""]);
}

#[test]
fn p06_panic_while_it_is_configured_is_an_error_with_its_text() {
    let folder = Folder::new();
    as_sin(&folder, "panics_in_configure");
    refused(&folder, "", &["backend \"bad\"", "no instance for anybody"]);
}

#[test]
fn p19_config_that_the_schema_refuses_names_place_key_and_plugin() {
    let folder = Folder::new();
    changed(&folder, |_| {});
    folder.write("config.yaml", "plugins: { directories: [plugins] }\nbackends:\n  bad:\n    plugin: sin\n    config:\n      passwort: canary\n");
    let done = countersign(
        folder.path(),
        &["check", "--config", "config.yaml"],
        &[("COUNTERSIGN_STATE", "state")],
        "",
    );
    assert_eq!(done.code, 78, "{done:?}");
    for text in [
        "backends.bad.config",
        "passwort",
        "password",
        "config.yaml:6",
    ] {
        assert!(
            done.stderr.contains(text),
            "{text:?} is missing in:\n{}",
            done.stderr
        );
    }
    assert!(
        !done.stderr.contains("canary"),
        "a value is never quoted:\n{}",
        done.stderr
    );
}
