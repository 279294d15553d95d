//! Several plugins and instances, side by side in one process.

use countersign::backends::library::{Libraries, PluginError};
use countersign::config::shapes;
use countersign_tests::{Folder, Server, artifacts, countersign, post_json, token};

#[test]
fn p18_plugins_and_instances_keep_their_own_state() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("counts"), "counts");
    folder.plugin(&artifacts::plugin("template"), "template");
    let config = r#"
plugins: { directories: [plugins] }
tokens: { claims: { sub: "{id}" } }
backends:
  red: { plugin: counts, config: { name: red } }
  blue: { plugin: counts, config: { name: blue } }
  door: { plugin: template, config: { password: door } }
"#;
    let server = Server::start(&folder, config);
    let subject = |backend: &str| {
        let answer = post_json(
            server.address,
            &format!("/auth/{backend}/token"),
            r#"{"username":"ada","password":"door"}"#,
        );
        token::claims(answer.json()["access_token"].as_str().unwrap())["sub"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        [
            subject("red"),
            subject("red"),
            subject("blue"),
            subject("door"),
            subject("red")
        ],
        ["red-1", "red-2", "blue-1", "ada", "red-3"]
    );
}

#[test]
fn p06_panic_in_drop_leaves_the_host_in_order() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("panics_in_drop"), "sin");
    let config =
        "plugins: { directories: [plugins] }\nbackends: { bad: { plugin: sin, config: {} } }\n";
    folder.write("config.yaml", config);
    let check = ["check", "--config", "config.yaml"];
    let done = countersign(folder.path(), &check, &[("COUNTERSIGN_STATE", "state")], "");
    assert_eq!(done.code, 0, "{done:?}");
    let server = Server::start(&folder, config);
    assert_eq!(server.login("ada", "pw").status, 201);
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
}

#[test]
fn log_of_a_thread_outside_every_call_reaches_the_hosts() {
    let folder = Folder::new();
    folder.plugin(&artifacts::fixture("speaks"), "speaks");
    let server = Server::start(
        &folder,
        "plugins: { directories: [plugins] }\nbackends: { loud: { plugin: speaks, config: {} } }\n",
    );
    assert_eq!(server.login("ada", "pw").status, 201);
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    for text in [
        "from a thread",
        "alone in the dark",
        "cellar",
        "\"backend\":\"loud\"",
    ] {
        assert!(log.contains(text), "{text:?} is missing in:\n{log}");
    }
    assert!(!log.contains("chatter"), "{log}");
}

#[test]
fn inspect_tells_what_a_file_is_without_running_it() {
    let folder = Folder::new();
    let file = folder.plugin(&artifacts::plugin("template"), "template");
    let done = countersign(
        folder.path(),
        &["plugins", "inspect", file.to_str().unwrap()],
        &[],
        "",
    );
    assert_eq!(done.code, 0, "{done:?}");
    for line in [
        "name     template",
        "version  0.1.0",
        "abi      1.0.0",
        "target   x86_64-linux-gnu",
        "panic    unwind",
        "verdict  ok",
    ] {
        assert!(done.stdout.contains(line), "{}", done.stdout);
    }
    let done = countersign(
        folder.path(),
        &["plugins", "inspect", "--json", file.to_str().unwrap()],
        &[],
        "",
    );
    let json: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(
        (
            json["plugin"]["name"].as_str(),
            json["sha256"].as_str().map(str::len)
        ),
        (Some("template"), Some(64))
    );
    let bare = folder.plugin(&artifacts::fixture("bare"), "bare");
    let done = countersign(
        folder.path(),
        &["plugins", "inspect", bare.to_str().unwrap()],
        &[],
        "",
    );
    assert_eq!(done.code, 1);
    assert!(
        done.stderr.contains("no Countersign plugin"),
        "{}",
        done.stderr
    );
}

#[test]
fn list_shows_every_plugin_in_the_folders() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    folder.plugin(&artifacts::fixture("bare"), "bare");
    folder.write("config.yaml", crate::TEMPLATE);
    let done = countersign(
        folder.path(),
        &["plugins", "list", "--config", "config.yaml"],
        &[("COUNTERSIGN_STATE", "state")],
        "",
    );
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stdout.contains("template") && done.stdout.contains("bare"),
        "{}",
        done.stdout
    );
    assert!(!folder.join("state").exists(), "looking makes nothing");
}

#[test]
fn file_that_is_replaced_is_loaded_anew_and_pins_hold_for_what_is_loaded() {
    let folder = Folder::new();
    let mut settings = shapes::Plugins::default();
    settings.directories.push(folder.join("plugins"));
    let libraries = Libraries::new(folder.path().to_owned());

    folder.plugin(&artifacts::plugin("template"), "door");
    let first = libraries.load("door", &settings).unwrap().library;
    let again = libraries.load("door", &settings).unwrap().library;
    assert_eq!(first.sha256(), again.sha256());

    settings.sha256.insert("door".into(), "0".repeat(64));
    let refused = libraries.load("door", &settings).unwrap_err();
    assert!(matches!(refused, PluginError::Pin { .. }), "{refused}");
    settings.sha256.clear();

    folder.plugin(&artifacts::fixture("answers"), "door");
    let other = libraries.load("door", &settings).unwrap().library;
    assert_ne!(first.sha256(), other.sha256());
}

// Else the fuzzer would begin with a file that is refused at the first look.
#[test]
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
fn seed_of_the_fuzz_target_is_a_plugin_to_the_inspection() {
    let seed = artifacts::repository().join("tests/fuzz/seeds/elf/00");
    let inspect = ["plugins", "inspect", seed.to_str().unwrap()];
    let done = countersign(Folder::new().path(), &inspect, &[], "");
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.stdout.contains("verdict  ok"), "{}", done.stdout);
}
