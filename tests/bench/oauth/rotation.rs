//! The provider takes new keys into use while logins go on, as providers do: the old ones stay until their
//! tokens have ended.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use countersign_tests::Folder;
use countersign_tests::oidc::Oidc;

use super::{lasting, start};
use crate::load::{self, Connection};
use crate::table::{Row, Target};

const ROTATIONS: usize = 10;
const CONNECTIONS: usize = 16;
/// Longer than `cache.refetch`, after which a new key may be fetched.
const PERIOD: Duration = Duration::from_millis(500);

pub(super) fn measure() -> Vec<Row> {
    let provider = Oidc::start();
    let folder = Folder::new();
    let server = start(
        &folder,
        &provider,
        "algorithm: EdDSA",
        ", cache: { refetch: 100ms }",
    );
    let current = Mutex::new(load::bearer(&lasting(&provider, "amelia")));
    let (stop, failed, done) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            load::run(async {
                let each = (0..CONNECTIONS).map(|_| async {
                    let mut connection = Connection::open(server.address).await;
                    while !stop.load(Ordering::Relaxed) {
                        let request = current.lock().unwrap().clone();
                        let status = connection.ask(&request).await;
                        failed.fetch_add(u64::from(status != 201), Ordering::Relaxed);
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                });
                futures_util::future::join_all(each).await;
            });
        });
        for _ in 0..ROTATIONS {
            thread::sleep(PERIOD);
            provider.rotate("add");
            *current.lock().unwrap() = load::bearer(&lasting(&provider, "amelia"));
        }
        thread::sleep(PERIOD);
        stop.store(true, Ordering::Relaxed);
    });
    let [failed, done] = [failed, done].map(AtomicU64::into_inner);
    vec![Row {
        name: format!("bearer logins failed through {ROTATIONS} rotations of the provider's keys")
            .into(),
        value: failed as f64,
        measured: format!("{failed} of {done}"),
        reference: format!("{} fetches", provider.count("/jwks")),
        unit: "",
        target: Target::AtMost(0.0),
        note: String::new(),
    }]
}
