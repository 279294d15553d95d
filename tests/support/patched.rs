//! A plugin built against an ABI that is not ours: the boundary's sources are
//! copied, changed in one place, and a plugin is built from the copy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifacts::{built, repository};

/// A change: file, text that must be there, its replacement.
pub type Change<'a> = (&'a str, &'a str, &'a str);

/// Builds the template plugin as `<name>` against a changed boundary.
pub fn plugin(name: &str, changes: &[Change<'_>]) -> PathBuf {
    let target = built().parent().unwrap();
    let copy = target.join("patched").join(name);
    let _ = fs::remove_dir_all(&copy);
    let root = repository();
    for part in ["sdk", "Cargo.lock", "Cargo.toml", ".cargo"] {
        copy_tree(&root.join(part), &copy.join(part));
    }
    copy_tree(
        &root.join("plugins/template"),
        &copy.join("plugins/template"),
    );
    let members = [
        (
            "Cargo.toml",
            r#"members = ["host", "sdk", "sdk/abi", "sdk/verify", "plugins/*", "tests"]"#,
            r#"members = ["sdk", "sdk/abi", "plugins/*"]"#,
        ),
        (
            "Cargo.toml",
            r#"default-members = ["host", "plugins/*"]"#,
            "",
        ),
        (
            "plugins/template/Cargo.toml",
            "name = \"countersign-template\"",
            &format!("name = \"countersign-{name}\""),
        ),
    ];
    for (file, from, to) in members.iter().chain(changes) {
        let path = copy.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} no longer has {from:?}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "-p", &format!("countersign-{name}")])
        .current_dir(&copy)
        .env("CARGO_TARGET_DIR", target);
    assert!(
        cargo.status().unwrap().success(),
        "{} does not build",
        copy.display()
    );
    target
        .join("debug")
        .join(format!("libcountersign_{}.so", name.replace('-', "_")))
}

fn copy_tree(from: &Path, to: &Path) {
    if from.is_file() {
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(from, to).unwrap();
        return;
    }
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy_tree(&entry.path(), &to.join(entry.file_name()));
    }
}
