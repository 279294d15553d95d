//! What is kept for all hosts and over a restart, on either database.

use std::sync::Arc;
use std::time::Duration;

use countersign::accounts::bots::NewBot;
use countersign::accounts::lasting::{Lasting, Owner};
use countersign::accounts::store::{Location, Revocable, Store};
use countersign::config::shapes::{Expiry, TokenForm};
use countersign_tests::Folder;
use countersign_tests::postgres::Postgres;
use tokio::runtime::Runtime;

use super::{NOW, place};

/// A day: what is no good any more is kept for so long.
const DAY: u64 = 24 * 3_600;

#[test]
fn kept_on_sqlite() {
    let folder = Folder::new();
    let place = Location::Sqlite(folder.join("store.db"));
    Runtime::new().unwrap().block_on(suite(&place));
}

#[test]
fn kept_on_postgres() {
    let server = Postgres::start();
    Runtime::new().unwrap().block_on(suite(&place(&server.url)));
}

async fn suite(place: &Location) {
    let store = Arc::new(Store::open(place.clone()).await.unwrap());
    used_once_by_whoever_is_first(&store).await;
    revoked_is_revoked_for_the_longest_time(&store).await;
    let secret = store.secret("throttle").await.unwrap();
    assert_ne!(secret, store.secret("other").await.unwrap());
    assert!(store.put_ring("shared", 0, "content", NOW).await.unwrap());
    used_last(&store).await;
    assert!(store.lease("keys", Duration::from_secs(60)).await.unwrap());
    assert_eq!(store.outage(), None);
    store.close().await;

    let again = Store::open(place.clone()).await.unwrap();
    assert!(!again.use_up("a", NOW + 60, NOW).await.unwrap());
    assert!(again.is_revoked(Revocable::Token("long")));
    assert!(again.is_revoked(Revocable::Session("s")));
    assert!(again.is_revoked(Revocable::Key("k")));
    assert_eq!(again.secret("throttle").await.unwrap(), secret);
    let ring = again.ring("shared").await.unwrap().unwrap();
    assert_eq!((ring.version, ring.content.as_str()), (1, "content"));
    let keys = again.lease("keys", Duration::from_secs(60)).await;
    assert!(keys.unwrap(), "who ended gave it back");
    let token = again.token("token 1").await.unwrap().unwrap();
    assert_eq!(token.last_used_at, Some(NOW + 90), "written at the end");
    again.close().await;
}

async fn used_once_by_whoever_is_first(store: &Arc<Store>) {
    let attempts = (0..16).map(|_| {
        let store = Arc::clone(store);
        tokio::spawn(async move { store.use_up("a", NOW + 60, NOW).await.unwrap() })
    });
    let mut first = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        first += usize::from(attempt.await.unwrap());
    }
    assert_eq!(first, 1);
    assert!(store.use_up("b", NOW + 60, NOW).await.unwrap());
    // Clocks differ: its end alone makes it no new one.
    assert!(!store.use_up("b", NOW + 120, NOW + 61).await.unwrap());
    let later = NOW + 60 + DAY;
    assert!(store.use_up("b", later + 60, later).await.unwrap());
    assert!(!store.use_up("b", later + 60, later).await.unwrap());
}

async fn revoked_is_revoked_for_the_longest_time(store: &Store) {
    let now = countersign_now();
    let revoke = async |what, until| store.revoke(what, until, now).await.unwrap();
    let long = Revocable::Token("long");
    revoke(long, Some(now + 9 * DAY)).await;
    revoke(long, Some(now - 9 * DAY)).await;
    revoke(Revocable::Session("s"), Some(now)).await;
    revoke(Revocable::Key("k"), None).await;
    for what in [long, Revocable::Session("s"), Revocable::Key("k")] {
        assert!(store.is_revoked(what));
    }
    assert!(!store.is_revoked(Revocable::Key("long")));
    assert!(!store.is_revoked(Revocable::Token("k")));
}

fn countersign_now() -> u64 {
    countersign::clock::unix_now()
}

async fn used_last(store: &Store) {
    let bot = NewBot {
        name: "ingestion".into(),
        ..NewBot::default()
    };
    let bot = store.create_bot(&bot, "ada", NOW).await.unwrap();
    for n in 0..3 {
        let token = Lasting {
            id: format!("token {n}"),
            owner: Owner::Bot(bot.id.clone()),
            name: String::new(),
            form: TokenForm::Jwt,
            audience: None,
            kid: "k".into(),
            principal: None,
            expiry: Expiry::default(),
            created_at: NOW,
            created_by: "ada".into(),
            ends_at: None,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
        };
        store.put_token(&token, &format!("hash {n}")).await.unwrap();
    }
    let used = async |id: &str| store.token(id).await.unwrap().unwrap().last_used_at;
    store.touch("token 0", NOW + 60);
    store.touch("token 1", NOW + 70);
    store.touch("token 1", NOW + 65);
    // Of a token that is gone nothing is written.
    store.touch("no token", NOW);
    store.touch("'; DROP TABLE tokens; --\"\\", NOW);
    assert_eq!(used("token 0").await, None, "nobody waits for it");
    store.write_touched().await.unwrap();
    assert_eq!(used("token 0").await, Some(NOW + 60));
    assert_eq!(used("token 1").await, Some(NOW + 70));
    assert_eq!(used("token 2").await, None);
    // Another host has seen a later use.
    store.touch("token 0", NOW + 50);
    store.write_touched().await.unwrap();
    assert_eq!(used("token 0").await, Some(NOW + 60));
    store.touch("token 1", NOW + 90);
    for n in 0..3_000 {
        store.touch(&format!("token {n}"), NOW + 80);
    }
    // The rest at the end.
}
