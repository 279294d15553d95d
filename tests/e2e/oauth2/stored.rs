//! Consents and devices as the store keeps them, at times of our own, in SQLite and in PostgreSQL
//! alike.

use countersign::accounts::bots::BotError;
use countersign::accounts::devices::{Begun, NewDevice, Polled};
use countersign::accounts::grants::{GRACE, Grant, Pair, Taken};
use countersign::accounts::store::{Location, Store};
use countersign_tests::Folder;
use countersign_tests::postgres::Postgres;

fn grant(id: &str, ends_at: u64) -> Grant {
    Grant {
        id: id.into(),
        client: "countersign-cli".into(),
        key: None,
        principal: countersign::accounts::Principal {
            backend: "door".into(),
            home: "door".into(),
            user: countersign_abi::User {
                id: "ada".into(),
                ..Default::default()
            },
        },
        audience: None,
        generation: 0,
        ends_at,
    }
}

/// What holds over every kind of store, at times of our own.
async fn suite(store: &Store) {
    const T: u64 = 1_767_225_600;
    let put = async |grant: &Grant, hash: &str, now: u64| {
        let pair = Pair {
            hash,
            expires_at: now + 100,
            access_id: hash,
            access_until: now + 50,
        };
        store.put_refresh(grant, &pair, now).await.unwrap()
    };
    let take = async |hash: &str, now| {
        store
            .take_refresh(hash, "countersign-cli", None, now)
            .await
            .unwrap()
    };
    let first = grant("one", T + 150);
    assert!(store.begin_grant(&first, T).await.unwrap());
    assert!(!store.begin_grant(&first, T).await.unwrap());
    assert!(put(&first, "a", T).await);
    // Too late, by either clock.
    assert!(matches!(take("a", T + 100).await, Taken::Refused(..)));
    let Taken::Next(next) = take("a", T + 99).await else {
        panic!()
    };
    assert_eq!(next.generation, 1);
    assert!(put(&next, "b", T + 99).await);
    assert!(
        matches!(take("b", T + 150).await, Taken::Refused(..)),
        "absolute"
    );
    assert!(matches!(take("b", T + 99).await, Taken::Next(_)));
    assert!(matches!(take("nobody", T).await, Taken::Unknown));

    let second = grant("two", T + 10_000);
    assert!(store.begin_grant(&second, T).await.unwrap());
    assert!(put(&second, "c", T).await);
    let Taken::Next(next) = take("c", T).await else {
        panic!()
    };
    assert!(
        matches!(take("c", T + GRACE).await, Taken::Next(same) if same.generation == next.generation)
    );
    assert!(matches!(take("c", T + GRACE + 1).await, Taken::Reused(_)));
    // Nor is it longer at a host whose clock is behind.
    assert!(matches!(take("c", T - GRACE - 1).await, Taken::Reused(_)));
    store.revoke_grant("two", T).await.unwrap();
    assert!(matches!(take("c", T).await, Taken::Refused(..)));
    assert!(!put(&next, "d", T).await, "it is over");
    assert!(store.is_revoked(countersign::accounts::store::Revocable::Token("c")));
    // A key that is shown once is wanted from then on, at once, too; one that is wanted stays.
    let fourth = grant("four", T + 10_000);
    assert!(store.begin_grant(&fourth, T).await.unwrap());
    assert!(put(&fourth, "e", T).await);
    let with = async |hash: &str, key| {
        let taken = store.take_refresh(hash, "countersign-cli", key, T);
        taken.await.unwrap()
    };
    let Taken::Next(bound) = with("e", Some("key")).await else {
        panic!()
    };
    assert_eq!(bound.key.as_deref(), Some("key"));
    assert!(put(&bound, "f", T).await);
    for (hash, key) in [("e", None), ("f", None), ("f", Some("other"))] {
        assert!(matches!(with(hash, key).await, Taken::Refused(..)));
    }
    let Taken::Next(next) = with("f", Some("key")).await else {
        panic!()
    };
    assert_eq!((next.generation, next.key.as_deref()), (2, Some("key")));
    let found = store.grant_of("f").await.unwrap().unwrap().0;
    assert_eq!(found.key.as_deref(), Some("key"));
    // One that is revoked before it begins never does.
    store.revoke_grant("three", T).await.unwrap();
    assert!(!store.begin_grant(&grant("three", T + 10), T).await.unwrap());
}

/// Devices, over every kind of store.
async fn devices(store: &Store) {
    const T: u64 = 1_767_225_600;
    fn device<'a>(hash: &'a str, user_code: &'a str) -> NewDevice<'a> {
        NewDevice {
            hash,
            user_code,
            client: "countersign-cli",
            audience: Some("lake"),
            address: "192.0.2.1",
            network: "192.0.2.1",
            expires_at: T + 600,
            pause: 5,
        }
    }
    let put = async |hash, code| store.put_device(&device(hash, code), T).await.unwrap();
    assert_eq!(put("a", "BBBBBBBB").await, Begun::Waits);
    assert_eq!(put("b", "BBBBBBBB").await, Begun::Again);
    assert_eq!(put("b", "CCCCCCCC").await, Begun::Waits);
    let poll = async |hash, now| {
        store
            .poll_device(hash, "countersign-cli", now)
            .await
            .unwrap()
    };
    assert!(matches!(poll("a", T).await, Polled::Pending));
    assert!(matches!(poll("a", T + 4).await, Polled::SlowDown));
    assert!(matches!(poll("a", T + 13).await, Polled::SlowDown));
    assert!(matches!(poll("a", T + 28).await, Polled::Pending));
    let other = store.poll_device("a", "another", T).await.unwrap();
    assert!(matches!(other, Polled::Unknown));
    let waiting = store.waiting("BBBBBBBB", T).await.unwrap().unwrap();
    assert_eq!(
        (waiting.address.as_str(), waiting.created_at),
        ("192.0.2.1", T)
    );
    assert!(store.waiting("BBBBBBBB", T + 600).await.unwrap().is_none());
    let ada = grant("x", 0).principal;
    assert!(
        !store
            .answer_device("BBBBBBBB", Some(&ada), T + 600)
            .await
            .unwrap()
    );
    assert!(
        store
            .answer_device("BBBBBBBB", Some(&ada), T)
            .await
            .unwrap()
    );
    assert!(!store.answer_device("BBBBBBBB", None, T).await.unwrap());
    let Polled::Granted(principal, audience) = poll("a", T + 30).await else {
        panic!("not granted")
    };
    assert_eq!(
        (principal.user.id.as_str(), audience.as_deref()),
        ("ada", Some("lake"))
    );
    assert!(
        matches!(poll("a", T + 31).await, Polled::Unknown),
        "told once"
    );
    assert!(store.answer_device("CCCCCCCC", None, T).await.unwrap());
    assert!(matches!(poll("b", T).await, Polled::Denied));
    assert!(matches!(poll("b", T + 600).await, Polled::Expired));
    // A customer of IPv6 has more addresses than anybody could count.
    let mut begun = Vec::new();
    for n in 0..51_u8 {
        let hash = format!("of a network {n}");
        let letters = [b'D' + n / 10, b'F' + n % 10].map(char::from);
        let user_code = String::from_iter(letters).repeat(4);
        let address = format!("2001:db8::{n:x}");
        let device = NewDevice {
            address: &address,
            network: "2001:db8::",
            ..device(&hash, &user_code)
        };
        begun.push(store.put_device(&device, T).await.unwrap());
    }
    assert_eq!(begun[..50], [Begun::Waits; 50]);
    assert_eq!(begun[50], Begun::TooMany);
    assert_eq!(put("c", "ZZZZZZZZ").await, Begun::Waits);
}

/// Names that nobody can have, over every kind of store.
async fn names(store: &Store) {
    for name in ["", "a\0b", "é", &"a".repeat(100_000)] {
        let found = store.bot(name).await;
        assert!(matches!(found, Err(BotError::NoSuchBot(_))), "{found:?}");
    }
}

#[tokio::test]
async fn s06_o14_grants_and_devices_in_sqlite_and_in_postgresql() {
    let folder = Folder::new();
    let place = Location::Sqlite(folder.join("store.db"));
    let store = Store::open(place).await.unwrap();
    suite(&store).await;
    devices(&store).await;
    names(&store).await;
    let postgres = Postgres::start();
    let place = Location::Postgres(postgres.url.clone().into());
    let store = Store::open(place).await.unwrap();
    suite(&store).await;
    devices(&store).await;
    names(&store).await;
}
