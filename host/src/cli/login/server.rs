//! The server that is asked, and where its endpoints are.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::cli::failure::{Failure, USAGE};
use crate::cli::setup::Setup;

/// The variable that names it.
const VARIABLE: &str = "COUNTERSIGN_SERVER";

/// A server's address, without a slash at its end.
pub(super) struct Server(Url);

impl Server {
    /// The flag, else the variable, else what the configuration calls itself.
    pub(super) fn find(
        setup: &Setup,
        flag: Option<&str>,
        plain_http: bool,
    ) -> Result<Server, Failure> {
        let variable = setup.sources.environment.get(VARIABLE);
        let variable = variable.map(String::as_str).filter(|url| !url.is_empty());
        match flag.or(variable) {
            Some(url) => Server::parse(url, plain_http),
            None => match setup.load() {
                Ok(loaded) => Server::parse(&loaded.config.public_url(), plain_http),
                // On a computer where no server was ever set up, its configuration is no help.
                Err(_) if setup.sources.files.is_empty() => Err(Failure::new(
                    USAGE,
                    "no server is named",
                    "name it as https://HOST, with --server or $COUNTERSIGN_SERVER",
                )),
                Err(report) => Err(report.into()),
            },
        }
    }

    fn parse(text: &str, plain_http: bool) -> Result<Server, Failure> {
        let help = "name it as https://HOST, with --server or $COUNTERSIGN_SERVER";
        let wrong = |error: &str| Failure::new(USAGE, format!("the server's URL {error}"), help);
        // It may hold a password: it is not repeated until it is known to hold none.
        let mut url = Url::parse(text).map_err(|error| wrong(&format!("is none: {error}")))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("holds a user's name or a password"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("has a query or a fragment"));
        }
        // A server that listens on all addresses is reached by the loopback one.
        let _ = match url.host() {
            Some(Host::Ipv4(it)) if it.is_unspecified() => {
                url.set_ip_host(Ipv4Addr::LOCALHOST.into())
            }
            Some(Host::Ipv6(it)) if it.is_unspecified() => {
                url.set_ip_host(Ipv6Addr::LOCALHOST.into())
            }
            _ => Ok(()),
        };
        let server = Server(url);
        match server.0.scheme() {
            "https" => Ok(server),
            "http" if plain_http || server.is_loopback() => Ok(server),
            "http" => Err(Failure::new(
                USAGE,
                format!(
                    "{server} would send the password and the token readable by all on the way"
                ),
                "name it with https://, or say --plain-http where the network is your own",
            )),
            _ => Err(wrong("begins neither with https:// nor with http://")),
        }
    }

    /// Is it on this computer?
    pub(super) fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }

    /// The address of something on it; `path` begins with a slash.
    pub(super) fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        url
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn plain_http_is_for_this_computer_alone_unless_told() {
        for (url, without, with) in [
            ("https://a.example", true, true),
            ("http://127.0.0.1:8090", true, true),
            ("http://[::1]:8090/", true, true),
            ("http://localhost", true, true),
            ("http://0.0.0.0:8090", true, true),
            ("http://[::]:8090", true, true),
            ("http://a.example", false, true),
            ("http://localhost.evil.example", false, true),
            ("http://127.0.0.1.evil.example", false, true),
            ("http://127.0.0.1@evil.example", false, false),
            ("https://ada:pw@a.example", false, false),
            ("https://a.example?x=1", false, false),
            ("ftp://a.example", false, false),
            ("a.example", false, false),
        ] {
            assert_eq!(Server::parse(url, false).is_ok(), without, "{url}");
            assert_eq!(Server::parse(url, true).is_ok(), with, "{url}");
        }
    }

    #[test]
    fn endpoints_stand_below_the_path() {
        for (url, shown, expected) in [
            (
                "https://a.example/",
                "https://a.example",
                "https://a.example/x/y",
            ),
            (
                "https://a.example/t/",
                "https://a.example/t",
                "https://a.example/t/x/y",
            ),
            (
                "http://0.0.0.0:81",
                "http://127.0.0.1:81",
                "http://127.0.0.1:81/x/y",
            ),
        ] {
            let server = Server::parse(url, false).unwrap();
            assert_eq!(server.to_string(), shown);
            assert_eq!(server.at("/x/y").as_str(), expected);
        }
    }

    #[test]
    fn password_in_the_url_is_not_repeated() {
        let Err(failure) = Server::parse("https://ada:canary@a.example", false) else {
            panic!("taken")
        };
        assert!(!failure.to_string().contains("canary"));
    }
}
