//! Ten thousand tokens, each with a key that nobody has heard of, a thousand a second: how often the provider
//! is asked, and what logins with good tokens take meanwhile.

use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use countersign_tests::Folder;
use countersign_tests::oidc::Oidc;
use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use super::{lasting, p99, start};
use crate::load::{self, Connection};
use crate::table::{Row, Target};

const TOKENS: usize = 10_000;
const CONNECTIONS: usize = 16;
const PACE: Duration = Duration::from_millis(1);
/// Of the good tokens: as long as the flood.
const PROBES: usize = 2_000;
const PROBE: Duration = Duration::from_millis(5);
/// `cache.refetch`; ten of them pass meanwhile.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) fn measure() -> Vec<Row> {
    let provider = Oidc::start();
    let folder = Folder::new();
    let server = start(
        &folder,
        &provider,
        "algorithm: EdDSA",
        ", cache: { refetch: 1s }",
    );
    let good = lasting(&provider, "amelia");
    let probe = load::bearer(&good);
    let latencies = || p99(load::latencies(server.address, &probe, 201, PROBE, PROBES));
    let quiet = latencies();

    let rest = good.split_once('.').unwrap().1;
    let forged: Vec<Vec<u8>> = (0..TOKENS)
        .map(|number| json!({ "alg": "RS256", "typ": "at+jwt", "kid": format!("k{number}") }))
        .map(|header| BASE64_URL_SAFE_NO_PAD.encode(header.to_string()))
        .map(|header| load::bearer(&format!("{header}.{rest}")))
        .collect();
    let before = provider.count("/jwks");
    let (flooded, lasted) = thread::scope(|scope| {
        let flood = scope.spawn(|| {
            let begun = Instant::now();
            load::run(flood(server.address, &forged));
            begun.elapsed()
        });
        (latencies(), flood.join().unwrap())
    });
    let fetches = provider.count("/jwks") - before;
    let intervals = (lasted.as_secs_f64() / INTERVAL.as_secs_f64()).ceil();
    vec![
        Row {
            name: format!("key set fetches an interval, {TOKENS} unknown kids").into(),
            value: fetches as f64 / intervals,
            measured: format!("{fetches} fetches"),
            reference: format!("{intervals} intervals of 1 s"),
            unit: "",
            target: Target::AtMost(1.0),
            note: String::new(),
        },
        Row {
            name: "p99 of good bearer logins during that flood".into(),
            value: flooded / quiet,
            measured: format!("{flooded:.2} ms"),
            reference: format!("{quiet:.2} ms quiet"),
            unit: "",
            target: Target::AtMost(3.0),
            note: "a thousand forged tokens a second beside two hundred good ones".to_owned(),
        },
    ]
}

/// Each connection sends its share at its own pace.
async fn flood(server: std::net::SocketAddr, forged: &[Vec<u8>]) {
    let each = forged.chunks(TOKENS / CONNECTIONS).map(|share| async move {
        let mut connection = Connection::open(server).await;
        let mut ticks = interval(PACE * CONNECTIONS as u32);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for request in share {
            ticks.tick().await;
            assert_eq!(connection.ask(request).await, 401);
        }
    });
    futures_util::future::join_all(each).await;
}
