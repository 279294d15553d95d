//! Settings that contradict each other, or would send passwords in clear text, are refused
//! when they are read.

use countersign_sdk::{AuthError, Result, Secret};

use super::address::Address;
use crate::config::Config;
use crate::mistakes::Mistakes;

/// Whom the connections of the service account speak for.
pub(super) enum Account {
    /// A name and its password.
    Simple(String, Secret),
    /// Whom the client certificate or the socket's peer names.
    External,
    /// Nobody.
    Nobody,
}

/// The servers' addresses, in order; those that may not be used as they stand are mistakes.
pub(super) fn addresses(config: &Config, mistakes: &mut Mistakes) -> Vec<Address> {
    let urls = config.url.as_slice();
    if urls.is_empty() {
        mistakes.note::<()>(Err(AuthError::invalid(
            "url: expected at least one server, as ldaps://ldap.example.com",
        )));
    }
    let mut addresses = Vec::new();
    for url in urls {
        let Some(address) = mistakes.note(Address::parse(url)) else {
            continue;
        };
        mistakes.note(check(config, &address));
        if addresses.contains(&address) {
            let twice = format!("url: {address} stands twice");
            mistakes.note::<()>(Err(AuthError::invalid(twice)));
        }
        addresses.push(address);
    }
    addresses
}

fn check(config: &Config, address: &Address) -> Result<()> {
    if config.start_tls && address.is_tls() {
        return Err(AuthError::invalid(format!(
            "start_tls: {address} has TLS from the first byte; write ldap:// or leave start_tls out"
        )));
    }
    if config.start_tls && matches!(address, Address::Unix(_)) {
        return Err(AuthError::invalid(format!(
            "start_tls: {address} is a socket of this machine; leave start_tls out"
        )));
    }
    let covered = address.is_tls() || config.start_tls || address.is_local();
    if !covered && !config.plain_text {
        return Err(AuthError::invalid(format!(
            "url: {address} would send passwords in clear text; write ldaps://, or set start_tls: true \
             (or, if that is meant, plain_text: true)"
        )));
    }
    if !covered {
        tracing::warn!("`plain_text` lets passwords cross the network to {address} in clear text");
    }
    Ok(())
}

/// The service account. That there is one way at most to be one, is checked with the other settings.
pub(super) fn account(config: &Config) -> Result<Account> {
    match (&config.bind_dn, &config.bind_password) {
        (Some(name), Some(password)) if !name.is_empty() && !password.expose().is_empty() => {
            Ok(Account::Simple(name.clone(), password.clone()))
        }
        (Some(_), _) => Err(AuthError::invalid(
            "bind_password: expected the password of `bind_dn`; servers take an empty one for nobody's",
        )),
        (None, _) if config.sasl_external => Ok(Account::External),
        (None, _) => Ok(Account::Nobody),
    }
}

/// `sasl_external` needs servers that can see who we are.
pub(super) fn external(config: &Config, addresses: &[Address]) -> Result<()> {
    let shown = config.tls.certificate.is_some();
    let is_seen = |address: &Address| match address {
        Address::Unix(_) => true,
        other => shown && (other.is_tls() || config.start_tls),
    };
    match addresses.iter().find(|address| !is_seen(address)) {
        Some(address) if config.sasl_external => Err(AuthError::invalid(format!(
            "sasl_external: {address} cannot see who we are; set tls.certificate and tls.private_key \
             and use ldaps:// or start_tls, or an ldapi:// socket"
        ))),
        _ => Ok(()),
    }
}
