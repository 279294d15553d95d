//! `kill -9` at any point loses nothing that was acknowledged. A process of its own (this very
//! test binary) writes and says what is done; it is killed in the middle, and what it said must
//! be there.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use countersign::accounts::bots::NewBot;
use countersign::accounts::store::{LinkKey, Linked, Location, Revocable, Store};
use countersign_tests::Folder;
use countersign_tests::postgres::Postgres;
use tokio::runtime::Runtime;

use super::{NOW, place};

/// Tells the writer where to write, and how to name what it writes.
const PLACE: &str = "COUNTERSIGN_TEST_PLACE";
const NAME: &str = "COUNTERSIGN_TEST_NAME";

/// How often a writer is killed.
const ROUNDS: usize = 12;

fn location(text: &str) -> Location {
    match text.strip_prefix("sqlite:") {
        Some(file) => Location::Sqlite(file.into()),
        None => place(text),
    }
}

fn key(name: &str) -> LinkKey {
    LinkKey {
        backend: "dir".into(),
        subject: name.into(),
        target: "users".into(),
    }
}

/// The writer's process; a test like any other where nobody has asked for it. It writes until it
/// is killed, or until the store is, and says why.
#[test]
fn writer() {
    let (Ok(place), Ok(name)) = (std::env::var(PLACE), std::env::var(NAME)) else {
        return;
    };
    Runtime::new().unwrap().block_on(async {
        let store = Store::open(location(&place)).await.unwrap();
        let mut out = std::io::stdout();
        for n in 0_usize.. {
            let id = format!("{name}-{n}");
            if let Err(error) = write(&store, &name, &id, n).await {
                writeln!(out, "ended: {error}").unwrap();
                return;
            }
            writeln!(out, "done {n}").unwrap();
            out.flush().unwrap();
        }
    });
}

async fn write(store: &Store, ring: &str, id: &str, n: usize) -> Result<(), Box<dyn Error>> {
    let (until, roles) = (Some(u64::MAX >> 2), [id.to_owned()]);
    store.revoke(Revocable::Token(id), until, NOW).await?;
    assert!(store.use_up(id, NOW + 60, NOW).await?);
    let row = Linked {
        id,
        username: id,
        roles: &roles,
    };
    store.put_link(&key(id), row, NOW).await?;
    let written = store.put_ring(ring, n as u64, id, NOW).await?;
    assert!(written);
    let bot = NewBot {
        name: id.into(),
        ..NewBot::default()
    };
    store.create_bot(&bot, "ada", NOW).await?;
    Ok(())
}

/// What the writer said must be there.
async fn assert_kept(store: &Store, ring: &str, done: usize) {
    for n in 0..done {
        let id = format!("{ring}-{n}");
        assert!(store.is_revoked(Revocable::Token(&id)), "{id}");
        assert!(!store.use_up(&id, NOW + 60, NOW).await.unwrap(), "{id}");
        let link = store.link(&key(&id)).await.unwrap().unwrap();
        assert_eq!(link.roles, std::slice::from_ref(&id));
        assert_eq!(store.bot(&id).await.unwrap().name, id);
    }
    let version = match store.ring(ring).await.unwrap() {
        Some(ring) => ring.version,
        None => 0,
    };
    // One more may have been written before it could be said.
    let done = done as u64;
    assert!((done..=done + 1).contains(&version), "{version} of {done}");
}

struct Writer {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Writer {
    fn start(place: &str, name: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "hosts::killed::writer", "--nocapture"])
            .env(PLACE, place)
            .env(NAME, name)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Writer { child, lines }
    }

    /// Waits until so much is done; how much is, since more may be.
    fn done(&mut self, least: usize) -> usize {
        let mut done = 0;
        let mut line = String::new();
        while done < least {
            line.clear();
            let read = self.lines.read_line(&mut line).unwrap();
            assert!(read > 0, "the writer ended after {done}");
            done = told(&line).unwrap_or(done);
        }
        done
    }

    /// Kills it, and counts to the last word; and whether the store ended before it did.
    fn kill(mut self, mut done: usize) -> (usize, bool) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let mut ended = false;
        for line in self.lines.by_ref().lines().map_while(Result::ok) {
            done = told(&line).unwrap_or(done);
            ended |= line.starts_with("ended: ");
        }
        (done, ended)
    }
}

/// The test harness may have begun the line.
fn told(line: &str) -> Option<usize> {
    let (_, number) = line.split_once("done ")?;
    number.trim().parse::<usize>().ok().map(|n| n + 1)
}

fn killed_at_many_points(place: &str) {
    let runtime = Runtime::new().unwrap();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..ROUNDS {
        let name = format!("round{round}");
        let mut writer = Writer::start(place, &name);
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let done = writer.done(1 + round % 4);
        // Anywhere in the next steps.
        let pause = Duration::from_micros(seed % 20_000);
        std::thread::sleep(pause);
        let (done, ended) = writer.kill(done);
        assert!(!ended, "the store answers throughout");
        runtime.block_on(async {
            let store = Store::open(location(place)).await.unwrap();
            assert_kept(&store, &name, done).await;
            store.close().await;
        });
    }
}

#[test]
fn killed_host_loses_nothing_acknowledged_on_sqlite() {
    let folder = Folder::new();
    let file = folder.join("store.db");
    killed_at_many_points(&format!("sqlite:{}", file.display()));
}

#[test]
fn killed_host_loses_nothing_acknowledged_on_postgres() {
    let server = Postgres::start();
    killed_at_many_points(&server.url);
    // And neither does a database that is killed under two of them.
    let mut writers = ["one", "two"].map(|name| Writer::start(&server.url, name));
    let done = writers.each_mut().map(|writer| writer.done(5));
    server.stop();
    let [one, two] = writers;
    let done = [one.kill(done[0]).0, two.kill(done[1]).0];
    server.again();
    Runtime::new().unwrap().block_on(async {
        let store = Store::open(location(&server.url)).await.unwrap();
        assert_kept(&store, "one", done[0]).await;
        assert_kept(&store, "two", done[1]).await;
        store.close().await;
    });
}
