//! Things built against an ABI that is not ours: the boundary's and the SDK's sources are
//! copied into a workspace of their own, changed in marked places, and built from the
//! copy, with the same lock file into the same target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifacts::{built, repository};

/// Of two copies with one ABI version, cargo would take the one's library for the other's
/// in the target folder that they share: changes of the boundary give it its own version.
///
/// A change: file, text that must be there, its replacement.
pub type Change<'a> = (&'a str, &'a str, &'a str);

/// Builds the template plugin as `<name>` against a changed boundary.
pub fn plugin(name: &str, changes: &[Change<'_>]) -> PathBuf {
    let workspace = Workspace::copy(name, changes);
    workspace.change(
        "plugins/template/Cargo.toml",
        "name = \"countersign-template\"",
        &format!("name = \"countersign-{name}\""),
    );
    let built = workspace.build(&format!("countersign-{name}"));
    built.join(format!("libcountersign_{name}.so"))
}

/// Builds a program of `tests/fixtures/<name>` against a changed boundary.
pub fn program(name: &str, changes: &[Change<'_>]) -> PathBuf {
    let workspace = Workspace::copy(name, changes);
    let source = repository().join("tests/fixtures").join(name);
    copy_tree(&source, &workspace.0.join("program"));
    workspace.change("Cargo.toml", "\"plugins/*\"", "\"program\"");
    let package = format!("countersign-{}", name.replace('_', "-"));
    workspace.build(&package).join(package)
}

struct Workspace(PathBuf);

impl Workspace {
    fn copy(name: &str, changes: &[Change<'_>]) -> Self {
        let copy = built().parent().unwrap().join("patched").join(name);
        let _ = fs::remove_dir_all(&copy);
        let root = repository();
        for part in [
            "sdk",
            "Cargo.lock",
            "Cargo.toml",
            ".cargo",
            "plugins/template",
        ] {
            if root.join(part).exists() {
                copy_tree(&root.join(part), &copy.join(part));
            }
        }
        let workspace = Workspace(copy);
        workspace.change("Cargo.toml", "members = [\"host\", ", "members = [");
        workspace.change("Cargo.toml", ", \"tests\"]", "]");
        workspace.change(
            "Cargo.toml",
            "default-members = [\"host\", \"plugins/*\"]",
            "",
        );
        for (file, from, to) in changes {
            workspace.change(file, from, to);
        }
        workspace
    }

    fn change(&self, file: &str, from: &str, to: &str) {
        let path = self.0.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} no longer has {from:?}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
    }

    /// The folder that holds what was built.
    fn build(&self, package: &str) -> PathBuf {
        let target = built().parent().unwrap();
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args(["build", "--quiet", "--offline", "-p", package])
            .current_dir(&self.0)
            .env("CARGO_TARGET_DIR", target);
        assert!(
            cargo.status().unwrap().success(),
            "{} does not build",
            self.0.display()
        );
        target.join("debug")
    }
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
