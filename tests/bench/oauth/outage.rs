//! The provider is gone, its keys are cached and no longer fresh: tokens that it signed go on; one that it must be
//! asked about is answered 503 when the time for one request is over.

use std::time::{Duration, Instant};

use countersign_tests::Folder;
use countersign_tests::oidc::Oidc;
use serde_json::json;

use super::{lasting, start};
use crate::load::{self, Connection};
use crate::sample::median;
use crate::table::{Row, Target};

const LOGINS: usize = 2_000;
/// In all twenty times as long as the keys are fresh.
const PACE: Duration = Duration::from_millis(1);
const OPAQUE: usize = 5;
/// `timeout`.
const DEADLINE: Duration = Duration::from_secs(1);

pub(super) fn measure() -> Vec<Row> {
    let provider = Oidc::start();
    let folder = Folder::new();
    let [id, secret] = Oidc::INTROSPECTION;
    let more = format!(
        ", client_id: {id}, client_secret: {secret}, timeout: 1s, cache: {{ refetch: 100ms, fresh: 100ms }}"
    );
    let server = start(&folder, &provider, "algorithm: EdDSA", &more);
    let jwt = load::bearer(&lasting(&provider, "amelia"));
    let opaque = load::bearer("a-token-that-only-the-provider-can-judge");
    load::run(async {
        let mut connection = Connection::open(server.address).await;
        assert_eq!(connection.ask(&jwt).await, 201);
        assert_eq!(connection.ask(&opaque).await, 401);
    });

    provider
        .fault(&json!({ "path": "/token/introspection", "delay_ms": 60_000, "count": OPAQUE + 1 }));
    let silent = load::run(async {
        let mut connection = Connection::open(server.address).await;
        let mut times = Vec::new();
        for _ in 0..OPAQUE {
            let begun = Instant::now();
            assert_eq!(connection.ask(&opaque).await, 503);
            times.push(begun.elapsed().as_secs_f64());
        }
        times
    });
    provider.stop();
    let (failed, refused) = load::run(async {
        let mut connection = Connection::open(server.address).await;
        let mut failed = 0;
        let mut ticks = tokio::time::interval(PACE);
        for _ in 0..LOGINS {
            ticks.tick().await;
            failed += usize::from(connection.ask(&jwt).await != 201);
        }
        let begun = Instant::now();
        assert_eq!(connection.ask(&opaque).await, 503);
        (failed, begun.elapsed().as_secs_f64())
    });
    vec![
        Row {
            name: format!("of {LOGINS} JWT logins failed, provider down, keys cached").into(),
            value: failed as f64,
            measured: format!("{failed} failed"),
            reference: "stale for 2 s".to_owned(),
            unit: "",
            target: Target::AtMost(0.0),
            note: String::new(),
        },
        Row {
            name: "opaque token, provider silent: 503 after".into(),
            value: median(silent) / DEADLINE.as_secs_f64(),
            measured: format!("{:.0} ms once it refuses", 1000.0 * refused),
            reference: "deadline 1 s".to_owned(),
            unit: "",
            target: Target::AtMost(1.2),
            note: "in deadlines".to_owned(),
        },
    ]
}
