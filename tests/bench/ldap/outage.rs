//! The first of two servers accepts connections and never answers: every login succeeds,
//! and only the first pays for finding out.

use std::time::{Duration, Instant};

use countersign_tests::fault::{Fault, Way};
use countersign_tests::slapd::Slapd;
use countersign_tests::{Folder, Server};

use super::{PASSWORD, host, settings};
use crate::load::{self, Connection};
use crate::sample::median;
use crate::table::{Row, Target};

const LOGINS: usize = 100;
/// `timeouts.connect`, by default.
const CONNECT: Duration = Duration::from_secs(2);

pub(super) fn measure() -> Vec<Row> {
    let slapd = Slapd::start();
    slapd.bulk(1);
    let hole = Fault::before(slapd.address());
    hole.set(Way::BlackHole);
    let folder = Folder::new();
    let first = format!("ldap://{}", hole.address);
    let server = Server::start(&folder, &host(&settings(&[&first, &slapd.url]), ""));

    let request = load::login("u0", PASSWORD);
    let times: Vec<Duration> = load::run(async {
        let mut connection = Connection::open(server.address).await;
        let mut times = Vec::new();
        for _ in 0..LOGINS {
            let started = Instant::now();
            assert_eq!(connection.ask(&request).await, 201);
            times.push(started.elapsed());
        }
        times
    });
    let late = times[1..]
        .iter()
        .filter(|time| **time > CONNECT / 2)
        .count();
    let rest = median(times[1..].iter().map(Duration::as_secs_f64).collect());
    vec![Row {
        name: format!("of {LOGINS} logins past a black hole, slow after the first").into(),
        value: late as f64,
        measured: format!("first {:.2} s", times[0].as_secs_f64()),
        reference: format!("then {:.1} ms", 1000.0 * rest),
        unit: "",
        target: Target::AtMost(0.0),
        note: "all of them succeeded; a start may have found the hole before".to_owned(),
    }]
}
