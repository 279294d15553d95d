//! How many connections there are, for how long, and whose.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use tokio::task::JoinSet;

use super::super::servers::Source;
use super::scripted::{Script, Scripted};
use super::*;

fn pooled(url: String, pool: Value) -> Directory {
    let mut settings = settings(&[url]);
    settings["pool"] = pool;
    open(settings).unwrap()
}

#[tokio::test]
async fn service_connections_are_bounded_under_many_logins() {
    let delay = Duration::from_millis(20);
    let server = Scripted::start(Script {
        delay,
        ..Script::default()
    })
    .await;
    let directory = Arc::new(pooled(server.url(), json!({ "size": 2 })));
    let mut logins = JoinSet::new();
    for _ in 0..200 {
        let directory = directory.clone();
        logins.spawn(async move { search(&directory).await.map(drop) });
    }
    assert!(logins.join_all().await.iter().all(Result::is_ok));
    assert_eq!(server.connections(), 2);
    assert_eq!(server.binds(), 2);
}

#[tokio::test]
async fn full_pool_is_waited_for_no_longer_than_an_operation() {
    let server = Scripted::start(Script::default()).await;
    let directory = pooled(server.url(), json!({ "size": 1 }));
    let mut held = Vec::new();
    for _ in 0..64 {
        held.push(directory.service().await.unwrap());
    }
    let refused = directory.service().await.map(drop);
    assert!(matches!(&refused, Err(Trouble::Unavailable(why)) if why.contains("pool.size")));
    held.pop();
    directory.service().await.unwrap();
}

#[tokio::test]
async fn far_server_is_used_by_many_at_once() {
    let delay = Duration::from_millis(100);
    let server = Scripted::start(Script {
        delay,
        ..Script::default()
    })
    .await;
    let directory = Arc::new(directory(&[server.url()]));
    let all = async || {
        let begun = Instant::now();
        let mut logins = JoinSet::new();
        for _ in 0..100 {
            let directory = directory.clone();
            logins.spawn(async move {
                search(&directory).await.unwrap();
                directory
                    .bind("uid=ada", &password())
                    .await
                    .map(drop)
                    .unwrap();
            });
        }
        logins.join_all().await;
        begun.elapsed()
    };
    all().await; // opens what is needed
    let took = all().await;
    assert!(
        took < Duration::from_millis(600),
        "two round trips took {took:?}"
    );
}

#[tokio::test]
async fn idle_connections_are_closed_with_a_goodbye() {
    let server = Scripted::start(Script::default()).await;
    let directory = pooled(server.url(), json!({ "idle": "1s" }));
    search(&directory).await.unwrap();
    directory.bind("uid=ada", &password()).await.unwrap();
    until(|| server.counts.open.load(Ordering::SeqCst) == 0).await;
    assert_eq!(server.counts.unbinds.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn old_connection_is_replaced() {
    let server = Scripted::start(Script::default()).await;
    let directory = pooled(server.url(), json!({ "lifetime": "300ms" }));
    search(&directory).await.unwrap();
    search(&directory).await.unwrap();
    assert_eq!(server.connections(), 1);
    until(|| server.counts.unbinds.load(Ordering::SeqCst) == 1).await;
    search(&directory).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn waiting_connection_is_nobodys() {
    let server = Scripted::start(Script::default()).await;
    let directory = directory(&[server.url()]);
    for _ in 0..3 {
        directory.bind("uid=ada", &password()).await.unwrap();
    }
    assert_eq!(server.connections(), 1, "one user after another");
    until(|| server.counts.anonymous_binds.load(Ordering::SeqCst) == 1).await;
    // The server has answered; the answer may still be on its way.
    until(|| resting(&directory) == 1).await;
    directory.bind("uid=ada", &password()).await.unwrap();
    assert_eq!(server.connections(), 1);
}

/// Connections of the only server that no user is on.
fn resting(directory: &Directory) -> usize {
    match directory.0.servers.sources.as_slice() {
        [Source::Fixed(server)] => server.spares.resting(),
        _ => 0,
    }
}

#[tokio::test]
async fn user_never_comes_onto_a_service_connection() {
    let server = Scripted::start(Script::default()).await;
    let directory = directory(&[server.url()]);
    search(&directory).await.unwrap();
    let mut session = directory.bind("uid=ada", &password()).await.unwrap();
    assert_eq!((server.connections(), server.binds()), (2, 2));
    let filter = Filter::equals("uid", "ada");
    let query = Query {
        base: "dc=test",
        depth: Reach::One,
        filter: &filter,
        attributes: &[],
        most: 1,
    };
    session.search(&query).await.unwrap();
    drop(session);
    search(&directory).await.unwrap();
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn shutdown_says_goodbye_and_opens_nothing_more() {
    let server = Scripted::start(Script::default()).await;
    let directory = directory(&[server.url()]);
    search(&directory).await.unwrap();
    directory.bind("uid=ada", &password()).await.unwrap();
    directory.shutdown().await;
    until(|| server.counts.unbinds.load(Ordering::SeqCst) == 2).await;
    assert!(is_unavailable(&search(&directory).await));
    assert!(is_unavailable(
        &directory.bind("uid=ada", &password()).await
    ));
}

#[tokio::test]
async fn shutdown_leaves_a_login_that_is_under_way_its_connection() {
    let server = Scripted::start(Script::default()).await;
    let directory = directory(&[server.url()]);
    let mut session = directory.service().await.unwrap();
    directory.shutdown().await;
    let filter = Filter::equals("uid", "ada");
    let query = Query {
        base: "dc=test",
        depth: Reach::One,
        filter: &filter,
        attributes: &[],
        most: 1,
    };
    session.search(&query).await.unwrap();
    drop(session);
    until(|| server.counts.unbinds.load(Ordering::SeqCst) == 1).await;
}
