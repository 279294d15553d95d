//! New keys at the provider, and tokens that claim keys which nobody has.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use countersign_tests::oidc::Oidc;
use countersign_tests::{Folder, Server};
use serde_json::json;

use super::*;

#[test]
fn no_login_fails_while_the_provider_rotates_its_keys() {
    let provider = Oidc::start();
    let folder = Folder::new();
    let config = sso(&provider, ", cache: { refetch: 1ms }");
    let server = Server::start(&folder, &config);
    claims(&server, &provider.token("amelia"));
    let (stop, logins) = (AtomicBool::new(false), AtomicU64::new(0));
    let jwt = std::sync::Mutex::new(provider.token("amelia"));
    thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let current = jwt.lock().unwrap().clone();
                        let answer = bearer(&server, &current);
                        assert_eq!(answer.status, 201, "{answer:?}");
                        logins.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for _ in 0..5 {
            // The old key stays until its tokens have ended, as providers do it.
            provider.rotate("add");
            *jwt.lock().unwrap() = provider.token("bob");
            let seen = logins.load(Ordering::Relaxed);
            while logins.load(Ordering::Relaxed) < seen + 20 {
                if workers.iter().any(thread::ScopedJoinHandle::is_finished) {
                    break;
                }
                thread::yield_now();
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(logins.load(Ordering::Relaxed) >= 100);
    assert!(provider.count("/jwks") <= 12, "{}", provider.count("/jwks"));
}

#[test]
fn key_that_the_provider_withdrew_is_taken_no_more_once_the_set_is_fetched() {
    let provider = Oidc::start();
    let folder = Folder::new();
    let server = Server::start(&folder, &sso(&provider, ", cache: { refetch: 1ms }"));
    let old = provider.token("amelia");
    claims(&server, &old);
    provider.rotate("replace");
    claims(&server, &provider.token("amelia"));
    assert_eq!(bearer(&server, &old).status, 401);
}

#[test]
fn flood_of_unknown_kids_asks_the_provider_once_an_interval() {
    let provider = Oidc::start();
    let folder = Folder::new();
    // The default interval is a minute, longer than this test.
    let server = start(&folder, &provider);
    let good = provider.token("amelia");
    claims(&server, &good);
    let before = provider.count("/jwks");
    let forged: Vec<String> = (0..20)
        .map(|n| json!({ "user": "amelia", "header": { "kid": format!("k{n}") } }))
        .map(|what| provider.forge(&what))
        .collect();
    thread::scope(|scope| {
        for part in forged.chunks(5) {
            scope.spawn(|| {
                for jwt in part.iter().cycle().take(50) {
                    assert_eq!(bearer(&server, jwt).status, 401);
                    claims(&server, &good);
                }
            });
        }
    });
    let fetched = provider.count("/jwks") - before;
    assert!(fetched <= 1, "{fetched} fetches");
}
