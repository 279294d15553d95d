//! What is kept for all hosts and over a restart, on either database.

use std::sync::Arc;
use std::time::Duration;

use countersign::accounts::bots::NewBot;
use countersign::accounts::lasting::{Lasting, Owner};
use countersign::accounts::store::{Location, Revocable, Store};
use countersign::config::shapes::{Expiry, TokenForm};
use countersign_tests::Folder;
use countersign_tests::postgres::Postgres;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tokio::runtime::Runtime;

use super::{NOW, place};
use crate::oauth2::bots::now;

/// A day: what is no good any more is kept for so long.
const DAY: u64 = 24 * 3_600;

#[test]
fn kept_on_sqlite() {
    let folder = Folder::new();
    let place = Location::Sqlite(folder.join("store.db"));
    let runtime = Runtime::new().unwrap();
    runtime.block_on(suite(&place));
    runtime.block_on(over(&place, async |statements| {
        let options = SqliteConnectOptions::new().filename(folder.join("store.db"));
        let mut connection = options.connect().await.unwrap();
        let statements = sqlx::raw_sql(sqlx::AssertSqlSafe(statements));
        statements.execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }));
}

#[test]
fn kept_on_postgres() {
    let server = Postgres::start();
    let runtime = Runtime::new().unwrap();
    runtime.block_on(suite(&place(&server.url)));
    runtime.block_on(over(&place(&server.url), async |statements: String| {
        server.run(&statements);
    }));
}

async fn suite(place: &Location) {
    let store = Arc::new(Store::open(place.clone()).await.unwrap());
    used_once_by_whoever_is_first(&store).await;
    revoked_is_revoked_for_the_longest_time(&store).await;
    let secret = store.secret("throttle").await.unwrap();
    assert_ne!(secret, store.secret("other").await.unwrap());
    assert!(store.put_ring("shared", 0, "content", NOW).await.unwrap());
    used_last(&store, place).await;
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

async fn used_last(store: &Store, place: &Location) {
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
    // This host knows it at once; nobody waits until it is written.
    assert_eq!(used("token 0").await, Some(NOW + 60));
    let elsewhere = Store::open(place.clone()).await.unwrap();
    let written = async |id: &str| elsewhere.token(id).await.unwrap().unwrap().last_used_at;
    assert_eq!(written("token 0").await, None);
    store.write_touched().await.unwrap();
    assert_eq!(written("token 0").await, Some(NOW + 60));
    assert_eq!(used("token 0").await, Some(NOW + 60));
    assert_eq!(used("token 1").await, Some(NOW + 70));
    assert_eq!(used("token 2").await, None);
    // Another host has seen a later use.
    store.touch("token 0", NOW + 50);
    assert_eq!(used("token 0").await, Some(NOW + 60));
    store.write_touched().await.unwrap();
    assert_eq!(used("token 0").await, Some(NOW + 60));
    store.touch("token 1", NOW + 90);
    for n in 0..3_000 {
        store.touch(&format!("token {n}"), NOW + 80);
    }
    // The rest at the end.
}

/// A token as a row: when it expires, was revoked, was replaced.
const TOKENS: &str = "INSERT INTO tokens (id, kind, owner, name, form, hash, audience, kid, principal, expiry, created_at, created_by, expires_at, revoked_at, ends_at) ";

/// What is over long ago is forgotten, however much it is; what is not, stays.
async fn over<F: AsyncFn(String)>(place: &Location, run: F) {
    let month = 30 * DAY;
    let (now, never) = (now(), "NULL".to_owned());
    let ago = |seconds: u64| (now - seconds).to_string();
    let (long, lately, soon) = (ago(month + 60), ago(month - 60), (now + 60).to_string());
    let mut kept = Vec::new();
    for (n, (expires, revoked, stays)) in [
        (&long, &never, false),
        (&long, &long, false),
        (&never, &long, false),
        (&lately, &never, true),
        (&long, &lately, true),
        (&lately, &long, true),
        // Its signature is good until then.
        (&soon, &long, true),
        (&soon, &never, true),
        (&never, &lately, true),
        (&never, &never, true),
    ]
    .into_iter()
    .enumerate()
    {
        run(format!(
            "{TOKENS} VALUES ('row {n}', 'user', 'a:b', '', 'jwt', 'row {n}', '', '', '', '7', 1, 'ada', {expires}, {revoked}, NULL)"
        ))
        .await;
        kept.push((format!("row {n}"), stays));
    }
    // More than one statement takes.
    let many = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 12000) ";
    let day = ago(DAY + 60);
    for insert in [
        format!(
            "{TOKENS} SELECT 'many ' || n, 'user', 'a:b', '', 'jwt', 'many ' || n, '', '', '', '7', 1, 'ada', {long}, NULL, NULL FROM n"
        ),
        format!("INSERT INTO used (id, until) SELECT 'many ' || n, {day} FROM n"),
        format!("INSERT INTO revoked (id, until, at) SELECT 'token many ' || n, {day}, 1 FROM n"),
        format!(
            "INSERT INTO derived (id, parent, until) SELECT 'many ' || n, 'bot x', {day} FROM n"
        ),
        format!(
            "INSERT INTO changes (seq, topic, subject, at) SELECT 1000 + n, 'x', 'x', {day} FROM n"
        ),
        format!(
            "INSERT INTO grants (id, client, principal, audience, generation, advanced_at, created_at, ends_at) SELECT 'many ' || n, '', '', '', 0, 1, 1, {day} FROM n"
        ),
        format!(
            "INSERT INTO refresh_tokens (hash, grant_id, generation, created_at, expires_at, access_id, access_until) SELECT 'many ' || n, 'many ' || n, 0, 1, {day}, 'many ' || n, {day} FROM n"
        ),
        format!(
            "INSERT INTO devices (hash, user_code, client, audience, address, network, created_at, expires_at, pause, polled_at, state, principal) SELECT 'many ' || n, 'many ' || n, '', '', '', '', 1, {day}, 5, 0, 'pending', '' FROM n"
        ),
    ] {
        // PostgreSQL and SQLite both take the list before the insertion.
        run(format!("{many} {insert}")).await;
    }
    // Whose tokens somebody may still show stay, and so do their grants.
    run(format!("INSERT INTO refresh_tokens (hash, grant_id, generation, created_at, expires_at, access_id, access_until) VALUES ('good', 'many 1', 0, 1, {day}, 'good', {soon})")).await;
    let store = Store::open(place.clone()).await.unwrap();
    store.tidy_up(now).await.unwrap();
    for (id, stays) in kept {
        assert_eq!(store.token(&id).await.unwrap().is_some(), stays, "{id}");
    }
    assert_eq!(store.client_of("good").await.unwrap().as_deref(), Some(""));
    store.close().await;
    // The insertion fails where a table has more rows.
    for (table, left) in [
        ("tokens", 10),
        ("used", 10),
        ("revoked", 10),
        ("derived", 10),
        ("changes", 10),
        ("grants", 10),
        ("refresh_tokens", 10),
        ("devices", 10),
    ] {
        run(format!("CREATE TABLE few_{table} (n BIGINT CHECK (n <= {left})); INSERT INTO few_{table} SELECT COUNT(*) FROM {table}")).await;
    }
}
