//! R12: tokens are made and verified as fast as one client can, at most 5,000 requests a second,
//! while the keys rotate. Each client verifies what it has just been given, and the oldest of what
//! it holds, whose key retires.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use countersign_tests::{Folder, Server, token};
use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{LIFETIME, config};
use crate::load::{self, Connection};
use crate::table::{Row, Target};
use crate::verify;

const TIME: Duration = Duration::from_secs(20);
const EVERY: Duration = Duration::from_secs(3);
const LEAD: Duration = Duration::from_secs(2);
const CONNECTIONS: u32 = 32;
/// Requests a second, of all connections together.
const MOST: u32 = 5_000;
/// Of each connection's tokens one is held so often, and for so long.
const HOLD: Duration = Duration::from_millis(500);
const HELD: Duration = Duration::from_secs(LIFETIME - 4);

#[derive(Default)]
struct Told {
    requests: u64,
    errors: u64,
    /// Keys that signed.
    keys: BTreeSet<String>,
    first: Option<String>,
}

impl Told {
    fn count(&mut self, what: &str, status: u16, expected: u16) {
        self.requests += 1;
        if status != expected {
            self.errors += 1;
            self.first.get_or_insert(format!("{what}: {status}"));
        }
    }
}

pub(super) fn row() -> Row {
    let folder = Folder::new();
    let server = Server::start(&folder, &config(EVERY, LEAD));
    let good = verify::accepted(server.address, &server.token("ada", "door"));
    let told = RefCell::new(Told::default());
    let begun = Instant::now();
    load::run(async {
        join_all((0..CONNECTIONS).map(|_| client(&server, good, &told))).await;
    });
    let rate = told.borrow().requests as f64 / begun.elapsed().as_secs_f64();
    let told = told.into_inner();
    let rotations = told.keys.len().saturating_sub(1);
    Row {
        name: format!("mint and GET /auth/verify, EdDSA: errors through {rotations} rotations")
            .into(),
        value: told.errors as f64,
        measured: format!("{rate:.0} a second"),
        reference: format!("{MOST} a second asked for"),
        unit: "",
        target: Target::AtMost(0.0),
        note: format!(
            "{} requests, one of three a login; a rotation each {} s{}",
            told.requests,
            EVERY.as_secs(),
            told.first
                .map(|why| format!("; the first error: {why}"))
                .unwrap_or_default()
        ),
    }
}

async fn client(server: &Server, good: u16, told: &RefCell<Told>) {
    let mut connection = Connection::open(server.address).await;
    let mut due = pace();
    let login = load::login("ada", "door");
    let mut held: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
    let end = Instant::now() + TIME;
    while Instant::now() < end {
        due.tick().await;
        let status = connection.ask(&login).await;
        told.borrow_mut().count("login", status, 201);
        if status != 201 {
            continue;
        }
        let answer: Value = serde_json::from_slice(connection.body()).unwrap();
        let jwt = answer["access_token"].as_str().unwrap();
        let fresh = verify::request(jwt);
        due.tick().await;
        let status = connection.ask(&fresh).await;
        told.borrow_mut().count("new token", status, good);
        held.retain(|(since, _)| since.elapsed() < HELD);
        if let Some((_, oldest)) = held.front() {
            due.tick().await;
            let status = connection.ask(oldest).await;
            told.borrow_mut().count("old token", status, good);
        }
        if held.back().is_none_or(|(since, _)| since.elapsed() >= HOLD) {
            let kid = token::header(jwt)["kid"].as_str().unwrap().to_owned();
            told.borrow_mut().keys.insert(kid);
            held.push_back((Instant::now(), fresh));
        }
    }
}

/// This connection's part of the requests.
fn pace() -> Interval {
    let mut due = interval(Duration::from_secs(1) * CONNECTIONS / MOST);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    due
}
