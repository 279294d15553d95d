//! From the process's start to the first 200 of `/readyz`, with db and template;
//! key and database exist, as at every start but the first.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use countersign_tests::{Folder, Server, artifacts};

use crate::sample::{least, median};
use crate::table::{Row, Target};

const ROUNDS: usize = 25;

/// The configuration of the figures about a server with db and template.
pub(crate) fn db_config() -> String {
    format!(
        "plugins: {{ directories: [\"{}\"] }}\nbackends:\n  users: {{ plugin: db, config: {{ url: \"sqlite://{{state}}/users.db\" }} }}\n  door: {{ plugin: template, config: {{ password: door }} }}\n",
        artifacts::built().display()
    )
}

pub(crate) fn measure() -> Vec<Row> {
    let folder = Folder::new();
    // The first start makes keys and database.
    Server::start(&folder, &db_config()).stop();

    let (mut starts, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(timed(|| {
            command(&folder, &["--version"]).status().unwrap();
        }));
        let (public, admin) = (free_port(), free_port());
        let mut child = None;
        starts.push(timed(|| {
            let mut serve = command(&folder, &["serve"]);
            serve.env("COUNTERSIGN_SERVER__LISTEN", public.to_string());
            serve.env("COUNTERSIGN_ADMIN__LISTEN", admin.to_string());
            child = Some(serve.spawn().unwrap());
            wait_until_ready(admin);
        }));
        let mut child = child.unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
    vec![Row {
        name: "start to /readyz with db and template".into(),
        note: format!("fastest of {ROUNDS} starts: {:.1} ms", least(&starts)),
        value: median(starts.clone()),
        measured: format!("{:.1} ms", median(starts)),
        reference: format!("{:.1} ms --version", median(bare)),
        unit: " ms",
        target: Target::AtMost(60.0),
    }]
}

fn command(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = Command::new(artifacts::binary());
    command
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .env("COUNTERSIGN_CONFIG", "config.yaml")
        .env("COUNTERSIGN_STATE", folder.join("state"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Milliseconds.
fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e3
}

fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// The listener is bound early and answers late: mostly this waits in `read`.
fn wait_until_ready(admin: SocketAddr) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_ready(admin).unwrap_or(false) {
        assert!(Instant::now() < deadline, "the server does not get ready");
        thread::sleep(Duration::from_micros(200));
    }
}

fn is_ready(admin: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(admin)?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200 "))
}
