//! Five hundred logins in flight through a network of 100 ms each way, against what the
//! round trips allow: a login's own time over this network, when it is alone, is its round
//! trips; nothing but they may hold up five hundred.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign_tests::fault::{Fault, Way};
use countersign_tests::slapd::Slapd;
use countersign_tests::{Folder, Server};

use super::{PASSWORD, host, settings};
use crate::load::{self, Connection};
use crate::sample::median;
use crate::table::{Row, Target};

const DELAY: Duration = Duration::from_millis(100);
const IN_FLIGHT: usize = 500;
const ROUND: Duration = Duration::from_secs(6);

pub(super) fn measure() -> Vec<Row> {
    let slapd = Slapd::start();
    slapd.bulk(1);
    let network = Fault::before(slapd.address());
    let folder = Folder::new();
    let url = format!("ldap://{}", network.address);
    let server = Server::start(&folder, &host(&settings(&[&url]), ""));
    network.set(Way::Latency(DELAY));

    let request = load::login("u0", PASSWORD);
    let alone = median(load::run(one_by_one(&server, &request)));
    let round_trips = (alone / (2.0 * DELAY.as_secs_f64())).round();
    let before = threads(server.pid());
    let most = AtomicUsize::new(0);
    let rate = std::thread::scope(|scope| {
        let load =
            scope.spawn(|| load::throughput(server.address, &request, 201, IN_FLIGHT, ROUND));
        while !load.is_finished() {
            most.fetch_max(threads(server.pid()), Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(100));
        }
        load.join().unwrap()
    });
    let bound = IN_FLIGHT as f64 / (round_trips * 2.0 * DELAY.as_secs_f64());
    let more = most.into_inner().saturating_sub(before);
    vec![
        Row {
            name: format!("ldap logins, {IN_FLIGHT} in flight, 200 ms a round trip").into(),
            value: rate / bound,
            measured: format!("{rate:.0} a second"),
            reference: format!("{bound:.0} by {round_trips} round trips"),
            unit: "",
            target: Target::AtLeast(0.70),
            note: format!("one alone takes {:.0} ms", 1000.0 * alone),
        },
        Row {
            name: "threads more than before, meanwhile".into(),
            value: more as f64,
            measured: format!("{}", before + more),
            reference: format!("{before} before"),
            unit: "",
            target: Target::AtMost(0.0),
            note: String::new(),
        },
    ]
}

/// Seconds of logins that are alone. The first one opens what is kept.
async fn one_by_one(server: &Server, request: &[u8]) -> Vec<f64> {
    let mut connection = Connection::open(server.address).await;
    let mut times = Vec::new();
    for _ in 0..6 {
        let started = Instant::now();
        assert_eq!(connection.ask(request).await, 201);
        times.push(started.elapsed().as_secs_f64());
    }
    times.split_off(1)
}

fn threads(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/task"))
        .unwrap()
        .count()
}
