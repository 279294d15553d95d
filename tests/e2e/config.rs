//! `countersign config …` and `keys list`, as an operator uses them.

use countersign_tests::{Folder, Server, artifacts};
use serde_json::Value;

use crate::run;

fn with_template() -> Folder {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    folder.write("config.yaml", crate::TEMPLATE);
    folder
}

#[test]
fn show_tells_each_value_and_where_it_came_from() {
    let folder = with_template();
    let variables = [
        ("COUNTERSIGN_TOKENS__LIFETIME", "1h"),
        ("COUNTERSIGN_BACKENDS__DOOR__TIMEOUT", "3s"),
    ];
    let done = run(
        &folder,
        &["config", "show", "--origin", "--set", "tokens.audience=me"],
        &variables,
    );
    assert_eq!(done.code, 0, "{done:?}");
    let line = |key: &str| {
        done.stdout
            .lines()
            .find(|line| line.trim_start().starts_with(key))
            .unwrap_or_else(|| panic!("{key}: {}", done.stdout))
    };
    // Sessions have a lifetime, too.
    let mut lines = done.stdout.lines();
    let lifetime = lines.find(|line| line.contains("COUNTERSIGN_TOKENS__LIFETIME"));
    assert!(
        lifetime.is_some_and(|line| line.contains("lifetime:") && line.contains("1h")),
        "{}",
        done.stdout
    );
    assert!(line("timeout:").contains("COUNTERSIGN_BACKENDS__DOOR__TIMEOUT"));
    assert!(line("audience:").contains("me"));
    assert!(
        line("password:").contains("[secret]") && line("password:").contains("config.yaml:4:"),
        "{}",
        line("password:")
    );
    assert!(line("leeway:").contains("default"));
    let json: Value =
        serde_json::from_str(&run(&folder, &["config", "show", "--json"], &variables).stdout)
            .unwrap();
    assert_eq!(
        (
            json["tokens"]["lifetime"].as_str(),
            json["backends"]["door"]["config"]["password"].as_str()
        ),
        (Some("1h"), Some("[secret]"))
    );
}

#[test]
fn explain_tells_a_key_and_its_variable_or_the_nearest() {
    let folder = with_template();
    let done = run(
        &folder,
        &["config", "explain", "backends.door.config.password"],
        &[],
    );
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stdout.contains("The password that everybody shares.")
            && done
                .stdout
                .contains("COUNTERSIGN_BACKENDS__DOOR__CONFIG__PASSWORD")
    );
    let done = run(&folder, &["config", "explain", "tokens.lifetme"], &[]);
    assert_eq!(done.code, 1, "{done:?}");
    assert!(
        done.stderr.contains("did you mean `tokens.lifetime`?"),
        "{}",
        done.stderr
    );
}

#[test]
fn schema_and_reference_hold_every_key() {
    let folder = with_template();
    let schema: Value =
        serde_json::from_str(&run(&folder, &["config", "schema"], &[]).stdout).unwrap();
    assert!(schema["properties"]["tokens"].is_object(), "{schema:#}");
    assert!(
        schema
            .to_string()
            .contains("The password that everybody shares."),
        "the plugin's schema is inside"
    );
    let reference = run(&folder, &["config", "reference"], &[]).stdout;
    let kept =
        std::fs::read_to_string(artifacts::repository().join("config/reference.yaml")).unwrap();
    assert_eq!(
        reference, kept,
        "config/reference.yaml is what `config reference` prints"
    );
}

#[test]
fn c06_secret_comes_from_a_file_or_a_variable() {
    let folder = with_template();
    folder.write("door", "door\n");
    for (value, variables) in [
        ("{ file: door }", &[][..]),
        ("{ env: DOOR }", &[("DOOR", "door")]),
        ("\"${DOOR}\"", &[("DOOR_FILE", "door")]),
    ] {
        let config = crate::TEMPLATE.replace("password: door", &format!("password: {value}"));
        let server = Server::with(&folder, &config, variables);
        server.token("ada", "door");
    }
    let server = Server::with(
        &folder,
        crate::TEMPLATE,
        &[("COUNTERSIGN_BACKENDS__DOOR__CONFIG__PASSWORD", "000123")],
    );
    server.token("ada", "000123");
}

#[test]
fn keys_list_shows_the_active_key_and_its_standby() {
    let folder = with_template();
    let server = Server::start(&folder, crate::TEMPLATE);
    let environment = [("COUNTERSIGN_STATE", server.state.to_str().unwrap())];
    let done = run(&folder, &["keys", "list", "--json"], &environment);
    let keys: Value = serde_json::from_str(&done.stdout).unwrap();
    let states: Vec<&str> = keys
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["active", "next"], "{keys}");
    assert!(
        run(&folder, &["keys", "list"], &environment)
            .stdout
            .contains("RS256")
    );
}
