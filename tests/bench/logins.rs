//! Logins through the db plugin (its `.so`, a real SQLite file, werkzeug's default
//! hash) against the bare scrypt on as many threads as the plugin's pool has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use countersign_abi::Instance;
use countersign_tests::Folder;
use scrypt::Params;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::plugin;
use crate::sample::median;
use crate::table::{Row, Target};

const ROUNDS: usize = 12;
/// Hashes for each thread and round.
const HASHES: usize = 6;
const PASSWORD: &str = "correct horse";

pub(crate) fn measure() -> Vec<Row> {
    let folder = Folder::new();
    let runtime = Runtime::new().unwrap();
    let config = json!({ "url": "sqlite://{state}/users.db".replace("{state}", folder.path().to_str().unwrap()) });
    let db = Arc::new(runtime.block_on(plugin::instance("db", config, &folder)));
    runtime.block_on(plugin::add_user(&db, "ada", PASSWORD));

    let threads = thread::available_parallelism().map_or(2, usize::from);
    let (mut ours, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        raw.push(rate(threads, || hash_all(threads)));
        ours.push(rate(threads, || runtime.block_on(log_in_all(&db, threads))));
    }
    let ratios = ours.iter().zip(&raw).map(|(ours, raw)| ours / raw);
    vec![Row {
        name: "db logins, scrypt 32768:8:1".into(),
        value: median(ratios.collect()),
        measured: format!("{:.1} a second", median(ours)),
        reference: format!("{:.1} raw hashes, {threads} threads", median(raw)),
        unit: "",
        target: Target::AtLeast(0.9),
        note: String::new(),
    }]
}

/// Hashes a second.
fn rate(threads: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    (threads * HASHES) as f64 / start.elapsed().as_secs_f64()
}

/// All logins of a round at once: what waits, waits in the pool's queue.
async fn log_in_all(db: &Arc<Instance>, threads: usize) {
    let logins: Vec<_> = (0..threads * HASHES)
        .map(|_| tokio::spawn(db.create_token(plugin::login("ada", PASSWORD))))
        .collect();
    for login in logins {
        assert!(login.await.unwrap().unwrap().is_some());
    }
}

/// As many hashes, each thread taking the next when it has done one.
fn hash_all(threads: usize) {
    let params = Params::new(15, 8, 1, 64).unwrap();
    let taken = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                // As nice as the pool: on a busy machine that is worth more than 10 %.
                let _ = rustix::process::setpriority_process(None, 5);
                while taken.fetch_add(1, Ordering::Relaxed) < threads * HASHES {
                    let mut key = [0; 64];
                    scrypt::scrypt(PASSWORD.as_bytes(), b"0123456789abcdef", &params, &mut key)
                        .unwrap();
                    std::hint::black_box(key);
                }
            });
        }
    });
}
