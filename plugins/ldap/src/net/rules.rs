//! Settings that contradict each other, or would send passwords in clear text, are refused
//! when they are read.

use countersign_sdk::{AuthError, Result, Secret};

use super::address::Address;
use crate::config::Config;

/// Whom the connections of the service account speak for.
pub(super) enum Account {
    /// A name and its password.
    Simple(String, Secret),
    /// Whom the client certificate or the socket's peer names.
    External,
    /// Nobody.
    Nobody,
}

/// The servers' addresses, in order, if they may be used as they stand.
pub(super) fn addresses(config: &Config) -> Result<Vec<Address>> {
    let urls = config.url.as_slice();
    if urls.is_empty() {
        return Err(AuthError::invalid(
            "url: expected at least one server, as ldaps://ldap.example.com",
        ));
    }
    let addresses: Result<Vec<_>> = urls.iter().map(|url| Address::parse(url)).collect();
    let addresses = addresses?;
    for (index, address) in addresses.iter().enumerate() {
        check(config, address)?;
        if addresses[..index].contains(address) {
            return Err(AuthError::invalid(format!("url: {address} stands twice")));
        }
    }
    Ok(addresses)
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
    Ok(())
}

/// The service account: at most one way to be one.
pub(super) fn account(config: &Config) -> Result<Account> {
    let ways = [
        (config.bind_dn.is_some(), "bind_dn"),
        (config.sasl_external, "sasl_external"),
        (config.anonymous, "anonymous"),
    ];
    let chosen: Vec<_> = ways.iter().filter(|way| way.0).map(|way| way.1).collect();
    if chosen.len() > 1 {
        return Err(AuthError::invalid(format!(
            "{}: only one of them can look users up; leave the others out",
            chosen.join(", ")
        )));
    }
    match (&config.bind_dn, &config.bind_password) {
        (Some(name), _) if name.trim().is_empty() => Err(AuthError::invalid(
            "bind_dn: expected a name; leave it out for a direct bind, or set anonymous: true",
        )),
        (Some(name), Some(password)) if !password.expose().is_empty() => {
            Ok(Account::Simple(name.clone(), password.clone()))
        }
        (Some(_), _) => Err(AuthError::invalid(
            "bind_password: expected bind_dn's password, as { file: … } or { env: … }; \
             servers take an empty one for nobody's",
        )),
        (None, Some(_)) => Err(AuthError::invalid(
            "bind_password: it is nobody's; set bind_dn, too, or leave it out",
        )),
        (None, None) if config.sasl_external => Ok(Account::External),
        (None, None) => Ok(Account::Nobody),
    }
}

/// What `sasl_external` needs, and what more a pool.
pub(super) fn rest(config: &Config, addresses: &[Address]) -> Result<()> {
    let shown = config.tls.certificate.is_some();
    let tls = |address: &Address| address.is_tls() || config.start_tls;
    let unseen =
        |address: &&Address| !matches!(address, Address::Unix(_)) && !(shown && tls(address));
    if let Some(address) = addresses
        .iter()
        .find(unseen)
        .filter(|_| config.sasl_external)
    {
        return Err(AuthError::invalid(format!(
            "sasl_external: {address} cannot see who we are; set tls.certificate and tls.private_key \
             and use ldaps:// or start_tls, or an ldapi:// socket"
        )));
    }
    if !(1..=1_000).contains(&config.pool.size) {
        return Err(AuthError::invalid("pool.size: expected 1 to 1000"));
    }
    Ok(())
}
