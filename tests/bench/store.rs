//! A store with a million tokens of ten thousand bots, against an empty one: what it takes to mint
//! (for a name and a password; for a bot with its secret, which is looked up) and to verify.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use countersign_tests::{Folder, Server, artifacts, countersign};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _};

use crate::load::{self, Connection};
use crate::sample::median;
use crate::table::{Row, Target};
use crate::verify;

const TOKENS: usize = 1_000_000;
const BOTS: usize = 10_000;
const ROUNDS: usize = 9;
/// Requests of each kind, at each server, for each round.
const ASKED: usize = 400;

pub(crate) fn measure() -> Vec<Row> {
    let empty = Host::start(None);
    let full = Host::start(Some(Folder::new()));
    let kinds = [
        ("mint p50, password", 1.1),
        ("mint p50, a bot's secret", 1.1),
        ("verify p50", 1.1),
    ];
    let requests = [&full, &empty].map(Host::requests);
    let mut times: [[Vec<f64>; 2]; 3] = Default::default();
    for _ in 0..ROUNDS {
        for (kind, times) in times.iter_mut().enumerate() {
            for (host, times) in times.iter_mut().enumerate() {
                let (request, status) = &requests[host][kind];
                let server = [&full, &empty][host].server.address;
                times.push(p50(server, request, *status));
            }
        }
    }
    let rows = kinds.into_iter().zip(times);
    rows.map(|((name, most), [full, empty])| {
        let ratios = full.iter().zip(&empty).map(|(full, empty)| full / empty);
        Row {
            name: format!("{name}: 1,000,000 tokens, 10,000 bots in the store").into(),
            value: median(ratios.collect()),
            measured: format!("{:.0} µs", median(full)),
            reference: format!("{:.0} µs, an empty store", median(empty)),
            unit: "",
            target: Target::AtMost(most),
            note: String::new(),
        }
    })
    .collect()
}

/// A server, a signed token of a bot of its, and another one's secret.
struct Host {
    server: Server,
    jwt: String,
    secret: String,
    _folder: Folder,
}

impl Host {
    /// `filled`: with all those tokens beside.
    fn start(filled: Option<Folder>) -> Self {
        let fill = filled.is_some();
        let folder = filled.unwrap_or_default();
        let config = format!(
            "plugins: {{ directories: [\"{}\"] }}\nkeys: {{ algorithm: EdDSA }}\n\
             backends:\n  door: {{ plugin: template, config: {{ password: door }} }}\n",
            artifacts::built().display(),
        );
        let server = Server::start(&folder, &config);
        let bots = |arguments: &[&str]| {
            let environment = [
                ("COUNTERSIGN_CONFIG", "config.yaml"),
                ("COUNTERSIGN_STATE", "state"),
            ];
            let arguments = [&["bots"], arguments].concat();
            let done = countersign(folder.path(), &arguments, &environment, "");
            assert_eq!(done.code, 0, "{arguments:?}: {done:?}");
            done.stdout.trim().to_owned()
        };
        let server = match fill {
            false => server,
            true => {
                server.stop();
                load::run(fill_store(&folder));
                Server::start(&folder, &config)
            }
        };
        bots(&["create", "reader"]);
        let jwt = bots(&["token", "reader", "--expiry", "1"]);
        let secret = bots(&["token", "reader", "--expiry", "1", "--form", "opaque"]);
        Host {
            server,
            jwt,
            secret,
            _folder: folder,
        }
    }

    /// One of each kind, with the status of its answer.
    fn requests(&self) -> [(Vec<u8>, u16); 3] {
        let body = format!(
            "grant_type=client_credentials&client_id=reader&client_secret={}",
            self.secret
        );
        let credentials = format!(
            "POST /oauth2/token HTTP/1.1\r\nhost: bench\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let accepted = verify::accepted(self.server.address, &self.jwt);
        [
            (load::login("ada", "door"), 201),
            (credentials.into_bytes(), 200),
            (verify::request(&self.jwt), accepted),
        ]
    }
}

/// Puts bots and their tokens beside those that are there.
async fn fill_store(folder: &Folder) {
    let file = folder.join("state/store.db");
    let mut database = SqliteConnectOptions::new()
        .filename(file)
        .connect()
        .await
        .unwrap();
    let bots = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {BOTS}) \
         INSERT INTO bots (id, name, folded, display_name, description, searched, email, roles, jwks, created_at, created_by, updated_at, updated_by) \
         SELECT printf('00000000-0000-4000-8000-%012d', i), printf('bot-%d', i), printf('bot-%d', i), '', '', printf('bot-%d', i), '', '[\"DataConsumer\"]', '', 1700000000, 'bench', 1700000000, 'bench' FROM n"
    );
    // A live, far end, and a hash as spread as a real one.
    let tokens = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {TOKENS}) \
         INSERT INTO tokens (id, kind, owner, name, form, hash, audience, kid, principal, expiry, created_at, created_by, expires_at) \
         SELECT lower(hex(randomblob(16))), 'bot', printf('00000000-0000-4000-8000-%012d', i % {BOTS} + 1), '', 'jwt', \
         lower(hex(randomblob(32))), '', 'bench', '', '90', 1700000000, 'bench', 4000000000 FROM n"
    );
    for statement in [bots, tokens] {
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut database)
            .await
            .unwrap();
    }
    database.close().await.unwrap();
}

/// Microseconds that the half of the answers took, one after the other over one connection.
fn p50(server: SocketAddr, request: &[u8], status: u16) -> f64 {
    load::run(async {
        let mut connection = Connection::open(server).await;
        let mut times: Vec<Duration> = Vec::with_capacity(ASKED);
        for _ in 0..ASKED {
            let begun = Instant::now();
            assert_eq!(connection.ask(request).await, status);
            times.push(begun.elapsed());
        }
        times.sort_unstable();
        times[ASKED / 2].as_secs_f64() * 1e6
    })
}
