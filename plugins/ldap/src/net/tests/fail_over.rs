//! L09, L11: servers that are down, deaf or busy cost one login something, once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::scripted::{Script, Scripted};
use super::*;

const CONNECT: Duration = Duration::from_millis(600);

async fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("ldap://{}", listener.local_addr().unwrap())
}

/// A listener whose queue is full: connections to it are neither made nor refused.
async fn black_hole() -> (String, TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut filling = Vec::new();
    while let Ok(Ok(stream)) =
        tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(address)).await
    {
        filling.push(stream);
    }
    (format!("ldap://{address}"), listener, filling)
}

async fn timed(directory: &Directory) -> Duration {
    let begun = Instant::now();
    search(directory).await.unwrap();
    directory.bind("uid=ada", &password()).await.unwrap();
    begun.elapsed()
}

#[tokio::test]
async fn refused_first_server_is_passed_over() {
    let second = Scripted::start(Script::default()).await;
    let directory = directory(&[refusing().await, second.url()]);
    assert!(timed(&directory).await < CONNECT);
    assert_eq!(directory.service().await.unwrap().server(), second.url());
}

async fn costs_one_login_the_connect_timeout(first: String) {
    let second = Scripted::start(Script::default()).await;
    let directory = Arc::new(directory(&[first, second.url()]));
    let mut logins = JoinSet::new();
    for _ in 0..40 {
        let directory = directory.clone();
        logins.spawn(async move { timed(&directory).await });
    }
    let took = logins.join_all().await;
    let slow = took.iter().filter(|took| **took >= CONNECT).count();
    assert_eq!(slow, 1, "{took:?}");
    assert!(
        timed(&directory).await < Duration::from_millis(200),
        "it is remembered"
    );
}

#[tokio::test]
async fn silent_first_server_costs_one_login_the_connect_timeout() {
    let first = Scripted::start(Script {
        silent: true,
        ..Script::default()
    })
    .await;
    costs_one_login_the_connect_timeout(first.url()).await;
    assert_eq!(
        first.binds(),
        0,
        "no password is sent to who does not speak"
    );
}

#[tokio::test]
async fn black_holed_first_server_costs_one_login_the_connect_timeout() {
    let (first, _listener, _filling) = black_hole().await;
    costs_one_login_the_connect_timeout(first).await;
}

#[tokio::test]
async fn busy_server_is_put_aside() {
    for code in [51, 52] {
        let first = Scripted::start(Script {
            bind: code,
            ..Script::default()
        })
        .await;
        let second = Scripted::start(Script::default()).await;
        let directory = directory(&[first.url(), second.url()]);
        search(&directory).await.unwrap();
        search(&directory).await.unwrap();
        assert_eq!((first.binds(), second.binds()), (1, 1));
    }
}

#[tokio::test]
async fn search_that_a_server_cannot_do_now_is_done_by_another() {
    let first = Scripted::start(Script::default()).await;
    let second = Scripted::start(Script {
        entries: 1,
        ..Script::default()
    })
    .await;
    let directory = directory(&[first.url(), second.url()]);
    search(&directory).await.unwrap();
    first.play(|script| script.search = 52);
    assert_eq!(search(&directory).await.unwrap().len(), 1);
    first.play(|script| script.search = 0);
    second.play(|script| script.search = 51);
    assert!(
        search(&directory).await.is_ok(),
        "when all are aside, all are tried"
    );
}

#[tokio::test]
async fn only_server_is_tried_each_time() {
    let only = Scripted::start(Script {
        silent: true,
        ..Script::default()
    })
    .await;
    let directory = directory(&[only.url()]);
    assert!(is_unavailable(&search(&directory).await));
    assert!(is_unavailable(
        &directory.bind("uid=ada", &password()).await
    ));
    assert!(is_unavailable(&directory.health().await));
    only.play(|script| script.silent = false);
    search(&directory).await.unwrap();
    directory.health().await.unwrap();
}

#[tokio::test]
async fn many_logins_learn_together_that_the_only_server_is_down() {
    let (url, _listener, _filling) = black_hole().await;
    let directory = Arc::new(directory(&[url]));
    let begun = Instant::now();
    let mut logins = JoinSet::new();
    for _ in 0..100 {
        let directory = directory.clone();
        logins.spawn(async move { is_unavailable(&search(&directory).await) });
    }
    assert!(logins.join_all().await.into_iter().all(|is| is));
    assert!(begun.elapsed() < CONNECT * 2);
}

#[tokio::test]
async fn late_search_is_unavailable_and_its_connection_closed() {
    let server = Scripted::start(Script {
        slow_searches: true,
        ..Script::default()
    })
    .await;
    let directory = directory(&[server.url()]);
    assert!(is_unavailable(&search(&directory).await));
    server.play(|script| script.slow_searches = false);
    let before = server.connections();
    search(&directory).await.unwrap();
    assert_eq!(
        server.connections(),
        before + 1,
        "the old one is not used again"
    );
}

#[tokio::test]
async fn dead_connection_is_replaced_without_a_word() {
    let server = Scripted::start(Script {
        entries: 1,
        ..Script::default()
    })
    .await;
    let directory = directory(&[server.url()]);
    for _ in 0..5 {
        search(&directory).await.unwrap();
        directory.bind("uid=ada", &password()).await.unwrap();
        server.cut();
    }
}

#[tokio::test]
async fn server_that_dies_of_searches_is_left_for_another() {
    let first = Scripted::start(Script {
        dies_of_searches: true,
        ..Script::default()
    })
    .await;
    let second = Scripted::start(Script::default()).await;
    let directory = directory(&[first.url(), second.url()]);
    search(&directory).await.unwrap();
    assert_eq!(first.connections(), 2, "the first one may have been stale");
    search(&directory).await.unwrap();
    assert_eq!(first.connections(), 2, "it is remembered");
}
