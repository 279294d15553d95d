//! Keys and the store together: what holds a key, and when it is looked at again.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::*;
use crate::accounts::lasting::{Lasting, Owner};
use crate::clock;
use crate::config::shapes::{Algorithm, Expiry, TokenForm};

/// A server's state folder with a key that retired long ago, and its store.
struct World {
    config: Config,
    store: Arc<Store>,
    old: String,
}

impl World {
    async fn new() -> World {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("countersign-keyring-{}-{count}", std::process::id());
        let mut config = Config {
            state: std::env::temp_dir().join(name),
            ..Config::default()
        };
        config.keys.algorithm = Algorithm::EdDSA;
        config.keys.lead = Duration::ZERO;
        config.tokens.leeway = Duration::from_secs(3_600);
        std::fs::create_dir(&config.state).unwrap();
        let store = Arc::new(Store::open(Location::of(&config)).await.unwrap());
        let mut world = World {
            config,
            store,
            old: String::new(),
        };
        let old = world.keyring().open().await.unwrap();
        let old = old.shared().active().kid().to_owned();
        let rotate = Order::Rotate { now: false };
        world.keyring().obey(None, &rotate).await.unwrap();
        let index = world.config.state.join("keys/index.json");
        let text = std::fs::read_to_string(&index).unwrap();
        let mut read: serde_json::Value = serde_json::from_str(&text).unwrap();
        for key in read["keys"].as_array_mut().unwrap() {
            if key["state"] == "retiring" {
                key["retired"] = 1_000.into();
            }
        }
        std::fs::write(&index, read.to_string()).unwrap();
        world.old = old;
        world
    }

    fn keyring(&self) -> Keyring {
        Keyring::new(&self.config, Some(&self.store), |_| {}).unwrap()
    }

    /// Is the old key published after a tick? And when comes the next?
    async fn tick(&self) -> (bool, Option<i64>) {
        let ticked = self.keyring().tick().await.unwrap();
        let mut keys = ticked.rings.shared().jwks().keys().iter();
        (keys.any(|key| key.kid == self.old), ticked.next)
    }

    async fn remember(&self, expires_at: u64) {
        let token = Lasting {
            id: "0123456789abcdef0123456789abcdef".into(),
            owner: Owner::User("users:1".into()),
            name: String::new(),
            form: TokenForm::Jwt,
            audience: None,
            kid: self.old.clone(),
            principal: None,
            expiry: Expiry::OneHour,
            created_at: 1_000,
            created_by: "ada".into(),
            expires_at: Some(expires_at),
            revoked_at: None,
            ends_at: None,
            last_used_at: None,
        };
        assert!(self.store.put_token(&token, "").await.unwrap());
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.config.state);
    }
}

#[tokio::test]
async fn r03_key_goes_when_its_last_token_has_expired() {
    let world = World::new().await;
    world.remember(clock::unix_now() - 3_700).await;
    assert_eq!(world.tick().await, (false, None));
}

#[tokio::test]
async fn r03_key_stays_for_the_leeway_after_its_last_remembered_token() {
    let world = World::new().await;
    let expired = clock::unix_now() - 5;
    world.remember(expired).await;
    let at = i64::try_from(expired).unwrap() + 3_600 + 1;
    assert_eq!(world.tick().await, (true, Some(at)));
}

#[tokio::test]
async fn what_is_due_and_cannot_be_done_is_tried_again_later_and_not_at_once() {
    let world = World::new().await;
    world.store.close().await;
    let before = now();
    let (stays, next) = world.tick().await;
    assert!(stays, "the store does not say what holds it");
    assert!(next.unwrap() > before + 1, "{next:?}");
}
