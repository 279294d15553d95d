//! Resident memory of a server: idle with db and template, and what 100,000 tokens minted by the
//! template plugin add to it.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use countersign_tests::{Folder, Server, artifacts};

use crate::start::db_config;
use crate::table::{Row, Target};

const MINTS: usize = 100_000;
/// Before the growth is measured: a start has given back the code that requests need, and the
/// first ones bring it back once.
const FIRST: usize = 1_000;
const CONNECTIONS: usize = 4;
/// Until threads that have just been started, or connections just closed, are at rest.
const SETTLE: Duration = Duration::from_millis(500);

pub(crate) fn measure() -> Vec<Row> {
    vec![idle(), growth()]
}

fn idle() -> Row {
    let folder = Folder::new();
    // Not the first start: making keys and tables is not what a server does every day.
    Server::start(&folder, &db_config()).stop();
    let server = Server::start(&folder, &db_config());
    let memory = Memory::of(&server);
    Row {
        name: "resident memory, idle with db and template".into(),
        measured: format!("{:.2} MB", memory.total),
        reference: String::new(),
        value: memory.total,
        unit: " MB",
        target: Target::AtMost(18.0),
        note: memory.parts(),
    }
}

fn growth() -> Row {
    let folder = Folder::new();
    // EdDSA: a hundred thousand RSA signatures would take a minute and show no more.
    let config = format!(
        "plugins: {{ directories: [\"{}\"] }}\nkeys: {{ algorithm: EdDSA }}\nbackends:\n  door: {{ plugin: template, config: {{ password: door }} }}\n",
        artifacts::built().display()
    );
    let server = Server::start(&folder, &config);
    let idle = Memory::of(&server);
    mint(server.address, FIRST);
    let before = Memory::of(&server);
    let mut each = Vec::new();
    for _ in 0..2 {
        mint(server.address, MINTS / 2);
        each.push(Memory::of(&server));
    }
    let (half, after) = (&each[0], &each[1]);
    Row {
        name: "growth over 100,000 mints by template".into(),
        measured: format!("{:.2} MB", after.total),
        reference: format!("{:.2} MB before", before.total),
        value: after.total - before.total,
        unit: " MB",
        target: Target::AtMost(2.0),
        note: format!(
            "idle {}; after the first {FIRST} {}; after half of them {}; after all {}",
            idle.parts(),
            before.parts(),
            half.parts(),
            after.parts()
        ),
    }
}

/// Resident memory in MB (10^6 bytes).
struct Memory {
    total: f64,
    anonymous: f64,
    file: f64,
    shared: f64,
}

impl Memory {
    fn of(server: &Server) -> Self {
        thread::sleep(SETTLE);
        let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes = line.unwrap().trim_start_matches(':').trim();
            kibibytes.trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0 / 1e6
        };
        Memory {
            total: field("VmRSS"),
            anonymous: field("RssAnon"),
            file: field("RssFile"),
            shared: field("RssShmem"),
        }
    }

    fn parts(&self) -> String {
        let (anonymous, file, shared) = (self.anonymous, self.file, self.shared);
        format!("anonymous {anonymous:.2}, file {file:.2}, shared (plugins) {shared:.2} MB")
    }
}

/// Mints over a few connections that are kept open.
fn mint(address: SocketAddr, count: usize) {
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let stream = TcpStream::connect(address).unwrap();
                stream.set_nodelay(true).unwrap();
                let mut reader = BufReader::new(stream);
                for _ in 0..count / CONNECTIONS {
                    mint_one(&mut reader);
                }
            });
        }
    });
}

fn mint_one(stream: &mut BufReader<TcpStream>) {
    let body = r#"{"username":"ada","password":"door"}"#;
    let head = "POST /auth/token HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json";
    let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.get_mut().write_all(request.as_bytes()).unwrap();
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 201 "), "{line}");
    let mut length = 0;
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut token = vec![0; length];
    stream.read_exact(&mut token).unwrap();
}
