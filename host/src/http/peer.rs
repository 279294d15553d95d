//! Who is the client, behind proxies? `X-Forwarded-For` is read only from a peer
//! that is a trusted proxy, from the right: the first hop that is none is the client.
//!
//! `Forwarded` (RFC 7239) is not read: a proxy that writes one of the two headers hands
//! on the other as the client sent it. Nor is `X-Forwarded-Proto` or `-Host`: which URL
//! is ours says `server.public_url`.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

/// The address of the socket's other end, put on each request by the server.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// `server.trusted_proxies`: addresses and networks.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<(IpAddr, u8)>);

impl TrustedProxies {
    /// From `ADDRESS` or `ADDRESS/BITS`; what is neither was refused with the configuration.
    pub fn new(entries: &[String]) -> Self {
        let network = |entry: &String| {
            let (address, bits) = entry.split_once('/').unwrap_or((entry, ""));
            let address: IpAddr = address.parse().ok()?;
            let all = if address.is_ipv4() { 32 } else { 128 };
            Some((address, bits.parse().unwrap_or(all)))
        };
        TrustedProxies(entries.iter().filter_map(network).collect())
    }

    /// The client's address.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        if !self.trusts(peer) {
            return client;
        }
        let lines = headers.get_all("x-forwarded-for").iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for hop in hops {
            if !self.trusts(client) {
                break;
            }
            let Some(hop) = address(hop.trim()) else {
                break;
            };
            client = hop.to_canonical();
        }
        client
    }

    /// Is this one of them?
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0
            .iter()
            .any(|(network, bits)| match (network, address) {
                (IpAddr::V4(network), IpAddr::V4(address)) => same_prefix(
                    network.to_bits().into(),
                    address.to_bits().into(),
                    32,
                    *bits,
                ),
                (IpAddr::V6(network), IpAddr::V6(address)) => {
                    same_prefix(network.to_bits(), address.to_bits(), 128, *bits)
                }
                _ => false,
            })
    }
}

/// An address, with or without a port: some proxies write it.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.parse().ok();
    let bracketed = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || Some(hop.parse::<SocketAddr>().ok()?.ip());
    bare.or_else(with_port).or_else(bracketed)
}

/// Are the first `bits` of `all` the same?
fn same_prefix(a: u128, b: u128, all: u8, bits: u8) -> bool {
    let rest = u32::from(all.saturating_sub(bits));
    a.checked_shr(rest) == b.checked_shr(rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let trusted =
            TrustedProxies::new(&["10.0.0.0/8".into(), "192.0.2.1".into(), "fd00::/8".into()]);
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        trusted.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn client_of_an_untrusted_peer_is_the_peer_whatever_it_says() {
        assert_eq!(client("203.0.113.9", &["1.2.3.4"]), "203.0.113.9");
        assert_eq!(client("192.0.2.2", &["1.2.3.4"]), "192.0.2.2");
    }

    #[test]
    fn client_is_the_rightmost_hop_that_is_no_proxy() {
        assert_eq!(
            client("10.1.1.1", &["6.6.6.6, 203.0.113.9, 10.2.2.2"]),
            "203.0.113.9"
        );
        assert_eq!(
            client("10.1.1.1", &["6.6.6.6", "203.0.113.9", "192.0.2.1"]),
            "203.0.113.9"
        );
        assert_eq!(client("fd00::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(client("10.1.1.1", &["203.0.113.9:4711"]), "203.0.113.9");
        assert_eq!(client("10.1.1.1", &["[2001:db8::7]:443"]), "2001:db8::7");
    }

    #[test]
    fn client_with_ipv6_is_found_across_lines_and_forms() {
        assert_eq!(
            client("fd00::1", &["6.6.6.6", "2001:db8::7, fd00::2", "fd00::3"]),
            "2001:db8::7"
        );
        assert_eq!(client("fd00::1", &["[2001:db8::7]"]), "2001:db8::7");
        assert_eq!(client("fe80::1", &["2001:db8::7"]), "fe80::1", "a stranger");
        assert_eq!(client("fd00::1", &["10.0.0.1, fd00::2"]), "10.0.0.1");
    }

    #[test]
    fn client_of_garbage_is_the_proxy_that_passed_it_on() {
        for garbage in [
            "",
            ",",
            ",,,",
            "unknown",
            "_hidden",
            "for=1.2.3.4",
            "1.2.3.4.5",
            "[::1",
            "1.2.3.4:x",
            "1.2.3.4, \t",
            "1.2.3.4 5.6.7.8",
            "%00",
            "é",
        ] {
            assert_eq!(client("10.1.1.1", &[garbage]), "10.1.1.1", "{garbage:?}");
            let mixed = format!("203.0.113.9, {garbage}");
            assert_eq!(client("10.1.1.1", &[&mixed]), "10.1.1.1", "{mixed:?}");
        }
    }

    #[test]
    fn client_is_never_read_from_other_headers() {
        let trusted = TrustedProxies::new(&["0.0.0.0/0".into()]);
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("forwarded", "for=203.0.113.9"),
            ("x-real-ip", "203.0.113.9"),
            ("x-forwarded-host", "203.0.113.9"),
            ("x-forwarded-proto", "https"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let peer = "10.1.1.1".parse().unwrap();
        assert_eq!(trusted.client(peer, &headers), peer);
    }

    #[test]
    fn client_behind_proxies_that_say_nothing_is_the_last_known_hop() {
        assert_eq!(client("10.1.1.1", &[]), "10.1.1.1");
        assert_eq!(client("10.1.1.1", &["nonsense, 10.2.2.2"]), "10.2.2.2");
        assert_eq!(client("10.1.1.1", &["::ffff:10.9.9.9"]), "10.9.9.9");
    }
}
