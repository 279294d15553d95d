//! A domain whose servers DNS names: asked again when its answer has run out, by one login,
//! and the last answer used meanwhile and while DNS fails. Servers keep their connections and their health meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::server::Server;
use super::srv::{Record, Resolver, ordered};
use crate::trouble::Trouble;

/// However short or long DNS says that its answer holds.
const SHORTEST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(3_600);
/// DNS is not asked longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Makes a server of a host and a port.
pub(super) type Make = Box<dyn Fn(&str, u16) -> Arc<Server> + Send + Sync>;

pub(super) struct Domain {
    domain: String,
    tls: bool,
    /// Only hosts below the domain may answer for it: with TLS, DNS must not be able to
    /// name one for which somebody else has a certificate.
    within: bool,
    make: Make,
    resolver: Arc<dyn Resolver>,
    /// Held by whoever is asking.
    asking: tokio::sync::Mutex<()>,
    found: std::sync::Mutex<Found>,
}

#[derive(Default)]
struct Found {
    until: Option<Instant>,
    order: Vec<Arc<Server>>,
    all: HashMap<(String, u16), Arc<Server>>,
}

impl Domain {
    pub(super) fn new(
        domain: String,
        tls: bool,
        within: bool,
        make: Make,
        resolver: Arc<dyn Resolver>,
    ) -> Self {
        Domain {
            domain,
            tls,
            within,
            make,
            resolver,
            asking: tokio::sync::Mutex::default(),
            found: std::sync::Mutex::default(),
        }
    }

    /// Its servers in order.
    pub(super) async fn servers(&self) -> Result<Vec<Arc<Server>>, Trouble> {
        let _asking = match self.asking.try_lock() {
            Ok(asking) => asking,
            Err(_) => match self.known() {
                last if !last.is_empty() => return Ok(last),
                _ => self.asking.lock().await,
            },
        };
        if self
            .found()
            .until
            .is_some_and(|until| Instant::now() < until)
        {
            return Ok(self.known());
        }
        let service = if self.tls { "_ldaps" } else { "_ldap" };
        let name = format!("{service}._tcp.{}.", self.domain);
        let answer = timeout(PATIENCE, self.resolver.srv(&name)).await;
        let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {PATIENCE:?}")));
        let mut found = self.found();
        let problem = match answer {
            Ok((records, ttl)) => {
                let records = self.ours(ordered(records));
                if !records.is_empty() {
                    self.renew(&mut found, records);
                    found.until = Some(Instant::now() + ttl.clamp(SHORTEST, LONGEST));
                    return Ok(found.order.clone());
                }
                "it names no server".to_owned()
            }
            Err(error) => error,
        };
        if found.order.is_empty() {
            return Err(Trouble::Unavailable(format!("DNS, {name}: {problem}")));
        }
        tracing::warn!("DNS, {name}: {problem}; its last answer is used");
        found.until = Some(Instant::now() + SHORTEST);
        Ok(found.order.clone())
    }

    /// The servers known so far, without asking.
    pub(super) fn known(&self) -> Vec<Arc<Server>> {
        self.found().order.clone()
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ours(&self, mut records: Vec<Record>) -> Vec<Record> {
        let below = format!(".{}", self.domain);
        records.retain(|record| {
            let inside = record.target == self.domain || record.target.ends_with(&below);
            if !inside && self.within {
                tracing::warn!(
                    "DNS names {} for {}: it is not below that domain, and not used; \
                     list it in url by itself if it is right",
                    record.target,
                    self.domain
                );
            }
            inside || !self.within
        });
        records
    }

    fn renew(&self, found: &mut Found, records: Vec<Record>) {
        let mut before = std::mem::take(&mut found.all);
        found.order.clear();
        for Record { target, port, .. } in records {
            let key = (target, port);
            if found.all.contains_key(&key) {
                continue;
            }
            let server = before.remove(&key);
            let server = server.unwrap_or_else(|| (self.make)(&key.0, key.1));
            found.order.push(Arc::clone(&server));
            found.all.insert(key, server);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::future::{Future, pending};
    use std::pin::Pin;

    use countersign_sdk::testing;

    use super::super::metrics::Metrics;
    use super::super::server::Way;
    use super::super::srv;
    use super::*;
    use crate::config::{Pool, Timeouts};

    struct Silent;

    impl Resolver for Silent {
        fn srv<'a>(&'a self, _: &'a str) -> Pin<Box<dyn Future<Output = srv::Found> + Send + 'a>> {
            Box::pin(pending())
        }
    }

    #[tokio::test]
    async fn dns_that_is_silent_holds_up_one_login_and_not_all() {
        let make: Make = Box::new(|host, _| {
            let metrics = Metrics(testing::cx(&std::env::temp_dir()));
            let way = Way::Unix("/nowhere".into());
            let (timeouts, pool) = (Timeouts::default(), Pool::default());
            Arc::new(Server::new(host.to_owned(), way, timeouts, pool, metrics))
        });
        let domain = Domain::new("test".to_owned(), false, false, make, Arc::new(Silent));
        let record = Record {
            priority: 1,
            weight: 1,
            port: 389,
            target: "a.test".to_owned(),
        };
        domain.renew(&mut domain.found(), vec![record]);
        let short = Duration::from_millis(200);
        tokio::select! {
            biased;
            _ = domain.servers() => panic!("nobody answers"),
            others = timeout(short, domain.servers()) => {
                assert_eq!(others.unwrap().unwrap()[0].name, "a.test");
            }
        }
        assert!(
            timeout(short, domain.servers()).await.is_err(),
            "the next one asks"
        );
    }
}
