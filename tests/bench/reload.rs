//! Reload with a changed plugin every second, for a minute, under 2,000 requests a
//! second: how many fail.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use countersign_tests::{Folder, Server, artifacts, countersign};
use tokio::time::{MissedTickBehavior, interval};

use crate::load;
use crate::table::{Row, Target};

const SECONDS: usize = 60;
const RATE: u64 = 2_000;
const CONNECTIONS: u64 = 20;

pub(crate) fn measure() -> Vec<Row> {
    let folder = Folder::new();
    let file = folder.plugin(&artifacts::plugin("template"), "template");
    let original = fs::read(&file).unwrap();
    let config = "plugins: { directories: [plugins] }\nkeys: { algorithm: EdDSA }\nbackends:\n  door: { plugin: template, config: { password: door } }\n";
    let server = Server::start(&folder, config);
    let (stop, answered, failed) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let login = load::login("ada", "door");
    let started = Instant::now();
    let mut slowest = Duration::ZERO;
    thread::scope(|scope| {
        scope.spawn(|| {
            load::run(async {
                let each = (0..CONNECTIONS).map(|_| async {
                    let mut connection = load::Connection::open(server.address).await;
                    let mut ticks = interval(
                        Duration::from_secs(1) / u32::try_from(RATE / CONNECTIONS).unwrap(),
                    );
                    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
                    while !stop.load(Ordering::Relaxed) {
                        ticks.tick().await;
                        let ok = connection.ask(&login).await == 201;
                        answered.fetch_add(1, Ordering::Relaxed);
                        failed.fetch_add(u64::from(!ok), Ordering::Relaxed);
                    }
                });
                futures_util::future::join_all(each).await;
            });
        });
        for second in 0..SECONDS {
            let mut bytes = original.clone();
            bytes.extend_from_slice(format!("{second:016}").as_bytes());
            let new = file.with_extension("new");
            fs::write(&new, bytes).unwrap();
            fs::set_permissions(&new, fs::metadata(&file).unwrap().permissions()).unwrap();
            fs::rename(&new, &file).unwrap();
            let before = Instant::now();
            let environment = [
                ("COUNTERSIGN_STATE", "state"),
                ("COUNTERSIGN_CONFIG", "config.yaml"),
            ];
            let done = countersign(folder.path(), &["reload"], &environment, "");
            assert!(done.stdout.contains("new library"), "{done:?}");
            slowest = slowest.max(before.elapsed());
            let due = started + Duration::from_secs(second as u64 + 1);
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let (answered, failed) = (answered.into_inner(), failed.into_inner());
    let rate = answered as f64 / started.elapsed().as_secs_f64();
    vec![Row {
        name: "failed requests, a changed plugin every second for a minute".into(),
        value: failed as f64,
        measured: format!("{failed} of {answered}"),
        reference: format!("{rate:.0} a second"),
        unit: "",
        target: Target::AtMost(0.0),
        note: format!(
            "{SECONDS} reloads, the slowest {:.0} ms with its command",
            slowest.as_secs_f64() * 1e3
        ),
    }]
}
