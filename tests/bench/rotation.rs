//! Keys that rotate every five seconds for a minute, and a verifier outside that keeps the key set
//! as long as it is told to, and no shorter: it asks for nothing because of an unknown key id.
//! And the server's own faces while keys rotate (R12): [`busy`].

mod busy;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use countersign_tests::{Folder, Server, artifacts, get, token};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::table::{Row, Target};
use crate::verify::decoding;

const TIME: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(5);
/// Seconds that a token lives: longer than a key signs, so that keys that retire are needed.
const LIFETIME: u64 = 12;
/// Verifications at once; a hundred times a second.
const BATCH: usize = 20;
const PACE: Duration = Duration::from_millis(10);
const MINT: Duration = Duration::from_millis(20);

pub(crate) fn measure() -> Vec<Row> {
    vec![outside(), busy::row()]
}

/// EdDSA keys that rotate so often, each known before it signs for so long.
fn config(every: Duration, lead: Duration) -> String {
    format!(
        "plugins: {{ directories: [\"{}\"] }}\n\
         keys: {{ algorithm: EdDSA, rotate_every: {}s, lead: {}s, max_age: 1s }}\n\
         tokens: {{ lifetime: {LIFETIME}s, cli_lifetime: {LIFETIME}s, leeway: 1s }}\n\
         backends:\n  door: {{ plugin: template, config: {{ password: door }} }}\n",
        artifacts::built().display(),
        every.as_secs(),
        lead.as_secs(),
    )
}

fn outside() -> Row {
    let folder = Folder::new();
    let server = Server::start(&folder, &config(EVERY, Duration::from_secs(3)));
    let issuer = token::claims(&server.token("ada", "door"))["iss"].clone();
    let held = Mutex::new(VecDeque::new());
    let stop = AtomicBool::new(false);
    let (told, begun) = thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let jwt = server.token("ada", "door");
                held.lock().unwrap().push_back(jwt);
                thread::sleep(MINT);
            }
        });
        let begun = Instant::now();
        let told = verify(server.address, issuer.as_str().unwrap(), &held);
        stop.store(true, Ordering::Relaxed);
        (told, begun)
    });
    let rotations = told.keys.len().saturating_sub(1);
    assert!(
        rotations as u64 + 2 >= TIME.as_secs() / EVERY.as_secs(),
        "the keys did not rotate: {:?}\n{}",
        told.keys,
        server.log()
    );
    let rate = told.verified as f64 / begun.elapsed().as_secs_f64();
    Row {
        name: format!("EdDSA tokens refused by a caching verifier through {rotations} rotations")
            .into(),
        value: told.refused as f64,
        measured: format!("{} of {}", told.refused, told.verified),
        reference: format!("{} fetches of the key set", told.fetches),
        unit: "",
        target: Target::AtMost(0.0),
        note: format!(
            "a rotation each 5 s, lead 3 s, max-age 1 s; {rate:.0} verified a second{}",
            told.first
                .map(|why| format!("; the first refusal: {why}"))
                .unwrap_or_default()
        ),
    }
}

#[derive(Default)]
struct Told {
    verified: u64,
    refused: u64,
    fetches: u64,
    keys: BTreeSet<String>,
    first: Option<String>,
}

/// Verifies the tokens that are held, the oldest first and again from the front, until time is up.
fn verify(server: SocketAddr, issuer: &str, held: &Mutex<VecDeque<String>>) -> Told {
    let mut checks = Validation::new(Algorithm::EdDSA);
    checks.set_issuer(&[issuer]);
    checks.set_audience(&["apache-airflow"]);
    checks.leeway = 0;
    let mut told = Told::default();
    let mut cache = Cache::fetch(server);
    let begun = Instant::now();
    let mut due = begun;
    let mut next = 0;
    while begun.elapsed() < TIME {
        let batch = batch(&mut held.lock().unwrap(), &mut next);
        for jwt in &batch {
            if cache.is_stale() {
                cache = Cache::fetch(server);
                told.fetches += 1;
            }
            told.verified += 1;
            match cache.verifies(jwt, &checks) {
                Ok(kid) => drop(told.keys.insert(kid)),
                Err(why) => {
                    told.refused += 1;
                    told.first.get_or_insert(why);
                }
            }
        }
        due += PACE;
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    told
}

/// Some of the tokens that live, round and round; the dead ones go.
fn batch(held: &mut VecDeque<String>, next: &mut usize) -> Vec<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let ends = |jwt: &String| token::claims(jwt)["exp"].as_u64().unwrap();
    while held
        .front()
        .is_some_and(|jwt| ends(jwt) <= now.as_secs() + 1)
    {
        held.pop_front();
    }
    let some = (0..BATCH).filter_map(|_| {
        *next = (*next + 1) % held.len().max(1);
        held.get(*next).cloned()
    });
    some.collect()
}

/// The key set, as long as it may be kept.
struct Cache {
    keys: HashMap<String, DecodingKey>,
    until: Instant,
}

impl Cache {
    fn fetch(server: SocketAddr) -> Self {
        let asked = Instant::now();
        let answer = get(server, "/.well-known/jwks.json");
        assert_eq!(answer.status, 200, "{answer:?}");
        let told = answer.header("cache-control").unwrap_or_default();
        let age = told.split("max-age=").nth(1).unwrap();
        let age = age.split(',').next().unwrap().trim().parse().unwrap();
        Cache {
            keys: decoding(answer.body.as_bytes()),
            until: asked + Duration::from_secs(age),
        }
    }

    fn is_stale(&self) -> bool {
        Instant::now() >= self.until
    }

    fn verifies(&self, jwt: &str, checks: &Validation) -> Result<String, String> {
        let kid = decode_header(jwt).map_err(|error| error.to_string())?.kid;
        let kid = kid.unwrap_or_default();
        let key = self.keys.get(&kid);
        let key = key.ok_or_else(|| format!("no key {kid} in the set"))?;
        match decode::<Value>(jwt, key, checks) {
            Ok(_) => Ok(kid),
            Err(error) => Err(error.to_string()),
        }
    }
}
