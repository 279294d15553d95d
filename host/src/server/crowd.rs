//! How many connections there are, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Descriptors for everything that is no connection: files, databases, plugins.
const RESERVE: u64 = 512;

/// The connections of one listener.
#[derive(Debug, Clone)]
pub(super) struct Crowd {
    permits: Arc<Semaphore>,
    most: u32,
    addresses: Addresses,
}

type Addresses = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// A connection's place; free again when dropped.
#[derive(Debug)]
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    counted: Option<Counted>,
}

#[derive(Debug)]
struct Counted {
    address: IpAddr,
    addresses: Addresses,
}

impl Crowd {
    pub(super) fn new(most: u32) -> Self {
        Crowd {
            permits: Arc::new(Semaphore::new(most as usize)),
            most,
            addresses: Arc::default(),
        }
    }

    /// Waits until there is room for one more.
    pub(super) async fn place(&self) -> Option<Place> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        Some(Place {
            _permit: permit,
            counted: None,
        })
    }

    /// Gives the place to a client; false if its address has `most` connections already.
    pub(super) fn admit(&self, place: &mut Place, client: IpAddr, most: usize) -> bool {
        let address = neighbourhood(client);
        let mut addresses = lock(&self.addresses);
        let count = addresses.entry(address).or_default();
        if *count >= most {
            return false;
        }
        *count += 1;
        place.counted = Some(Counted {
            address,
            addresses: Arc::clone(&self.addresses),
        });
        true
    }

    /// Waits until nobody is left.
    pub(super) async fn gone(&self) {
        let _ = self.permits.acquire_many(self.most).await;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut addresses = lock(&self.addresses);
        if let Some(count) = addresses.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

fn lock(addresses: &Addresses) -> std::sync::MutexGuard<'_, HashMap<IpAddr, usize>> {
    addresses.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whoever has one IPv6 address has the whole /64.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(network.into())
        }
    }
}

/// Raises the process's soft limit of open files so that `connections` fit under it;
/// what the hard limit does not allow is told.
pub fn make_room(connections: u32) {
    let needed = u64::from(connections) + RESERVE;
    let limit = getrlimit(Resource::Nofile);
    let (soft, hard) = (
        limit.current.unwrap_or(u64::MAX),
        limit.maximum.unwrap_or(u64::MAX),
    );
    if soft < needed && soft < hard {
        let raised = Rlimit {
            current: Some(needed.min(hard)),
            maximum: limit.maximum,
        };
        let _ = setrlimit(Resource::Nofile, raised);
    }
    if hard < needed {
        tracing::warn!(
            open_files = hard,
            needed,
            "the limit of open files is below server.limits.connections; raise it (ulimit -n, LimitNOFILE=)"
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn admit_counts_an_address_until_its_places_are_free() {
        let crowd = Crowd::new(10);
        let admit =
            |place: &mut Place, address: &str| crowd.admit(place, address.parse().unwrap(), 2);
        let (mut a, mut b, mut c) = (
            crowd.place().await.unwrap(),
            crowd.place().await.unwrap(),
            crowd.place().await.unwrap(),
        );
        assert!(admit(&mut a, "2001:db8::1") && admit(&mut b, "2001:db8::2"));
        assert!(!admit(&mut c, "2001:db8::3"), "one /64 is one client");
        assert!(admit(&mut c, "192.0.2.1"));
        drop((a, b));
        let mut d = crowd.place().await.unwrap();
        assert!(admit(&mut d, "2001:db8::3"));
        drop((c, d));
        assert!(lock(&crowd.addresses).is_empty());
        crowd.gone().await;
    }
}
