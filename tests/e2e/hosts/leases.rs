//! What one host does for all.

use std::time::Duration;

use countersign_tests::postgres::Postgres;
use tokio::runtime::Runtime;

use super::{host, place};

const LONG: Duration = Duration::from_secs(60);

#[test]
fn lease_is_one_hosts_until_its_end_or_until_he_gives_it_back() {
    let server = Postgres::start();
    Runtime::new().unwrap().block_on(async {
        let mut hosts = Vec::new();
        for _ in 0..3 {
            hosts.push(host(place(&server.url)).await);
        }
        for round in 0..10 {
            let name = format!("keys {round}");
            let asked = hosts.iter().map(|host| {
                let (host, name) = (host.clone(), name.clone());
                tokio::spawn(async move { host.lease(&name, LONG).await.unwrap() })
            });
            let mut have = Vec::new();
            for (place, asked) in asked.collect::<Vec<_>>().into_iter().enumerate() {
                if asked.await.unwrap() {
                    have.push(place);
                }
            }
            let [holder] = have[..] else {
                panic!("{have:?} have it");
            };
            let other = &hosts[(holder + 1) % 3];
            assert!(hosts[holder].lease(&name, LONG).await.unwrap(), "prolonged");
            assert!(!other.lease(&name, LONG).await.unwrap());
            // At its end, it is anybody's.
            let ended = Duration::ZERO;
            assert!(hosts[holder].lease(&name, ended).await.unwrap());
            assert!(other.lease(&name, LONG).await.unwrap());
            assert!(!hosts[holder].lease(&name, LONG).await.unwrap());
            other.give_leases_back().await.unwrap();
            assert!(hosts[holder].lease(&name, LONG).await.unwrap());
        }
        // Who ends gives all back.
        assert!(hosts[0].lease("last", LONG).await.unwrap());
        hosts[0].close().await;
        assert!(hosts[1].lease("last", LONG).await.unwrap());
    });
}
