//! Connections to the directory: which server, how reached, whose, and for how long.
//!
//! `servers` says which one is next and `health` which ones failed lately; a `server` is
//! `dial`led, what it says passes a `guard`, and its connections are kept as `lines` of the service account, which many
//! share, and `spares` that bind one user after another. A `session` is what a login holds.

mod address;
mod ber;
mod core;
mod dial;
mod domain;
mod failure;
mod guard;
mod health;
mod lines;
mod message;
mod metrics;
mod policy;
mod rules;
mod search;
mod server;
mod servers;
mod session;
mod spares;
mod srv;
mod start_tls;
#[cfg(test)]
mod tests;
mod tls;
mod verifier;
mod wire;

use std::ops::DerefMut;
use std::sync::Arc;
use std::time::Duration;

use countersign_sdk::{Cx, Result, Secret};
use tokio::time::timeout;

use self::address::Address;
use self::core::Core;
use self::dial::Host;
use self::domain::Domain;
use self::metrics::Metrics;
use self::server::{Server, Way};
use self::servers::{Servers, Source};
use self::srv::{Resolver, System};
use crate::config::Config;
use crate::mistakes::Mistakes;
use crate::trouble::Trouble;
pub(crate) use session::{Query, Reach, Session};

/// Closing takes no longer.
const FAREWELL: Duration = Duration::from_secs(2);

/// The servers of one backend.
pub(crate) struct Directory(Arc<Core>);

impl Directory {
    /// Reads what the settings name; connects to nothing.
    pub(crate) fn open(config: &Config, cx: &Cx) -> Result<Self> {
        Self::open_with(config, cx, Arc::new(System))
    }

    /// The same, with somebody else to ask for a domain's servers.
    pub(crate) fn open_with(config: &Config, cx: &Cx, resolver: Arc<dyn Resolver>) -> Result<Self> {
        let mut mistakes = Mistakes::default();
        let addresses = rules::addresses(config, &mut mistakes);
        let account = mistakes.note(rules::account(config));
        mistakes.note(rules::external(config, &addresses));
        let secure = config.start_tls || addresses.iter().any(Address::is_tls);
        let files = config.tls.certificate.is_some() || config.tls.private_key.is_some();
        let tls = (secure || files).then(|| tls::open(&config.tls));
        let tls = mistakes.note(tls.transpose());
        let (account, tls) = mistakes.unless_any(account.zip(tls))?;
        let maker = Maker {
            tls: tls.map(Arc::new),
            start_tls: config.start_tls,
            timeouts: config.timeouts,
            pool: config.pool,
            metrics: Metrics(cx.clone()),
        };
        let source = |address| maker.source(address, &resolver);
        let servers = Servers {
            sources: addresses.into_iter().map(source).collect(),
            cx: cx.clone(),
        };
        let core = Arc::new(Core::new(servers, account, config.timeouts.operation));
        Core::look_after(&core, cx);
        Ok(Directory(core))
    }

    /// A share of the connections that the service account is bound on, each used by many
    /// at once. Without a service account, nobody is bound on them.
    pub(crate) async fn service(&self) -> Result<impl DerefMut<Target = Session>, Trouble> {
        let lease = self.0.lease().await?;
        Ok(Box::new(Session::of_service(lease, &self.0)))
    }

    /// A connection of its own, bound as this user. An answer of code 0 is a user whose
    /// password is right and whom the password policy still does not let in.
    pub(crate) async fn bind(&self, name: &str, password: &Secret) -> Result<Session, Trouble> {
        let own = self.0.bind(name, password).await?;
        Ok(Session::of_user(own, &self.0))
    }

    /// Does any server answer, and take the service account?
    pub(crate) async fn health(&self) -> Result<(), Trouble> {
        let session = self.service().await?;
        let failure = match session.check().await {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        let server = Arc::clone(session.at());
        drop(session);
        server.lines.distrust();
        if failure.is_outage() {
            return self.service().await.map(drop);
        }
        Err(failure.trouble(&server.name))
    }

    /// Says goodbye to the servers; nothing is opened any more.
    pub(crate) async fn shutdown(&self) {
        let _ = timeout(FAREWELL, self.0.close()).await;
    }
}

/// Makes servers of addresses.
#[derive(Clone)]
struct Maker {
    tls: Option<Arc<rustls::ClientConfig>>,
    start_tls: bool,
    timeouts: crate::config::Timeouts,
    pool: crate::config::Pool,
    metrics: Metrics,
}

impl Maker {
    fn source(&self, address: Address, resolver: &Arc<dyn Resolver>) -> Source {
        let name = address.to_string();
        match address {
            Address::Tcp { host, port, tls } => Source::Fixed(self.tcp(name, &host, port, tls)),
            Address::Unix(path) => Source::Fixed(self.server(name, Way::Unix(path))),
            Address::Domain { domain, tls } => {
                let maker = self.clone();
                let make = move |host: &str, port| {
                    let address = Address::Tcp {
                        host: host.to_owned(),
                        port,
                        tls,
                    };
                    maker.tcp(address.to_string(), host, port, tls)
                };
                let within = tls || self.start_tls;
                let resolver = Arc::clone(resolver);
                Source::Domain(Domain::new(domain, tls, within, Box::new(make), resolver))
            }
        }
    }

    fn tcp(&self, name: String, host: &str, port: u16, tls: bool) -> Arc<Server> {
        let start_tls = self.start_tls && !tls;
        let tls = self.tls.clone().filter(|_| tls || start_tls);
        let host = Host::new(host.to_owned(), port, tls, start_tls);
        self.server(name, Way::Tcp(host))
    }

    fn server(&self, name: String, way: Way) -> Arc<Server> {
        let metrics = self.metrics.clone();
        metrics.pool(&name, 0, 0);
        Arc::new(Server::new(name, way, self.timeouts, self.pool, metrics))
    }
}
