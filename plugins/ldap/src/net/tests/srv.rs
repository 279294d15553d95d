//! Servers that DNS names.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::srv::{Found, Record, Resolver};
use super::scripted::{Script, Scripted};
use super::*;

struct Dns {
    records: Vec<Record>,
    asked: AtomicUsize,
}

impl Resolver for Dns {
    fn srv<'a>(&'a self, name: &'a str) -> Pin<Box<dyn Future<Output = Found> + Send + 'a>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            match name {
                "_ldap._tcp.localhost." | "_ldaps._tcp.localhost." => {
                    Ok((self.records.clone(), Duration::from_secs(60)))
                }
                other => Err(format!("{other} is unknown")),
            }
        })
    }
}

fn record(priority: u16, port: u16, target: &str) -> Record {
    Record {
        priority,
        weight: 0,
        port,
        target: target.to_owned(),
    }
}

fn by_dns(url: &str, records: Vec<Record>) -> (Directory, Arc<Dns>) {
    let dns = Arc::new(Dns {
        records,
        asked: AtomicUsize::new(0),
    });
    let mut settings = settings(&[url.to_owned()]);
    settings["plain_text"] = true.into();
    let config = serde_json::from_value(settings).unwrap();
    let cx = testing::cx(&std::env::temp_dir());
    let directory = Directory::open_with(&config, &cx, dns.clone()).unwrap();
    (directory, dns)
}

#[tokio::test]
async fn servers_are_tried_in_the_order_of_their_priority() {
    let first = Scripted::start(Script {
        silent: true,
        ..Script::default()
    })
    .await;
    let second = Scripted::start(Script::default()).await;
    let third = Scripted::start(Script::default()).await;
    let records = vec![
        record(30, third.port, "localhost."),
        record(10, first.port, "localhost."),
        record(20, second.port, "LOCALHOST."),
    ];
    let (directory, dns) = by_dns("ldap+srv://localhost", records);
    for _ in 0..3 {
        search(&directory).await.unwrap();
    }
    assert_eq!((first.connections(), second.connections()), (1, 1));
    assert_eq!(third.connections(), 0);
    assert_eq!(dns.asked.load(Ordering::SeqCst), 1, "its answer is kept");
}

#[tokio::test]
async fn domain_that_dns_does_not_know_is_unavailable() {
    let (directory, _) = by_dns("ldap+srv://example.com", Vec::new());
    assert!(is_unavailable(&search(&directory).await));
    let (directory, _) = by_dns("ldap+srv://localhost", vec![record(1, 389, ".")]);
    assert!(is_unavailable(&search(&directory).await));
}

#[tokio::test]
async fn server_outside_of_its_domain_gets_no_password_over_tls() {
    let server = Scripted::start(Script::default()).await;
    let records = vec![
        record(1, server.port, "127.0.0.1"),
        record(1, server.port, "evil.localhost.evil"),
    ];
    let (directory, _) = by_dns("ldaps+srv://localhost", records);
    assert!(is_unavailable(&search(&directory).await));
    assert_eq!(server.connections(), 0);
}
