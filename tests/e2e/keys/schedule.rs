//! Rotation by schedule, under a consumer that keeps the keys as it is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;

/// A consumer that keeps the published keys for their max-age, and never asks because of an id
/// that it does not know.
struct Consumer {
    address: SocketAddr,
    set: JwkSet,
    until: Instant,
}

impl Consumer {
    fn new(address: SocketAddr) -> Consumer {
        let (set, until) = Consumer::fetch(address);
        Consumer {
            address,
            set,
            until,
        }
    }

    fn fetch(address: SocketAddr) -> (JwkSet, Instant) {
        let answer = get(address, JWKS);
        let age = answer.header("cache-control").unwrap();
        let age = age.trim_start_matches("public, max-age=").parse().unwrap();
        let set = serde_json::from_str(&answer.body).unwrap();
        (set, Instant::now() + Duration::from_secs(age))
    }

    fn accepts(&mut self, token: &str) -> bool {
        if Instant::now() >= self.until {
            (self.set, self.until) = Consumer::fetch(self.address);
        }
        verifies_with(&self.set, token)
    }
}

#[test]
fn r03_r12_scheduled_rotations_refuse_no_token_and_expired_keys_go() {
    let folder = Folder::new();
    let server = server(
        &folder,
        ", lead: 2s, max_age: 1s, rotate_every: 2s",
        "tokens: { lifetime: 2s, cli_lifetime: 2s, leeway: 0s }\n",
    );
    let first = published(server.address, JWKS)[0].clone();
    let done = AtomicBool::new(false);
    let refused = thread::scope(|scope| {
        let consumers = (0..2).map(|_| {
            scope.spawn(|| {
                let mut consumer = Consumer::new(server.address);
                let (mut refused, mut asked) = (Vec::new(), 0);
                while !done.load(Ordering::Relaxed) {
                    let token = server.token("ada", "door");
                    asked += 1;
                    if !consumer.accepts(&token) {
                        refused.push(kid(&token));
                    }
                }
                assert!(asked > 10);
                refused
            })
        });
        let consumers: Vec<_> = consumers.collect();
        // The second rotation, and the first key's end.
        until("two rotations", || {
            let now = listed(&folder, &[]);
            let active = &now[0].0;
            (*active != first && now.iter().all(|(kid, _)| *kid != first)).then_some(())
        });
        done.store(true, Ordering::Relaxed);
        let refused = consumers.into_iter().map(|each| each.join().unwrap());
        refused.flatten().collect::<Vec<_>>()
    });
    assert_eq!(refused, [] as [String; 0]);
    let (_, log) = server.stop();
    assert!(
        log.contains("a standby signs from now on, as scheduled"),
        "{log}"
    );
    assert!(log.contains("last token has expired"), "{log}");
}
