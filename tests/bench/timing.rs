//! Can somebody who measures tell an unknown user from a wrong password? 2,000 logins
//! of each kind at a cheap hash cost, shuffled, through the db plugin's `.so`.
//!
//! The statistic is the area under the ROC curve (Mann and Whitney's U over n·m): the
//! chance that a login of the one kind takes longer than one of the other. 0.5 = a coin.

use std::process::Command;
use std::time::Instant;

use countersign_tests::Folder;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::plugin;
use crate::table::{Row, Target};

const SAMPLES: usize = 2_000;
/// Cheap: what is not the hash must show.
const HASH: &str = "pbkdf2:sha256:1000";
const KINDS: [&str; 4] = ["wrong", "unknown", "inactive", "nohash"];

pub(crate) fn measure() -> Vec<Row> {
    let folder = Folder::new();
    let runtime = Runtime::new().unwrap();
    let url = format!("sqlite://{}/users.db", folder.path().display());
    let config = json!({ "url": url, "hash": HASH, "access": "full" });
    let db = runtime.block_on(plugin::instance("db", config, &folder));
    for username in ["wrong", "inactive", "nohash"] {
        runtime.block_on(plugin::add_user(&db, username, "correct horse"));
    }
    let change = "UPDATE ab_user SET active=0 WHERE username='inactive'; UPDATE ab_user SET password=NULL WHERE username='nohash';";
    let script = "import sqlite3,sys; d=sqlite3.connect(sys.argv[1]); d.executescript(sys.argv[2]); d.commit()";
    let done = Command::new("python3")
        .args([
            "-c",
            script,
            folder.join("users.db").to_str().unwrap(),
            change,
        ])
        .status();
    assert!(done.unwrap().success());

    let mut times: [Vec<f64>; 4] = Default::default();
    let mut seed = 1;
    let mut left: Vec<usize> = (0..KINDS.len() * SAMPLES)
        .map(|sample| sample % KINDS.len())
        .collect();
    for kind in 0..KINDS.len() * 50 {
        once(&runtime, &db, KINDS[kind % KINDS.len()]); // warm
    }
    while !left.is_empty() {
        let kind = left.swap_remove(random(&mut seed) % left.len());
        times[kind].push(once(&runtime, &db, KINDS[kind]));
    }
    let areas: Vec<f64> = (1..KINDS.len())
        .map(|kind| area(&times[0], &times[kind]))
        .collect();
    let farthest = areas
        .iter()
        .map(|area| (area - 0.5).abs())
        .fold(0.0, f64::max);
    let told = KINDS[1..]
        .iter()
        .zip(&areas)
        .map(|(kind, area)| format!("{kind} {area:.3}"));
    // Under the null hypothesis U is normal: this is one standard error of the area.
    let n = SAMPLES as f64;
    let error = ((2.0 * n + 1.0) / (12.0 * n * n)).sqrt();
    vec![Row {
        name: "who exists, told by time (area under the curve - 0.5)".into(),
        value: farthest,
        measured: format!("{:.0} µs a login", crate::sample::median(times[0].clone())),
        reference: format!("standard error {error:.3}"),
        unit: "",
        target: Target::AtMost(0.05),
        note: format!(
            "against a wrong password: {}",
            told.collect::<Vec<_>>().join(", ")
        ),
    }]
}

/// Microseconds.
fn once(runtime: &Runtime, db: &countersign_abi::Instance, username: &str) -> f64 {
    let request = plugin::login(username, "not the password");
    let start = Instant::now();
    let answer = runtime.block_on(db.create_token(request));
    let time = start.elapsed();
    assert!(!matches!(answer, Ok(Some(_))), "{username} came in");
    time.as_secs_f64() * 1e6
}

/// How often a time of `b` is longer than one of `a`; ties count half.
fn area(a: &[f64], b: &[f64]) -> f64 {
    let mut sorted = a.to_vec();
    sorted.sort_by(f64::total_cmp);
    let below = |time: &f64| {
        let less = sorted.partition_point(|other| other < time);
        let equal = sorted.partition_point(|other| other <= time) - less;
        less as f64 + equal as f64 / 2.0
    };
    b.iter().map(below).sum::<f64>() / (a.len() * b.len()) as f64
}

/// Xorshift: only to shuffle.
fn random(seed: &mut u64) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed as usize
}
