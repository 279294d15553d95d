//! What one host has revoked, the others refuse.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign::accounts::store::{Revocable, Store};
use countersign_tests::fault::Way;
use countersign_tests::postgres::Postgres;
use tokio::runtime::Runtime;

use super::{NOW, behind_a_network, host, place, until};

/// What it takes at the most; on a machine that builds meanwhile a new connection takes longer.
const SECOND: Duration = Duration::from_secs(1);

async fn revoke(store: &Store, id: &str) {
    let token = Revocable::Token(id);
    store.revoke(token, Some(NOW + 60), NOW).await.unwrap();
}

#[test]
fn revoked_at_one_host_is_refused_at_all_within_a_second() {
    let server = Postgres::start();
    Runtime::new().unwrap().block_on(async {
        let [a, b, c] = [0; 3].map(|_| host(place(&server.url)));
        let (a, b, c) = (a.await, b.await, c.await);
        for round in 0..20 {
            let id = round.to_string();
            let all = [
                Revocable::Token(&id),
                Revocable::Session(&id),
                Revocable::Key(&id),
            ];
            for (number, what) in all.into_iter().enumerate() {
                let by = [&a, &b, &c][(round + number) % 3];
                let known = || [&a, &b, &c].iter().all(|host| host.is_revoked(what));
                assert!(!known());
                by.revoke(what, None, NOW).await.unwrap();
                assert!(by.is_revoked(what), "here, at once");
                until(SECOND, "everywhere", known).await;
            }
        }
        // Who comes later knows it from the start.
        let late = host(place(&server.url)).await;
        assert!(late.is_revoked(Revocable::Key("19")));
        assert_eq!(late.count_revoked(), 60);
    });
}

#[test]
fn connection_that_was_lost_is_caught_up_with_as_soon_as_it_is_back() {
    let server = Postgres::start();
    let (network, url) = behind_a_network(&server);
    let network = Arc::new(network);
    let set = async |way| {
        let network = Arc::clone(&network);
        let set = tokio::task::spawn_blocking(move || network.set(way));
        set.await.unwrap();
    };
    Runtime::new().unwrap().block_on(async {
        let near = host(place(&server.url)).await;
        let far = host(place(&url)).await;
        for (round, way) in [Way::Refuse, Way::BlackHole].into_iter().enumerate() {
            let id = |name: &str| format!("{name}-{round}");
            revoke(&near, &id("before")).await;
            let before = id("before");
            until(SECOND, "before", || {
                far.is_revoked(Revocable::Token(&before))
            })
            .await;
            set(way).await;
            // More than are read at once.
            let many = if round == 0 { 1_500 } else { 30 };
            for n in 0..many {
                revoke(&near, &id(&n.to_string())).await;
            }
            let last = id(&(many - 1).to_string());
            let known = || far.is_revoked(Revocable::Token(&last));
            let lost = Duration::from_secs(10);
            until(lost, "the loss is noticed", || far.outage().is_some()).await;
            assert!(!known());
            // What is asked meanwhile fails, and takes no connection away for ever.
            let asked = (0..8).map(|n| {
                let (far, id) = (far.clone(), id(&format!("asked {n}")));
                tokio::spawn(async move { far.use_up(&id, NOW + 60, NOW).await })
            });
            for asked in asked.collect::<Vec<_>>() {
                asked.await.unwrap().unwrap_err();
            }
            assert!(far.lost().is_none(), "unbounded unless something says so");
            set(Way::Open).await;
            until(3 * SECOND, "once it is back", known).await;
            until(SECOND, "in sight", || far.outage().is_none()).await;
            // The connections of the pool are as good as new, as soon as each was seen to be dead.
            let begun = Instant::now();
            while far.use_up(&id("used"), NOW + 60, NOW).await.is_err() {
                assert!(
                    begun.elapsed() < Duration::from_secs(8),
                    "the pool is stuck"
                );
            }
            revoke(&far, &id("after")).await;
            let after = id("after");
            until(SECOND, "after", || {
                near.is_revoked(Revocable::Token(&after))
            })
            .await;
        }
    });
}

#[test]
fn revoked_without_the_store_is_refused_here_at_once_and_everywhere_once_it_is_back() {
    let server = Postgres::start();
    Runtime::new().unwrap().block_on(async {
        let (a, b) = (
            host(place(&server.url)).await,
            host(place(&server.url)).await,
        );
        server.stop();
        let long = Duration::from_secs(20);
        let token = Revocable::Token("stolen");
        let error = a.revoke(token, None, NOW).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("this host refuses it from now on"), "{text}");
        assert!(error.help().contains("do it again"), "{}", error.help());
        assert!(a.is_revoked(token) && !b.is_revoked(token));
        assert_eq!(a.count_owed(), 1);
        until(long, "lost", || b.outage().is_some()).await;
        a.revoke(token, None, NOW).await.unwrap_err();
        assert_eq!(a.count_owed(), 1, "it is one");
        server.again();
        until(long, "everywhere", || b.is_revoked(token)).await;
        until(SECOND, "written", || a.count_owed() == 0).await;
        // Who ends in time writes it, too.
        let late = host(place(&server.url)).await;
        assert!(late.is_revoked(token));
    });
}

#[test]
fn host_that_vanishes_in_the_middle_of_a_change_keeps_nobody_from_revoking() {
    let server = Postgres::start();
    let (network, url) = behind_a_network(&server);
    let network = Arc::new(network);
    Runtime::new().unwrap().block_on(async {
        let near = host(place(&server.url)).await;
        let far = Arc::new(Store::open(place(&url)).await.unwrap());
        let slow = Way::Latency(Duration::from_millis(300));
        let set = async |way| {
            let network = Arc::clone(&network);
            let set = tokio::task::spawn_blocking(move || network.set(way));
            set.await.unwrap();
        };
        set(slow).await;
        let vanishing = tokio::spawn({
            let far = Arc::clone(&far);
            async move { far.revoke(Revocable::Token("far"), None, NOW).await }
        });
        let holds = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND granted";
        until(3 * SECOND, "the lock", || server.ask(holds) == "1").await;
        set(Way::BlackHole).await;
        vanishing.await.unwrap().unwrap_err();
        let begun = Instant::now();
        while near
            .revoke(Revocable::Token("near"), None, NOW)
            .await
            .is_err()
        {
            assert!(begun.elapsed() < 10 * SECOND, "the lock is held for ever");
        }
    });
}

#[test]
fn database_that_comes_back_without_its_last_changes_is_followed_from_there() {
    let server = Postgres::start();
    Runtime::new().unwrap().block_on(async {
        let (a, b) = (host(place(&server.url)).await, host(place(&server.url)).await);
        for n in 0..5 {
            revoke(&a, &n.to_string()).await;
        }
        until(SECOND, "before", || b.is_revoked(Revocable::Token("4"))).await;
        // As a standby that had not everything yet, and where something else was done since.
        server.run(
            "DELETE FROM changes; INSERT INTO revoked (id, until, at) VALUES ('token meanwhile', NULL, 0)",
        );
        server.stop();
        let long = Duration::from_secs(20);
        until(long, "lost", || a.outage().is_some() && b.outage().is_some()).await;
        server.again();
        until(long, "back", || a.outage().is_none() && b.outage().is_none()).await;
        revoke(&a, "after").await;
        let known = |id| b.is_revoked(Revocable::Token(id));
        until(SECOND, "after", || known("after")).await;
        until(SECOND, "meanwhile", || known("meanwhile")).await;
        assert!(known("4"), "nothing that was revoked is good again");
    });
}
