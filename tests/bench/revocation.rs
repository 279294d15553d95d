//! A bot's token is revoked on host A: how long host B, on the same PostgreSQL, goes on taking it,
//! counted from when A has said that it is done; and the same where B's connection to the database
//! was down meanwhile, counted from when it is back.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use countersign_tests::fault::{Fault, Way};
use countersign_tests::postgres::Postgres;
use countersign_tests::{Folder, Server, artifacts, countersign, send};
use url::Url;

use crate::sample::median;
use crate::table::{Row, Target};
use crate::verify::accepted;

const ROUNDS: usize = 20;
const OUTAGES: usize = 5;
/// B is asked again after this time.
const PACE: Duration = Duration::from_millis(2);
/// Nobody waits longer.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn measure() -> Vec<Row> {
    let postgres = Postgres::start();
    let mut url = Url::parse(&postgres.url).unwrap();
    let database = format!("127.0.0.1:{}", url.port().unwrap_or(5432));
    let fault = Fault::before(database.parse().unwrap());
    let folders = [Folder::new(), Folder::new()];
    let a = host(&folders[0], url.as_str());
    url.set_port(Some(fault.address.port())).unwrap();
    let b = host(&folders[1], url.as_str());
    let bots = Bots(&a);
    bots.run(&["create", "ingestion-bot"]);

    let at_once = (0..ROUNDS).map(|_| {
        let jwt = bots.run(&["token", "ingestion-bot", "--expiry", "1"]);
        accepted(b.address, &jwt);
        let refused = Watch::on(b.address, jwt);
        bots.run(&["revoke", "ingestion-bot"]);
        refused.after(Instant::now())
    });
    let at_once: Vec<f64> = at_once.collect();
    let across = (0..OUTAGES).map(|_| {
        let jwt = bots.run(&["token", "ingestion-bot", "--expiry", "1"]);
        accepted(b.address, &jwt);
        fault.set(Way::Refuse);
        bots.run(&["revoke", "ingestion-bot"]);
        accepted(b.address, &jwt); // else the outage would show nothing
        let refused = Watch::on(b.address, jwt);
        fault.set(Way::Open);
        refused.after(Instant::now())
    });
    let across: Vec<f64> = across.collect();
    vec![
        row("revoked on host A, refused on host B", at_once),
        row(
            "the same, B's database connection dropped: once it is back",
            across,
        ),
    ]
}

fn row(name: &'static str, seconds: Vec<f64>) -> Row {
    let slowest = seconds.iter().copied().fold(0.0, f64::max);
    Row {
        name: name.into(),
        value: slowest,
        measured: format!("{:.0} ms median", 1000.0 * median(seconds.clone())),
        reference: format!("the slowest of {}", seconds.len()),
        unit: " s",
        target: Target::AtMost(1.0),
        note: String::new(),
    }
}

/// One of the hosts on the database.
fn host(folder: &Folder, url: &str) -> Server {
    let config = format!(
        "plugins: {{ directories: [\"{}\"] }}\n\
         tokens: {{ issuer: \"https://auth.example.org\" }}\n\
         keys: {{ algorithm: EdDSA }}\n\
         store: {{ url: \"{url}\", kek: \"Y291bnRlcnNpZ24tYmVuY2gta2V5LW9mLTMyLWJ5dGU=\" }}\n\
         backends:\n  door: {{ plugin: template, config: {{ password: door }} }}\n",
        artifacts::built().display(),
    );
    Server::start(folder, &config)
}

/// `countersign bots …` beside a running server.
struct Bots<'a>(&'a Server);

impl Bots<'_> {
    fn run(&self, arguments: &[&str]) -> String {
        let folder = self.0.state.parent().unwrap();
        let environment = [
            ("COUNTERSIGN_CONFIG", "config.yaml"),
            ("COUNTERSIGN_STATE", self.0.state.to_str().unwrap()),
        ];
        let done = countersign(folder, &[&["bots"], arguments].concat(), &environment, "");
        assert_eq!(done.code, 0, "{arguments:?}: {done:?}");
        done.stdout.trim().to_owned()
    }
}

/// Asks again and again until the token is refused.
struct Watch(mpsc::Receiver<Instant>);

impl Watch {
    fn on(server: SocketAddr, jwt: String) -> Self {
        let (told, refused) = mpsc::channel();
        thread::spawn(move || {
            let bearer = format!("Bearer {jwt}");
            let headers = [("authorization", bearer.as_str())];
            let status = || send(server, "GET", "/auth/verify", &headers, b"").status;
            while status() != 401 {
                thread::sleep(PACE);
            }
            let _ = told.send(Instant::now());
        });
        Watch(refused)
    }

    /// Seconds; none if it was refused before.
    fn after(self, begun: Instant) -> f64 {
        let refused = self.0.recv_timeout(PATIENCE).expect("it is never refused");
        refused.saturating_duration_since(begun).as_secs_f64()
    }
}
