//! The file of the package whose test is running. `cargo test` builds a library of
//! crate type `cdylib` for nobody, so cargo is asked to: it builds nothing twice, and
//! says itself where the file is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The path of the plugin file, built once for all tests of this process.
pub(super) fn built() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(build).clone()
}

fn build() -> Result<PathBuf, String> {
    let package = variable("CARGO_MANIFEST_DIR")?;
    let manifest = Path::new(&package).join("Cargo.toml");
    let test = std::env::current_exe().map_err(|error| format!("where is this test? {error}"))?;
    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .args(["build", "--lib", "--quiet", "--message-format=json"])
        .arg("--manifest-path")
        .arg(&manifest)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    if let Some((target, profile)) = place(&test) {
        cargo.arg("--target-dir").arg(target);
        cargo.args(["--profile", profile]);
    }
    let output = cargo
        .output()
        .map_err(|error| format!("cargo does not start: {error}"))?;
    let messages = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let shown = messages.lines().filter_map(rendered);
        return Err(format!(
            "{} does not build:\n{}",
            manifest.display(),
            shown.collect::<String>()
        ));
    }
    let file = messages
        .lines()
        .filter_map(|line| plugin_file(line, &manifest))
        .next_back();
    file.ok_or_else(|| {
        format!(
            "{} makes no plugin file: it needs `[lib] crate-type = [\"cdylib\"]`",
            manifest.display()
        )
    })
}

/// Cargo sets these for the tests that it runs.
fn variable(name: &str) -> Result<OsString, String> {
    std::env::var_os(name).ok_or_else(|| {
        format!(
            "{name} is not set: run the test with `cargo test`, or load the file with Plugin::load"
        )
    })
}

/// Target folder and profile, from a test's place: `<target>/<profile's folder>/deps/<test>`.
fn place(test: &Path) -> Option<(&Path, &str)> {
    let folder = test.parent()?.parent()?;
    let profile = match folder.file_name()?.to_str()? {
        "debug" => "dev",
        other => other,
    };
    Some((folder.parent()?, profile))
}

/// The shared library in cargo's message about this package.
fn plugin_file(message: &str, manifest: &Path) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let ours = message["manifest_path"].as_str().map(Path::new) == Some(manifest);
    let files = message["filenames"].as_array().filter(|_| ours)?;
    let shared = files
        .iter()
        .filter_map(Value::as_str)
        .find(|file| file.ends_with(".so"));
    shared.map(PathBuf::from)
}

/// An error as the compiler prints it.
fn rendered(message: &str) -> Option<String> {
    let message: Value = serde_json::from_str(message).ok()?;
    message["message"]["rendered"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_of_a_test_is_its_target_folder_and_profile() {
        let of = |path: &'static str| place(Path::new(path));
        assert_eq!(
            of("/a/target/debug/deps/door-1"),
            Some((Path::new("/a/target"), "dev"))
        );
        assert_eq!(
            of("/a/target/ci/deps/door-1"),
            Some((Path::new("/a/target"), "ci"))
        );
    }

    #[test]
    fn plugin_file_is_the_shared_library_of_this_package_alone() {
        let message = |manifest: &str| {
            format!(r#"{{"manifest_path":"{manifest}","filenames":["/t/libx.rlib","/t/libx.so"]}}"#)
        };
        let of = |text: &str| plugin_file(text, Path::new("/p/Cargo.toml"));
        assert_eq!(of(&message("/p/Cargo.toml")), Some("/t/libx.so".into()));
        assert_eq!(of(&message("/q/Cargo.toml")), None);
        assert_eq!(of("{}"), None);
        assert_eq!(of("warning: not JSON"), None);
    }
}
