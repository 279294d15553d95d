//! From the `url` setting to a file or a server. Drivers, as in `sqlite+pysqlite://` or
//! `postgresql+psycopg2://`, are passed over: the urls of Airflow work as they stand.

mod file;
mod server;

use std::path::Path;

use countersign_sdk::{AuthError, Result};

pub(crate) use file::DatabaseFile;
pub(crate) use server::{Options, Server};

/// Where a database is.
#[derive(Debug)]
pub(crate) enum Location {
    File(DatabaseFile),
    Server(Box<Server>),
}

impl Location {
    /// Reads a url; `state` is the folder of the deployment's own databases.
    pub(crate) fn parse(url: &str, state: &Path) -> Result<Self> {
        let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
        // Only a scheme is ever printed: the rest may hold a user and a password.
        let server = |server| Ok(Location::Server(Box::new(server)));
        match scheme.split('+').next().unwrap_or_default() {
            "sqlite" => DatabaseFile::parse(rest, state).map(Location::File),
            "postgres" | "postgresql" => server(Server::postgres(rest)?),
            "mysql" | "mariadb" => server(Server::mysql(rest)?),
            _ => Err(wrong(
                "it does not begin with sqlite://, postgres:// or mysql://",
            )),
        }
    }

    /// Is it a file in the state folder?
    pub(crate) fn is_embedded(&self) -> bool {
        matches!(self, Location::File(file) if file.embedded)
    }
}

fn wrong(why: &str) -> AuthError {
    AuthError::invalid(format!(
        "url: {why}; expected sqlite:// and an absolute path, as in \
         sqlite:////srv/airflow/airflow.db or sqlite://{{state}}/users.db, or a server, as in \
         postgres://user:password@host:5432/database or mysql://user:password@host:3306/database"
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::PathBuf;

    use super::*;

    fn file(url: &str, state: &Path) -> DatabaseFile {
        match Location::parse(url, state).unwrap() {
            Location::File(file) => file,
            Location::Server(_) => panic!("{url} is no file"),
        }
    }

    fn path(url: &str) -> PathBuf {
        file(url, Path::new("/nowhere")).path
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
            "postgres://canary@db/airflow?sslmode=canary",
            "postgres://canary:canary@db/airflow?canary_option=canary",
            "postgresql://canary@db",
            "postgresql://canary:canary@db:canary/airflow",
            "mysql://canary:canary@db/",
            "mysql://canary@/airflow",
            "mysql://canary:canary@db/airflow?ssl-ca=/x&canary-option=canary",
            "mysql://canary:canary@db/airflow?ssl-mode=canary",
            "http://canary",
            "/canary.db",
        ] {
            let error = Location::parse(url, Path::new("/")).unwrap_err();
            assert!(error.detail().starts_with("url: "), "{url}: {error}");
            assert!(error.detail().contains("expected "), "{url}: {error}");
            assert!(!error.detail().contains("canary"), "{url}: {error}");
        }
    }

    #[test]
    fn parse_of_a_servers_url_prints_neither_user_nor_password() {
        for (url, place) in [
            (
                "postgresql+psycopg2://canary:c%40nary@db:5433/airflow?sslmode=verify-full&sslrootcert=/ca.pem",
                "postgres://db:5433/airflow",
            ),
            ("postgres://canary@db/airflow", "postgres://db/airflow"),
            (
                "mysql+mysqldb://canary:canary@db/airflow?charset=utf8mb4",
                "mysql://db/airflow",
            ),
            (
                "mariadb://canary:canary@db/airflow?ssl-ca=/ca.pem",
                "mysql://db/airflow",
            ),
        ] {
            let location = Location::parse(url, Path::new("/")).unwrap();
            assert!(!location.is_embedded());
            assert_eq!(format!("{location:?}"), format!("Server({place})"));
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
            self::file(&url, &state).embedded
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
