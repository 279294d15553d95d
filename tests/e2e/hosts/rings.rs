//! Key rings that several hosts change.

use std::time::Duration;

use countersign::accounts::store::StoredRing;
use countersign_tests::postgres::Postgres;
use tokio::runtime::Runtime;

use super::{NOW, host, place};

#[test]
fn ring_that_many_change_at_once_has_every_change_and_all_are_told() {
    let server = Postgres::start();
    Runtime::new().unwrap().block_on(async {
        let mut hosts = Vec::new();
        for _ in 0..3 {
            hosts.push(host(place(&server.url)).await);
        }
        assert_eq!(hosts[0].ring("shared").await.unwrap(), None);
        let mut changed = hosts[2].rings_changed();
        let changing = hosts.iter().enumerate().map(|(number, host)| {
            let host = host.clone();
            tokio::spawn(async move {
                for change in 0..10 {
                    // Read, change, write; redone when another one was faster.
                    loop {
                        let read = host.ring("shared").await.unwrap();
                        let (version, content) =
                            read.map_or((0, String::new()), |ring| (ring.version, ring.content));
                        let content = format!("{content}{number}.{change} ");
                        if host
                            .put_ring("shared", version, &content, NOW)
                            .await
                            .unwrap()
                        {
                            break;
                        }
                    }
                }
            })
        });
        for changing in changing.collect::<Vec<_>>() {
            changing.await.unwrap();
        }
        let ring = hosts[1].ring("shared").await.unwrap().unwrap();
        assert_eq!(ring.version, 30);
        let mut changes: Vec<&str> = ring.content.split_whitespace().collect();
        changes.sort_unstable();
        changes.dedup();
        assert_eq!(changes.len(), 30);
        let told = tokio::time::timeout(Duration::from_secs(1), changed.changed());
        told.await.expect("within a second").unwrap();
        // An old version is no start, and neither is none.
        for read in [0, 29, 31] {
            assert!(!hosts[0].put_ring("shared", read, "x", NOW).await.unwrap());
        }
        assert_eq!(hosts[0].ring("shared").await.unwrap().unwrap(), ring);
        assert!(hosts[0].put_ring("api", 0, "y", NOW).await.unwrap());
        let own = StoredRing {
            version: 1,
            content: "y".into(),
        };
        assert_eq!(hosts[1].ring("api").await.unwrap(), Some(own));
    });
}
