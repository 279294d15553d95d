//! From the `url` setting to a file, and whether that file is the deployment's own.

use std::path::{Component, Path, PathBuf};

use countersign_sdk::{AuthError, Result};

/// Where a database is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Location {
    /// The file, absolute.
    pub(crate) path: PathBuf,
    /// true = it lies in the state folder, so tables may be made in it.
    pub(crate) embedded: bool,
}

impl Location {
    /// Reads an `sqlite://` url; a driver as in `sqlite+pysqlite://` is passed over.
    pub(crate) fn parse(url: &str, state: &Path) -> Result<Self> {
        let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
        // Only a scheme is ever printed: the rest may hold a user and a password.
        match scheme.split('+').next().unwrap_or_default() {
            "sqlite" => {}
            "postgres" | "postgresql" | "mysql" | "mariadb" => {
                return Err(wrong(
                    "PostgreSQL and MySQL are not supported in this version",
                ));
            }
            _ => return Err(wrong("it does not begin with sqlite://")),
        }
        if rest.contains(['?', '#']) {
            return Err(wrong(
                "options after ? are not supported; `access: read` opens the file read-only",
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
        Ok(Location { path, embedded })
    }
}

fn wrong(why: &str) -> AuthError {
    AuthError::invalid(format!(
        "url: {why}; expected sqlite:// and an absolute path, as in \
         sqlite:////srv/airflow/airflow.db or sqlite://{{state}}/users.db"
    ))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn path(url: &str) -> PathBuf {
        Location::parse(url, Path::new("/nowhere")).unwrap().path
    }

    #[test]
    fn parse_of_three_or_four_slashes_is_the_same_absolute_path() {
        for url in [
            "sqlite:///srv/a b/airflow.db",
            "sqlite:////srv/a b/airflow.db",
            "sqlite+pysqlite:////srv/a b/airflow.db",
        ] {
            assert_eq!(path(url), Path::new("/srv/a b/airflow.db"));
        }
    }

    #[test]
    fn parse_of_anything_else_says_what_is_expected_and_quotes_nothing() {
        for url in [
            "",
            "sqlite:",
            "sqlite://",
            "sqlite:///",
            "sqlite://canary.db",
            "sqlite:///./canary.db",
            "sqlite:///../canary.db",
            "sqlite://:memory:",
            "sqlite:///:memory:",
            "sqlite:///canary.db?mode=ro",
            "sqlite:///canary/",
            "postgresql+psycopg2://canary:canary@db/airflow",
            "mysql://canary:canary@db/airflow",
            "http://canary",
            "/canary.db",
        ] {
            let error = Location::parse(url, Path::new("/")).unwrap_err();
            assert!(
                error.detail().contains("sqlite://{state}/users.db"),
                "{url}"
            );
            assert!(!error.detail().contains("canary"), "{error}");
        }
    }

    #[test]
    fn embedded_is_decided_by_the_real_path() {
        let root =
            std::env::temp_dir().join(format!("countersign-location-{}", std::process::id()));
        let (state, outside) = (root.join("state"), root.join("airflow"));
        std::fs::create_dir_all(&state).unwrap();
        std::fs::create_dir_all(&outside).unwrap();
        std::fs::write(outside.join("airflow.db"), "").unwrap();
        std::os::unix::fs::symlink(outside.join("airflow.db"), state.join("link.db")).unwrap();
        let embedded = |file: &Path| {
            let url = format!("sqlite://{}", file.display());
            Location::parse(&url, &state).unwrap().embedded
        };
        assert!(embedded(&state.join("users.db")));
        assert!(embedded(&state.join("later/users.db")));
        assert!(!embedded(&state.join("link.db")));
        assert!(!embedded(&state.join("../airflow/airflow.db")));
        assert!(!embedded(&outside.join("airflow.db")));
        assert!(!embedded(&root.join("state-other/users.db")));
        std::fs::remove_dir_all(root).unwrap();
    }
}
