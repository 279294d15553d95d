//! Load over kept-open connections from one thread of its own, so that what is
//! measured is the server: each connection sends, reads the whole answer, sends again.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval};

/// A login as `requests` sends it.
pub(crate) fn login(username: &str, password: &str) -> Vec<u8> {
    let body = format!(r#"{{"username":"{username}","password":"{password}"}}"#);
    format!(
        "POST /auth/token HTTP/1.1\r\nhost: bench\r\nuser-agent: python-requests/2.32.3\r\naccept: */*\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A token of somebody else in place of a name and a password.
pub(crate) fn bearer(token: &str) -> Vec<u8> {
    format!("POST /auth/token HTTP/1.1\r\nhost: bench\r\nuser-agent: python-requests/2.32.3\r\naccept: */*\r\nauthorization: Bearer {token}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

/// A GET.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\n\r\n").into_bytes()
}

/// Answers with this status a second, from so many connections for so long.
pub(crate) fn throughput(
    server: SocketAddr,
    request: &[u8],
    status: u16,
    connections: usize,
    time: Duration,
) -> f64 {
    run(async {
        let end = Instant::now() + time;
        let answered = AtomicU64::new(0);
        let started = Instant::now();
        let each = (0..connections).map(|_| async {
            let mut connection = Connection::open(server).await;
            while Instant::now() < end {
                assert_eq!(connection.ask(request).await, status);
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
        futures_util::future::join_all(each).await;
        answered.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
    })
}

/// Asks at a fixed pace whatever the server does, and says how long each answer took,
/// counted from when it was due.
pub(crate) fn latencies(
    server: SocketAddr,
    request: &[u8],
    status: u16,
    pace: Duration,
    count: usize,
) -> Vec<Duration> {
    run(async {
        let mut connection = Connection::open(server).await;
        let mut ticks = interval(pace);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut times = Vec::with_capacity(count);
        for _ in 0..count {
            let due = ticks.tick().await;
            assert_eq!(connection.ask(request).await, status);
            times.push(due.elapsed());
        }
        times
    })
}

/// A connection that is kept open.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Connection {
            stream,
            buffer: Vec::with_capacity(4096),
        }
    }

    /// The status of the answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> u16 {
        self.stream.write_all(request).await.unwrap();
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the server closed the connection");
            if let Some(status) = whole_answer(&self.buffer) {
                return status;
            }
        }
    }

    /// The body of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        let head = self.buffer.windows(4).position(|end| end == b"\r\n\r\n");
        head.map_or(&[], |head| &self.buffer[head + 4..])
    }
}

/// The status, once head and body are there.
fn whole_answer(bytes: &[u8]) -> Option<u16> {
    let head = bytes.windows(4).position(|end| end == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..head]).unwrap();
    let length = text.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_length = name.eq_ignore_ascii_case("content-length");
        is_length.then(|| value.trim().parse::<usize>().unwrap())
    });
    (bytes.len() >= head + 4 + length.unwrap_or(0)).then(|| text[9..12].parse().unwrap())
}

/// One thread is the client.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}
