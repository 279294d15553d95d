//! Where a server is: the URLs of the configuration, read strictly.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use countersign_sdk::{AuthError, Result};
use url::{Host, Url};

/// What one `url` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A host and a port.
    Tcp { host: String, port: u16, tls: bool },
    /// A socket in the file system.
    Unix(PathBuf),
    /// A domain whose servers DNS knows.
    Domain { domain: String, tls: bool },
}

impl Address {
    /// Reads a URL; refuses what would not be used, with the key's name.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let refuse = |why: &str| AuthError::invalid(format!("url: {}: {why}", shown(text)));
        let url = Url::parse(text).map_err(|error| {
            refuse(&format!(
                "{error}; expected ldaps://host, ldap://host, ldapi://%2Fsocket or ldaps+srv://domain"
            ))
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse(
                "a URL holds no account; it belongs in bind_dn and bind_password",
            ));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(refuse(
                "nothing may follow the host; the base belongs in search.base",
            ));
        }
        let tls = url.scheme().starts_with("ldaps");
        match url.scheme() {
            "ldap" | "ldaps" => {
                let port = url.port().unwrap_or(if tls { 636 } else { 389 });
                if port == 0 {
                    return Err(refuse("port 0 is none"));
                }
                let host = host(&url).map_err(refuse)?;
                Ok(Address::Tcp { host, port, tls })
            }
            "ldap+srv" | "ldaps+srv" => {
                let domain = host(&url).map_err(refuse)?;
                if url.port().is_some() || domain.parse::<IpAddr>().is_ok() {
                    return Err(refuse("expected a domain alone: DNS names hosts and ports"));
                }
                Ok(Address::Domain { domain, tls })
            }
            "ldapi" if url.port().is_some() => Err(refuse("a socket has no port")),
            "ldapi" => match url.host_str().and_then(decode) {
                Some(path) if path.starts_with('/') => Ok(Address::Unix(path.into())),
                _ => Err(refuse(
                    "expected a socket's absolute path, its slashes as %2F: ldapi://%2Frun%2Fslapd%2Fldapi",
                )),
            },
            other => Err(refuse(&format!(
                "unknown scheme {other}; expected ldap, ldaps, ldapi, ldap+srv or ldaps+srv"
            ))),
        }
    }

    /// TLS from the first byte?
    pub(super) fn is_tls(&self) -> bool {
        match self {
            Address::Tcp { tls, .. } | Address::Domain { tls, .. } => *tls,
            Address::Unix(_) => false,
        }
    }

    /// Does nothing of it leave this machine?
    pub(super) fn is_local(&self) -> bool {
        match self {
            Address::Unix(_) => true,
            Address::Domain { .. } => false,
            Address::Tcp { host, .. } => match host.parse::<IpAddr>() {
                Ok(address) => address.is_loopback(),
                Err(_) => host == "localhost" || host.ends_with(".localhost"),
            },
        }
    }
}

/// As an operator would write it.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls() { "ldaps" } else { "ldap" };
        match self {
            Address::Tcp { host, port, .. } if host.contains(':') => {
                write!(f, "{scheme}://[{host}]:{port}")
            }
            Address::Tcp { host, port, .. } => write!(f, "{scheme}://{host}:{port}"),
            Address::Unix(path) => {
                let path = path.to_string_lossy().replace('/', "%2F");
                write!(f, "ldapi://{path}")
            }
            Address::Domain { domain, .. } => write!(f, "{scheme}+srv://{domain}"),
        }
    }
}

fn host(url: &Url) -> Result<String, &'static str> {
    match url.host() {
        Some(Host::Ipv6(address)) => Ok(address.to_string()),
        Some(Host::Ipv4(address)) => Ok(address.to_string()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            if name.is_empty() || name.len() > 253 || !name.bytes().all(plain) {
                return Err(
                    "expected a host name of letters, digits, - and . (others in their xn-- form)",
                );
            }
            Ok(name)
        }
        None => Err("expected a host, as in ldaps://ldap.example.com"),
    }
}

/// Percent-decoding of a path.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|path| !path.contains('\0'))
}

/// The text without what may be a password.
fn shown(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => {
            format!("{}…{}", &text[..scheme + 3], &text[at..])
        }
        (None, Some(_)) => "…".to_owned(),
        _ => text.to_owned(),
    }
}
