//! A connection that stays open: bytes out as they are, answers in one by one.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::client::{Answer, parse};

/// No answer takes longer than this.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Wire<S = TcpStream> {
    stream: S,
    read: Vec<u8>,
}

impl Wire {
    pub fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Wire::over(stream)
    }
}

impl<S: Read + Write> Wire<S> {
    pub fn over(stream: S) -> Self {
        Wire {
            stream,
            read: Vec::new(),
        }
    }

    /// Sends bytes; a server that has closed is no failure.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        let _ = self.stream.write_all(bytes.as_ref());
        let _ = self.stream.flush();
        self
    }

    /// The next answer; none if the server closes instead.
    pub fn answer(&mut self) -> Option<Answer> {
        loop {
            let end = self.read.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                let head = parse(&self.read[..end + 4]);
                let length = head.header("content-length");
                let length: usize = length.map_or(0, |length| length.parse().unwrap());
                if self.read.len() >= end + 4 + length {
                    let whole: Vec<u8> = self.read.drain(..end + 4 + length).collect();
                    return Some(parse(&whole));
                }
            }
            if !self.more() {
                return None;
            }
        }
    }

    /// Waits until the server closes; true if it sent nothing more before.
    pub fn is_closed(&mut self) -> bool {
        self.read.is_empty() && !self.more()
    }

    fn more(&mut self) -> bool {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(count) => {
                self.read.extend_from_slice(&buffer[..count]);
                count > 0
            }
            Err(error) => {
                let waited = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                assert!(!waited, "neither an answer nor an end within {PATIENCE:?}");
                false
            }
        }
    }
}

/// A login request, byte for byte, for a connection that stays open.
pub fn login(password: &str) -> String {
    let body = format!(r#"{{"username":"ada","password":"{password}"}}"#);
    format!(
        "POST /auth/token HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
