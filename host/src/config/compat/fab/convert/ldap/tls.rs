//! StartTLS, certificates, and what is not protected: told, since FAB says nothing of it.

use super::at;
use crate::config::compat::fab::convert::Source;
use crate::config::compat::fab::document::{self, Map};

pub(super) fn convert(source: &mut Source<'_>, urls: &[&str], config: &mut Map) {
    let with = |scheme: &str| {
        let begins = |url: &&str| {
            url.get(..scheme.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
        };
        urls.iter().copied().filter(begins).collect::<Vec<_>>()
    };
    let mut starts = source.flag("AUTH_LDAP_USE_TLS", &at("start_tls")) == Some(true);
    if starts && !with("ldaps://").is_empty() {
        if let Some(found) = source.module.assigned.get("AUTH_LDAP_USE_TLS") {
            let help = "left out: ldaps:// has TLS from the first byte";
            source.note(
                "AUTH_LDAP_USE_TLS",
                found,
                "StartTLS on top of ldaps://, which no server does",
                help,
            );
        }
        starts = false;
    }
    if starts {
        config.put("start_tls", "true", "AUTH_LDAP_USE_TLS");
    }
    let undecided = source
        .module
        .assigned
        .get("AUTH_LDAP_USE_TLS")
        .is_some_and(|at| at.value.truth().is_none());
    let clear = with("ldap://");
    if !starts && !undecided && clear.iter().any(|url| !is_here(&url["ldap://".len()..])) {
        config.put(
            "plain_text",
            "true",
            "ldap:// WITHOUT TLS: passwords cross the network as they are; better start_tls: true",
        );
        if let Some(found) = source.module.assigned.get("AUTH_LDAP_SERVER") {
            let what = "ldap:// without TLS: every password crosses the network in clear text";
            source.note(
                "AUTH_LDAP_SERVER",
                found,
                what,
                &format!("try {}: true in its place", at("start_tls")),
            );
        }
    }

    let mut tls = Map::default();
    if let Some(ca) = source.text("AUTH_LDAP_TLS_CACERTFILE", &at("tls.ca")) {
        tls.put("ca", ca, "AUTH_LDAP_TLS_CACERTFILE");
    }
    if let Some(certificate) = source.text("AUTH_LDAP_TLS_CERTFILE", &at("tls.certificate")) {
        tls.put("certificate", certificate, "AUTH_LDAP_TLS_CERTFILE");
    }
    if let Some(key) = source.text("AUTH_LDAP_TLS_KEYFILE", &at("tls.private_key")) {
        tls.put(
            "private_key",
            format!("{{ file: {} }}", document::inside(key)),
            "AUTH_LDAP_TLS_KEYFILE",
        );
    }
    let folder = "AUTH_LDAP_TLS_CACERTDIR";
    if let Some(found) = source.take(folder)
        && found.value.truth() != Some(false)
    {
        let help = format!("put them into one file, and name that at {}", at("tls.ca"));
        source.lacking(folder, found, "a folder of certificates", &help);
    }
    let anybody = source.flag("AUTH_LDAP_ALLOW_SELF_SIGNED", &at("tls.verify")) == Some(true);
    if anybody {
        tls.put("verify", "false", "AUTH_LDAP_ALLOW_SELF_SIGNED: ANY certificate passes; better tls.ca with that certificate");
        if let Some(found) = source.module.assigned.get("AUTH_LDAP_ALLOW_SELF_SIGNED") {
            let what = "any certificate of anybody passes, as in FAB";
            source.note(
                "AUTH_LDAP_ALLOW_SELF_SIGNED",
                found,
                what,
                &format!("name the server's own at {}", at("tls.ca")),
            );
        }
    }
    // Servers are always verified, unless that is switched off.
    source.flag("AUTH_LDAP_TLS_DEMAND", &at("tls.verify"));
    config.map("tls", tls, "");
}

/// Is it this machine, which a password does not leave?
fn is_here(address: &str) -> bool {
    let host = match address.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => address.split(['/', ':', '?']).next(),
    };
    let host = host.unwrap_or_default();
    let ip = host.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_here() {
        for here in [
            "localhost",
            "LOCALHOST:389",
            "127.0.0.1",
            "127.9.9.9:1/",
            "[::1]:389",
        ] {
            assert!(is_here(here), "{here}");
        }
        for there in [
            "ldap.example.com",
            "10.0.0.1",
            "[fe80::1]",
            "localhost.example.com",
            "",
            "127.0.0.1.example.com",
        ] {
            assert!(!is_here(there), "{there}");
        }
    }
}
