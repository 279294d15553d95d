//! An `sqlite://` url: which file, and whether it is the deployment's own.

use std::path::{Component, Path, PathBuf};

use countersign_sdk::Result;

use super::wrong;

/// A file of SQLite.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DatabaseFile {
    /// Absolute.
    pub(crate) path: PathBuf,
    /// true = it lies in the state folder, so tables may be made in it.
    pub(crate) embedded: bool,
}

impl DatabaseFile {
    /// Reads what stands after `sqlite://`.
    pub(super) fn parse(rest: &str, state: &Path) -> Result<Self> {
        if rest.contains(['?', '#']) {
            return Err(wrong(
                "options after ? are not supported for SQLite; `access: read` opens the file read-only",
            ));
        }
        let path = rest.trim_start_matches('/');
        if !rest.starts_with('/') || path.starts_with("./") || path.starts_with("../") {
            return Err(wrong("the path is not absolute"));
        }
        if path.is_empty() || path.ends_with('/') || path.contains('\0') || path == ":memory:" {
            return Err(wrong("it does not name a file"));
        }
        let path = Path::new("/").join(path);
        let embedded = inside(&path, state);
        Ok(DatabaseFile { path, embedded })
    }
}

/// Symbolic links are followed on both sides: a link in the state folder to
/// Airflow's database is Airflow's database.
fn inside(path: &Path, folder: &Path) -> bool {
    match (real(path), real(folder)) {
        (Some(path), Some(folder)) => path.starts_with(folder),
        _ => false,
    }
}

/// The real path of what exists, with the rest (not yet there) as it is written.
fn real(path: &Path) -> Option<PathBuf> {
    let existing = path
        .ancestors()
        .find_map(|part| part.canonicalize().ok().map(|real| (part, real)));
    let (part, real) = existing?;
    let rest = path.strip_prefix(part).ok()?;
    let plain = rest
        .components()
        .all(|step| matches!(step, Component::Normal(_)));
    plain.then(|| real.join(rest))
}
