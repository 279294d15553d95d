//! The brake on guessing passwords (`server.throttle`).
//!
//! Only refusals count: an outage, a fault or a malformed request never does, nor does
//! a request that was turned away here, so that nobody is locked out by trying again.
//! The refusal of a backend that was passed over counts unless a later one knew the user,
//! whatever else became of the request: a later one's outage is no licence to guess.
//! What is counted is a *user from an address* and an *address*: strangers elsewhere
//! cannot keep a user out (D11), and a success clears his own count.
//!
//! A failure counts twice: under the name as it was typed, and under the subject that the
//! backend says it refused; the first remembers the second, so that `ada` and
//! `ada@example.org` of one row share one allowance before any backend is asked. A success
//! clears what the backend that succeeded had refused, not what another one had: with one's
//! own account in one backend one cannot go on guessing at a namesake's in another.

mod events;
mod keyed;
mod share;
mod table;

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config::shapes;
use events::{Event, Events};
use keyed::Keyed;
use table::{Limit, Link, Table};

/// Users from addresses that are remembered; 32 bytes each, taken when needed.
const USERS: usize = 32_768;

/// Addresses that are remembered.
const ADDRESSES: usize = 8_192;

/// Counts failures; clones share what they count.
#[derive(Debug, Clone)]
pub struct Throttle {
    limits: shapes::Throttle,
    counts: Arc<Mutex<Counts>>,
    hasher: Keyed,
}

/// Who tries, as far as it is known before a backend is asked.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The client's address; without one nothing is counted.
    pub address: Option<IpAddr>,
    /// The one backend that is to be asked, or empty for the chain.
    pub door: &'a str,
    /// The name as it was typed; empty where none was, such as with a bearer token.
    pub typed: &'a str,
}

/// What was too much, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// `user` or `address`.
    pub scope: &'static str,
    /// Until the next try is let through.
    pub pause: Duration,
}

#[derive(Debug)]
struct Counts {
    users: Table,
    addresses: Table,
    /// For what other hosts tell.
    limits: shapes::Throttle,
    /// What is to be told to other hosts, where there are some.
    events: Option<Events>,
}

impl Throttle {
    /// Nothing counted yet.
    pub fn new(limits: &shapes::Throttle) -> Self {
        Throttle {
            limits: limits.clone(),
            counts: Arc::new(Mutex::new(Counts::new(limits))),
            hasher: Keyed::own(),
        }
    }

    /// New limits on the same counts.
    #[must_use]
    pub fn with(&self, limits: &shapes::Throttle) -> Self {
        self.counts().limits = limits.clone();
        Throttle {
            limits: limits.clone(),
            ..self.clone()
        }
    }

    /// May this be tried? Changes nothing.
    ///
    /// # Errors
    /// [`Throttled`]: too much has failed already.
    pub fn admit(&self, attempt: &Attempt<'_>, now: Instant) -> Result<(), Throttled> {
        let Some(address) = attempt.address.map(network) else {
            return Ok(());
        };
        let (user, network) = (self.limits.user(), self.limits.address());
        let counts = self.counts();
        let of_address = counts
            .addresses
            .pause(self.key(&address), &network, now)
            .map(|pause| ("address", pause));
        let of_user = (!attempt.typed.is_empty()).then(|| {
            let typed = self.typed(attempt, address);
            let subject = counts.users.link(typed).map(|link| link.to);
            let keys = [Some(typed), subject].into_iter().flatten();
            keys.filter_map(|key| counts.users.pause(key, &user, now))
                .max()
        });
        let of_user = of_user.flatten().map(|pause| ("user", pause));
        match of_user
            .into_iter()
            .chain(of_address)
            .max_by_key(|(_, pause)| *pause)
        {
            Some((scope, pause)) => Err(Throttled { scope, pause }),
            None => Ok(()),
        }
    }

    /// It was refused: by these backends, each with the subject that it refused, empty where
    /// it cannot say whom. That is one failure of the address and of the typed name, however
    /// many have refused; without any, nothing has failed.
    pub fn failed(&self, attempt: &Attempt<'_>, refusals: &[(String, String)], now: Instant) {
        let Some(address) = attempt.address.map(network) else {
            return;
        };
        if refusals.is_empty() {
            return;
        }
        let (user, network) = (self.limits.user(), self.limits.address());
        let mut counts = self.counts();
        counts.count_address(self.key(&address), &network, now);
        let mut link = None;
        for (backend, subject) in refusals {
            let name = match subject.as_str() {
                "" => attempt.typed,
                subject => subject,
            };
            if name.is_empty() {
                continue;
            }
            let to = self.subject(backend, name, address);
            counts.count_user(to, &user, None, now);
            let by = self.key(&backend.as_str());
            link = Some(Link { to, by });
        }
        if !attempt.typed.is_empty() {
            let typed = self.typed(attempt, address);
            counts.count_user(typed, &user, link, now);
        }
    }

    /// `backend` knows who it is.
    pub fn succeeded(&self, attempt: &Attempt<'_>, backend: &str, username: &str) {
        let Some(address) = attempt.address.map(network) else {
            return;
        };
        let mut counts = self.counts();
        if counts.users.is_empty() {
            return;
        }
        for name in [attempt.typed, username] {
            counts.clear_user(self.subject(backend, name, address));
        }
        let typed = self.typed(attempt, address);
        if let Some(link) = counts.users.link(typed)
            && link.by == self.key(&backend)
        {
            counts.clear_user(link.to);
            counts.clear_user(typed);
        }
    }

    /// Counters in memory.
    pub fn entries(&self) -> usize {
        let counts = self.counts();
        counts.users.len() + counts.addresses.len()
    }

    fn counts(&self) -> std::sync::MutexGuard<'_, Counts> {
        // Counters have no state in between: what a panic left is as good as any.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn typed(&self, attempt: &Attempt<'_>, address: IpAddr) -> u64 {
        self.key(&("typed", attempt.door, folded(attempt.typed), address))
    }

    fn subject(&self, backend: &str, name: &str, address: IpAddr) -> u64 {
        self.key(&("subject", backend, folded(name), address))
    }

    fn key(&self, of: &impl std::hash::Hash) -> u64 {
        self.hasher.hash_one(of)
    }
}

impl Counts {
    fn new(limits: &shapes::Throttle) -> Self {
        Counts {
            users: Table::new(USERS),
            addresses: Table::new(ADDRESSES),
            limits: limits.clone(),
            events: None,
        }
    }

    fn count_address(&mut self, key: u64, limit: &Limit, now: Instant) {
        self.addresses.count(key, limit, None, now);
        self.tell(Event::Address(key));
    }

    fn count_user(&mut self, key: u64, limit: &Limit, link: Option<Link>, now: Instant) {
        self.users.count(key, limit, link, now);
        self.tell(Event::User(key, link));
    }

    fn clear_user(&mut self, key: u64) {
        if self.users.clear(key) {
            self.tell(Event::Cleared(key));
        }
    }

    fn tell(&mut self, event: Event) {
        if let Some(events) = &mut self.events {
            events.push(event);
        }
    }
}

impl shapes::Throttle {
    fn user(&self) -> Limit {
        Limit {
            most: self.user,
            window: self.window,
        }
    }

    fn address(&self) -> Limit {
        Limit {
            most: self.address,
            window: self.window,
        }
    }
}

/// What counts as one address: a customer of IPv6 has a /64 at the least.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & (u128::MAX << 64)).into()),
        v4 => v4,
    }
}

/// Spellings of one name that most backends take for one.
fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

#[cfg(test)]
mod tests;
