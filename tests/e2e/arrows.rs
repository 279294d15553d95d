//! DESIGN's arrows between crates, held against `cargo metadata`.

use std::collections::BTreeMap;
use std::process::Command;

use countersign_tests::artifacts::repository;
use serde_json::Value;

/// Crate → the crates of the house that it may depend on, outside its tests.
const ALLOWED: &[(&str, &[&str])] = &[
    ("countersign-abi", &[]),
    ("countersign-sdk", &["countersign-abi"]),
    ("countersign-verify", &[]),
    ("countersign", &["countersign-abi", "countersign-verify"]),
    ("countersign-db", &["countersign-sdk"]),
    ("countersign-ldap", &["countersign-sdk"]),
    (
        "countersign-oauth",
        &["countersign-sdk", "countersign-verify"],
    ),
    ("countersign-template", &["countersign-sdk"]),
    (
        "countersign-tests",
        &["countersign", "countersign-abi", "countersign-sdk"],
    ),
];

/// The boundary's own dependencies: no other crate may name them.
const BOUNDARY: &[&str] = &["abi_stable", "async-ffi", "libloading"];

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(repository())
        .output();
    serde_json::from_slice(&output.unwrap().stdout).unwrap()
}

fn dependencies() -> BTreeMap<String, Vec<String>> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages
        .map(|package| {
            (
                text(&package["name"]),
                package["dependencies"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|dependency| text(&dependency["name"]))
                    .collect(),
            )
        })
        .collect()
}

#[test]
fn crates_depend_only_along_the_arrows() {
    let all = dependencies();
    let ours: Vec<&str> = ALLOWED.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        all.keys().map(String::as_str).collect::<Vec<_>>(),
        {
            let mut sorted = ours.clone();
            sorted.sort_unstable();
            sorted
        },
        "a new crate needs its arrows"
    );
    for (name, allowed) in ALLOWED {
        for dependency in all[*name]
            .iter()
            .filter(|dependency| ours.contains(&dependency.as_str()))
        {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn boundary_crates_are_named_by_the_boundary_alone() {
    for (name, dependencies) in dependencies() {
        for forbidden in BOUNDARY {
            assert!(
                name == "countersign-abi"
                    || !dependencies
                        .iter()
                        .any(|dependency| dependency == forbidden),
                "{name} names {forbidden}"
            );
        }
    }
}

/// Rooms inside the host, top floor first; a room may use those below it only.
const FLOORS: &[&[&str]] = &[
    &["cli", "embed"],
    &["reload"],
    &["server", "start", "drains", "seeding", "upkeep"],
    &["http"],
    &["token"],
    &["keyring"],
    &["accounts"],
    &["backends", "keys"],
    &["audit"],
    &[
        "clock",
        "config",
        "hardening",
        "live",
        "metering",
        "state",
        "telemetry",
    ],
];

#[test]
fn rooms_of_the_host_use_only_rooms_below() {
    let source = repository().join("host/src");
    let floor = |room: &str| FLOORS.iter().position(|rooms| rooms.contains(&room));
    for entry in walk(&source) {
        let inside = entry.strip_prefix(&source).unwrap();
        let room = inside
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        let Some(from) = floor(room) else {
            assert!(["lib", "main"].contains(&room), "{room} stands on no floor");
            continue;
        };
        let text = std::fs::read_to_string(&entry).unwrap();
        // `use crate::{a, b}` names rooms, too.
        let groups = text.split("crate::{").skip(1);
        let grouped = groups.flat_map(|group| group.split('}').next().unwrap_or("").split(", "));
        for used in text.split("crate::").skip(1).chain(grouped) {
            let used: String = used
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            if let Some(to) = floor(&used).filter(|_| used != room) {
                assert!(
                    to > from,
                    "{} uses {used}, which is not below {room}",
                    inside.display()
                );
            }
        }
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

#[test]
fn unsafe_blocks_stand_in_the_boundary_alone() {
    // The attribute `#[unsafe(…)]` is no block: fixtures export symbols with it.
    let root = repository();
    let boundary = root.join("sdk/abi");
    let folders = ["host", "sdk", "plugins", "tests"].map(|folder| root.join(folder));
    let sources = folders.iter().flat_map(|folder| walk(folder));
    let rust = |file: &std::path::PathBuf| {
        file.extension().is_some_and(|extension| extension == "rs") && !file.starts_with(&boundary)
    };
    let mut looked_at = 0;
    for file in sources.filter(rust) {
        looked_at += 1;
        let text = std::fs::read_to_string(&file).unwrap();
        for (line, code) in (1..).zip(text.lines()) {
            let code = code.split("//").next().unwrap();
            for keyword in [["unsafe", " {"], ["unsafe", " fn "], ["unsafe", " impl "]] {
                assert!(
                    !code.contains(&keyword.concat()),
                    "{}:{line} has unsafe code outside sdk/abi",
                    file.display()
                );
            }
        }
    }
    assert!(looked_at > 100, "only {looked_at} files");
}

#[test]
fn template_plugin_is_as_small_as_the_guide_promises() {
    let lines = |file: &str| {
        std::fs::read_to_string(repository().join("plugins/template").join(file))
            .unwrap()
            .lines()
            .count()
    };
    assert!(
        lines("src/lib.rs") <= 25,
        "{} lines of Rust",
        lines("src/lib.rs")
    );
    assert!(
        lines("Cargo.toml") <= 12,
        "{} lines of manifest",
        lines("Cargo.toml")
    );
}
