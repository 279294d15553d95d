//! The one client for which a user is asked: `countersign login`, a native application (RFC
//! 8252). It is public, so where a code may be sent is what protects it: to the user's own
//! computer alone, by an address that no name service has a say in.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::config::shapes::LOGIN_CLIENT;

/// Its `client_id`.
pub const CLIENT: &str = LOGIN_CLIENT;

/// The one path that it listens on.
const PATH: &str = "/callback";

/// Where a code may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loopback<'a> {
    uri: &'a str,
    origin: &'a str,
}

impl<'a> Loopback<'a> {
    /// `http://127.0.0.1:PORT/callback` or `http://[::1]:PORT/callback` to the letter, with any
    /// port (RFC 8252 section 7.3). `localhost` is a name, and may lead elsewhere (section 8.3).
    pub fn parse(uri: &'a str) -> Option<Self> {
        let origin = uri.strip_suffix(PATH)?;
        let authority = origin.strip_prefix("http://")?;
        let hosts = [
            Ipv4Addr::LOCALHOST.to_string(),
            format!("[{}]", Ipv6Addr::LOCALHOST),
        ];
        let after = |host: &String| authority.strip_prefix(host.as_str());
        let port = hosts.iter().find_map(after)?.strip_prefix(':')?;
        let plain = !port.starts_with('0') && port.bytes().all(|byte| byte.is_ascii_digit());
        // Zero is no port, and more than 65535 is none either.
        (plain && port.parse::<u16>().is_ok()).then_some(Loopback { uri, origin })
    }

    /// As it was given.
    pub fn uri(&self) -> &'a str {
        self.uri
    }

    /// As a content security policy names it: its sources have no IPv6 addresses (CSP 3
    /// section 2.3.1), so there it is any address of its scheme.
    pub fn source(&self) -> &'a str {
        match self.origin.contains('[') {
            true => "http:",
            false => self.origin,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use url::{Host, Url};

    use super::*;

    #[test]
    fn o06_any_port_of_the_loopback_addresses_passes() {
        for (uri, source) in [
            ("http://127.0.0.1:1/callback", "http://127.0.0.1:1"),
            ("http://127.0.0.1:65535/callback", "http://127.0.0.1:65535"),
            ("http://[::1]:49152/callback", "http:"),
        ] {
            let loopback = Loopback::parse(uri).unwrap();
            assert_eq!((loopback.uri(), loopback.source()), (uri, source));
        }
    }

    #[test]
    fn o06_other_hosts_paths_and_spellings_are_refused() {
        for uri in [
            "",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:080/callback",
            "http://127.0.0.1:+80/callback",
            "http://127.0.0.1:65536/callback",
            "https://127.0.0.1:80/callback",
            "HTTP://127.0.0.1:80/callback",
            "http://localhost:80/callback",
            "http://127.0.0.2:80/callback",
            "http://127.1:80/callback",
            "http://0x7f.0.0.1:80/callback",
            "http://2130706433:80/callback",
            "http://0.0.0.0:80/callback",
            "http://[::ffff:127.0.0.1]:80/callback",
            "http://[0:0:0:0:0:0:0:1]:80/callback",
            "http://::1:80/callback",
            "http://127.0.0.1:80",
            "http://127.0.0.1:80/",
            "http://127.0.0.1:80/callback/",
            "http://127.0.0.1:80/x/callback",
            "http://127.0.0.1:80/callback?x=1",
            "http://127.0.0.1:80/callback#x",
            "http://127.0.0.1:80@evil.example/callback",
            "http://ada@127.0.0.1:80/callback",
            "http://127.0.0.1:80\\@evil.example/callback",
            "http://127.0.0.1.evil.example:80/callback",
            "http://evil.example:80/callback",
            "http://127.0.0.1:80/callback\r\nx: y",
            " http://127.0.0.1:80/callback",
            "javascript:alert(1)//callback",
            "//127.0.0.1:80/callback",
        ] {
            assert_eq!(Loopback::parse(uri), None, "{uri}");
        }
    }

    /// Whatever is put together of dangerous parts: what passes is, as browsers read it, the
    /// loopback address and nothing else.
    #[test]
    fn o06_no_address_outside_loopback_passes() {
        const PARTS: [&str; 34] = [
            "http://",
            "https://",
            "http:",
            "//",
            "/",
            "\\",
            "127.0.0.1",
            "[::1]",
            "localhost",
            "evil.example",
            ":",
            ":80",
            "80",
            "0",
            "@",
            "#",
            "?",
            "%",
            "%2f",
            "%40",
            ".",
            "..",
            "/callback",
            "callback",
            "/callback/",
            " ",
            "\t",
            "\r\n",
            "\0",
            "é",
            "１",
            ";",
            "a",
            "127.1",
        ];
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |most: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % most as u64).unwrap()
        };
        let mut passed = 0;
        for _ in 0..40_000 {
            // Most begin and end well, so that what is between counts.
            let mut uri = String::new();
            if next(4) > 0 {
                uri.push_str(["http://127.0.0.1:", "http://[::1]:"][next(2)]);
            }
            for _ in 0..next(4) {
                uri.push_str(PARTS[next(PARTS.len())]);
            }
            if next(4) > 0 {
                uri.push_str(PATH);
            }
            if Loopback::parse(&uri).is_none() {
                continue;
            }
            passed += 1;
            let url = Url::parse(&uri).unwrap();
            let loopback = match url.host().unwrap() {
                Host::Ipv4(address) => address == Ipv4Addr::LOCALHOST,
                Host::Ipv6(address) => address == Ipv6Addr::LOCALHOST,
                Host::Domain(_) => false,
            };
            assert!(loopback && url.scheme() == "http", "{uri}");
            assert_eq!(
                (url.path(), url.query(), url.fragment()),
                (PATH, None, None)
            );
            assert_eq!((url.username(), url.password()), ("", None));
            // Port 80 is left out by the parser, and that is the only difference.
            assert_eq!(url.as_str().replace(":80/", "/"), uri.replace(":80/", "/"));
        }
        assert!(passed > 100, "{passed}");
    }
}
