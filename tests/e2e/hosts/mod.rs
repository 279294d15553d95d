//! Several hosts on one PostgreSQL: what one does the others know, at once or as soon as they
//! see the store again; and what was acknowledged is not lost, whoever is killed.

mod answered;
mod kept;
mod killed;
mod leases;
mod outages;
mod rings;
mod servers;
mod told;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::accounts::store::{Location, Store};
use countersign::config::values::Secret;
use countersign_tests::fault::Fault;
use countersign_tests::postgres::Postgres;
use countersign_tests::{Server, send};

/// 2026-01-01.
const NOW: u64 = 1_767_225_600;

/// Where a server's database is.
fn place(url: &str) -> Location {
    Location::Postgres(Secret::from(url.to_owned()))
}

/// The store as one host has it.
async fn host(place: Location) -> Arc<Store> {
    let store = Arc::new(Store::open(place).await.unwrap());
    store.attend();
    store
}

/// A network before the server, and the url that leads through it.
fn behind_a_network(server: &Postgres) -> (Fault, String) {
    let url = url::Url::parse(&server.url).unwrap();
    let port = url.port().unwrap();
    let fault = Fault::before(SocketAddr::from(([127, 0, 0, 1], port)));
    let mut through = url;
    through.set_port(Some(fault.address.port())).unwrap();
    (fault, through.into())
}

/// The status that forward-auth answers a token with.
fn verify(host: &Server, token: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    send(host.address, "GET", "/auth/verify", &headers, b"").status
}

/// Waits until it is so; how long that took.
async fn until(limit: Duration, what: &str, is_so: impl Fn() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < limit, "{what}: not within {limit:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    begun.elapsed()
}

/// The same for a thread that blocks.
pub(crate) fn wait(limit: Duration, what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < limit, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
