//! The files under test. `cargo test` does not build other packages' cdylibs, so
//! the first test that asks builds the workspace, in the profile it runs in.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The folder that holds the host binary and the plugins.
pub fn built() -> &'static PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let folder = test
            .parent()
            .and_then(|deps| deps.parent())
            .unwrap()
            .to_path_buf();
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args(["build", "--workspace", "--lib", "--bins", "--quiet"])
            .current_dir(repository());
        // The figures load no fixture, and each takes a while to optimise.
        let name = test.file_name().and_then(|name| name.to_str());
        if !name.is_some_and(|name| name.starts_with("figures-")) {
            cargo.arg("--examples");
        }
        // The folder has the profile's name, but for `dev`.
        match folder.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => {}
            Some(profile) => drop(cargo.args(["--profile", profile])),
        }
        cargo.env("CARGO_TARGET_DIR", folder.parent().unwrap());
        assert!(
            cargo.status().unwrap().success(),
            "the workspace does not build"
        );
        folder
    })
}

/// The repository's root. Asked when the test runs: a target folder may be shared by
/// several checkouts, and this crate may have been built in another.
pub fn repository() -> PathBuf {
    let tests = std::env::var_os("CARGO_MANIFEST_DIR").expect("run by cargo");
    PathBuf::from(tests).parent().unwrap().to_path_buf()
}

/// The `countersign` binary.
pub fn binary() -> PathBuf {
    built().join("countersign")
}

/// A plugin of the house: `db`, `template`.
pub fn plugin(name: &str) -> PathBuf {
    built().join(format!("libcountersign_{name}.so"))
}

/// A fixture plugin.
pub fn fixture(name: &str) -> PathBuf {
    built().join(format!("examples/libcountersign_{name}.so"))
}
