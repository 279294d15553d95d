//! `GET` of the JWKS against a bare handler that has the same bytes; and while logins saturate the
//! hash pool, against the bare handler beside the same hashes in another process.

use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use countersign_tests::{Folder, Server, get};

use crate::bare::{Bare, listen};
use crate::load;
use crate::mint::{pin, unpin};
use crate::sample::median;
use crate::start::db_config;
use crate::table::{Row, Target};

const ROUNDS: usize = 5;
const PACE: Duration = Duration::from_millis(2);
const PROBES: usize = 1000;
const LOGINS_IN_FLIGHT: usize = 8;

/// For the throughput: each server on one core, the client on another.
const CORE: usize = 0;
const CONNECTIONS: usize = 32;
const ROUND: Duration = Duration::from_millis(1500);
const RATES: usize = 7;

pub(crate) fn measure() -> Vec<Row> {
    vec![throughput(), beside_logins()]
}

fn throughput() -> Row {
    let folder = Folder::new();
    let key = crate::mint::key(&folder, "RS256");
    let ours = Server::start(&folder, &crate::mint::config("RS256", &key));
    pin(ours.pid(), CORE);
    let bytes = get(ours.address, "/.well-known/jwks.json").body;
    let bytes = folder.write("jwks.json", bytes);
    let bare = Bare::on(CORE, &["bare-bytes", bytes.to_str().unwrap()]);
    pin(std::process::id(), 1 - CORE);
    let request = load::get("/.well-known/jwks.json");
    let rate = |server| load::throughput(server, &request, 200, CONNECTIONS, ROUND);
    let (mut own, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RATES {
        theirs.push(rate(bare.address));
        own.push(rate(ours.address));
    }
    unpin(std::process::id());
    let ratios = own.iter().zip(&theirs).map(|(own, theirs)| own / theirs);
    Row {
        name: "JWKS GET, the same bytes, keep-alive, one core".into(),
        value: median(ratios.collect()),
        measured: format!("{:.0} a second", median(own)),
        reference: format!("{:.0} bare axum", median(theirs)),
        unit: "",
        target: Target::AtLeast(0.9),
        note: String::new(),
    }
}

/// `bare-bytes FILE`: serves the file until killed; prints its address.
pub(crate) fn serve(arguments: &[String]) {
    let bytes = Bytes::from(std::fs::read(&arguments[0]).unwrap());
    let json = [(header::CONTENT_TYPE, "application/json")];
    let answer = axum::routing::get(move || async move { (json, bytes) });
    listen(Router::new().route("/.well-known/jwks.json", answer));
}

fn beside_logins() -> Row {
    let folder = Folder::new();
    let server = Server::start(&folder, &db_config());
    let password = std::fs::read_to_string(server.state.join("initial-admin-password")).unwrap();
    let login = load::login("admin", password.trim());
    let key = crate::mint::key(&folder, "EdDSA");
    let bare = Bare::anywhere("EdDSA", &key);
    let probe = load::get("/.well-known/jwks.json");

    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let hashes = Hashes::start();
        theirs.push(p99(load::latencies(
            bare.address,
            &probe,
            200,
            PACE,
            PROBES,
        )));
        drop(hashes);

        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| load::run(saturate(server.address, &login, &stop)));
            ours.push(p99(load::latencies(
                server.address,
                &probe,
                200,
                PACE,
                PROBES,
            )));
            stop.store(true, Ordering::Relaxed);
        });
    }
    let ratios = ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs);
    Row {
        name: "JWKS GET p99 while logins saturate the hash pool".into(),
        value: median(ratios.collect()),
        measured: format!("{:.2} ms", median(ours)),
        reference: format!("{:.2} ms bare axum beside the hashes", median(theirs)),
        unit: "",
        target: Target::AtMost(3.0),
        note: String::new(),
    }
}

async fn saturate(server: std::net::SocketAddr, login: &[u8], stop: &AtomicBool) {
    let each = (0..LOGINS_IN_FLIGHT).map(|_| async {
        let mut connection = load::Connection::open(server).await;
        while !stop.load(Ordering::Relaxed) {
            assert_eq!(connection.ask(login).await, 201);
        }
    });
    futures_util::future::join_all(each).await;
}

/// Milliseconds.
fn p99(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() * 99 / 100].as_secs_f64() * 1e3
}

/// As many hashing threads as the plugin's pool has, as nice as they are.
struct Hashes(Child);

impl Hashes {
    fn start() -> Self {
        let hashing = Command::new(std::env::current_exe().unwrap())
            .arg("hashes")
            .spawn();
        Hashes(hashing.unwrap())
    }
}

impl Drop for Hashes {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `hashes`: hashes until killed.
pub(crate) fn hash_for_ever() {
    let threads = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let _ = rustix::process::setpriority_process(None, 5);
                let params = scrypt::Params::new(15, 8, 1, 64).unwrap();
                let mut key = [0; 64];
                loop {
                    scrypt::scrypt(b"correct horse", b"0123456789abcdef", &params, &mut key)
                        .unwrap();
                    std::hint::black_box(key);
                }
            });
        }
    });
}
