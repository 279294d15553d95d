//! The formats of texts that the schema names: durations, addresses, URLs,
//! regular expressions. One rule each, used by the JSON Schema validator.

use std::net::IpAddr;
use std::time::Duration;

use jsonschema::ValidationOptions;

use super::values::duration;

/// Teaches the validator our formats.
pub(super) fn add(options: ValidationOptions<'_>) -> ValidationOptions<'_> {
    options
        .with_format("duration-text", is_duration)
        .with_format("duration-above-zero", |text: &str| {
            duration::parse(text).is_some_and(|time| time > Duration::ZERO)
        })
        .with_format("listen-address", |text: &str| listen_host(text).is_some())
        .with_format("http-url", |text: &str| {
            text.is_empty() || http_host(text).is_some()
        })
        .with_format("header-name", |text: &str| {
            text.is_empty() || text.parse::<axum::http::HeaderName>().is_ok()
        })
        .with_format("network", is_network)
        .with_format("username-pattern", |text: &str| {
            username_pattern(text).is_ok()
        })
        .with_format("sha256", |text: &str| {
            text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
        })
}

/// What a format expects, in words.
pub(super) fn in_words(format: &str) -> Option<&'static str> {
    Some(match format {
        "duration-text" => "a duration such as 10s, 15m, 24h or 7d",
        "duration-above-zero" => "a duration above zero, such as 10s, 15m, 24h or 7d",
        "listen-address" => "an address and port such as 127.0.0.1:8090",
        "http-url" => "an http:// or https:// URL",
        "header-name" => "a header's name such as X-Auth-User",
        "network" => "an address or network such as 10.0.0.0/8",
        "username-pattern" => "a regular expression",
        "sha256" => "a SHA-256 of 64 hexadecimal digits",
        "path" => "a path",
        _ => return None,
    })
}

fn is_duration(text: &str) -> bool {
    duration::parse(text).is_some()
}

/// The host of `HOST:PORT`, brackets removed.
pub(super) fn listen_host(text: &str) -> Option<&str> {
    let (host, port) = text.rsplit_once(':')?;
    port.parse::<u16>().ok()?;
    if let Some(inner) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return inner.parse::<std::net::Ipv6Addr>().is_ok().then_some(inner);
    }
    is_host(host).then_some(host)
}

/// The host of an `http(s)://` URL, without its port.
pub(super) fn http_host(text: &str) -> Option<&str> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))?;
    if text.contains(|c: char| c.is_whitespace() || "{}<>\"`|\\^".contains(c)) {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return inner
            .0
            .parse::<std::net::Ipv6Addr>()
            .is_ok()
            .then_some(inner.0);
    }
    let name = match host.split_once(':') {
        Some((name, port)) => port.parse::<u16>().ok().map(|_| name)?,
        None => host,
    };
    is_host(name).then_some(name)
}

/// Whether a host is this machine alone.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The pattern as it is used: it must match the whole username.
pub(super) fn username_pattern(text: &str) -> Result<regex::Regex, regex::Error> {
    // Alone first: `a)|(?:b` would close our group and lose the anchors.
    regex::Regex::new(text)?;
    regex::Regex::new(&format!("^(?:{text})$"))
}

fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
}

fn is_network(text: &str) -> bool {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, bits.parse::<u8>().ok()),
        None => (text, Some(0)),
    };
    match (address.parse::<IpAddr>(), bits) {
        (Ok(IpAddr::V4(_)), Some(bits)) => bits <= 32,
        (Ok(IpAddr::V6(_)), Some(bits)) => bits <= 128,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_addresses_need_host_and_port() {
        for good in ["127.0.0.1:8090", "[::1]:80", "localhost:1", "0.0.0.0:65535"] {
            assert!(listen_host(good).is_some(), "{good}");
        }
        for bad in [
            "",
            ":8090",
            "8090",
            "127.0.0.1",
            "a b:1",
            "::1:80",
            "h:70000",
            "http://h:1",
        ] {
            assert!(listen_host(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn urls_and_networks_are_told_from_other_text() {
        assert_eq!(http_host("https://u:p@h.example:1/x"), Some("h.example"));
        assert_eq!(http_host("http://[::1]:8090/"), Some("::1"));
        for bad in [
            "h.example",
            "ftp://h",
            "http://",
            "http://{your host}/",
            "http://h:x",
        ] {
            assert_eq!(http_host(bad), None, "{bad}");
        }
        assert!(
            is_network("10.0.0.0/8")
                && is_network("::1")
                && !is_network("10.0.0.0/40")
                && !is_network("h/8")
        );
    }
}
