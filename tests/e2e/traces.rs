//! OpenTelemetry: what a collector is sent, what it is not, and that it may be gone.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use countersign_tests::{Folder, Server, artifacts, send, tls};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto};

use crate::TEMPLATE;

const PARENT: &str = "0af7651916cd43dd8448eb211c80319c";

/// Takes exports until one comes that says it is the last: gives all bytes.
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    thread: thread::JoinHandle<Vec<u8>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        Collector::over(|stream| stream)
    }

    /// Behind TLS, with the certificate and key in `folder`.
    fn encrypted(folder: &Path) -> Self {
        let chain = CertificateDer::pem_file_iter(folder.join("server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.map(Result::unwrap).collect(), key)
            .unwrap();
        let config = Arc::new(config);
        Collector::over(move |stream| {
            let server = ServerConnection::new(Arc::clone(&config)).unwrap();
            StreamOwned::new(server, stream)
        })
    }

    fn over<S: Read + Write>(wrap: impl Fn(TcpStream) -> S + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = thread::spawn(move || {
            let mut all = Vec::new();
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let mut first = [0; 4];
                if let Ok(4) = stream.peek(&mut first)
                    && &first == b"last"
                {
                    return all;
                }
                let mut stream = wrap(stream);
                let mut bytes = Vec::new();
                let mut buffer = [0; 65536];
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    bytes.extend_from_slice(&buffer[..count]);
                    if is_whole(&bytes) {
                        all.append(&mut bytes);
                        let answer =
                            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                        stream.write_all(answer).unwrap();
                        stream.flush().unwrap();
                        break;
                    }
                }
            }
            all
        });
        Collector { address, thread }
    }

    /// Everything that came; the server has ended.
    pub(crate) fn all(self) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(b"last").unwrap();
        self.thread.join().unwrap()
    }
}

/// Is it a request with its whole body?
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    bytes.len() >= end + 4 + length.unwrap().trim().parse::<usize>().unwrap()
}

pub(crate) fn holds(bytes: &[u8], text: impl AsRef<[u8]>) -> bool {
    let text = text.as_ref();
    bytes.windows(text.len()).any(|window| window == text)
}

fn traced(folder: &Folder, config: &str, endpoint: &str) -> Server {
    folder.plugin(&artifacts::plugin("template"), "template");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=testing"),
    ];
    Server::with(folder, &format!("{TEMPLATE}{config}"), &variables)
}

fn log_in(server: &Server) -> u16 {
    let headers = [
        ("content-type", "application/json"),
        ("authorization", "Basic canary-header"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
    ];
    let body = br#"{"username":"ada","password":"canary-password"}"#;
    send(
        server.address,
        "POST",
        "/auth/token?secret=canary-query",
        &headers,
        body,
    )
    .status
}

#[test]
fn spans_say_route_backend_and_outcome_and_never_what_was_sent() {
    let collector = Collector::start();
    let folder = Folder::new();
    let server = traced(&folder, "", &format!("http://{}", collector.address));
    assert_eq!(log_in(&server), 401);
    assert_eq!(server.login("ada", "door").status, 201);
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    let sent = collector.all();
    for expected in [
        "POST /v1/traces",
        "application/x-protobuf",
        "countersign",
        "deployment.environment",
        "POST /auth/token",
        "http.route",
        "http.response.status_code",
        "backend door",
        "countersign.outcome",
        "denied",
        "authenticated",
    ] {
        assert!(
            holds(&sent, expected),
            "{expected}: {}",
            String::from_utf8_lossy(&sent)
        );
    }
    assert!(
        !holds(&sent, "canary"),
        "{}",
        String::from_utf8_lossy(&sent)
    );
    assert!(
        !holds(&sent, trace_id()),
        "a stranger's trace is not continued"
    );
}

#[test]
fn spans_go_over_https_to_a_collector_whose_authority_is_known_and_to_no_other() {
    let folder = Folder::new();
    let made = tls::certificates(&folder, "tls");
    let authority = made.join("ca.pem");
    folder.plugin(&artifacts::plugin("template"), "template");
    for (known, told) in [(true, 0), (false, 1)] {
        let collector = Collector::encrypted(&made);
        let endpoint = format!("https://localhost:{}", collector.address.port());
        let mut variables = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
        if known {
            variables.push(("SSL_CERT_FILE", authority.to_str().unwrap()));
        }
        let server = Server::with(&folder, TEMPLATE, &variables);
        assert_eq!(server.login("ada", "door").status, 201);
        let (code, log) = server.stop();
        assert_eq!(code, 0, "{log}");
        assert_eq!(log.matches("spans cannot be sent").count(), told, "{log}");
        assert_eq!(holds(&collector.all(), "backend door"), known);
    }
}

#[test]
fn trace_of_a_trusted_proxy_is_continued() {
    let collector = Collector::start();
    let folder = Folder::new();
    let config = "\nserver: { trusted_proxies: [127.0.0.1] }\n";
    let server = traced(&folder, config, &format!("http://{}", collector.address));
    assert_eq!(log_in(&server), 401);
    server.stop();
    assert!(holds(&collector.all(), trace_id()));
}

/// As protobuf has it: sixteen bytes.
fn trace_id() -> Vec<u8> {
    let byte = |i: usize| u8::from_str_radix(&PARENT[2 * i..2 * i + 2], 16).unwrap();
    (0..16).map(byte).collect()
}

#[test]
fn collector_that_is_gone_changes_nothing_but_the_log() {
    let folder = Folder::new();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let server = traced(&folder, "", &endpoint);
    for _ in 0..3 {
        assert_eq!(server.login("ada", "door").status, 201);
    }
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    assert_eq!(log.matches("spans cannot be sent").count(), 1, "{log}");
}

#[test]
fn collector_that_never_answers_does_not_hold_up_the_end() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = Folder::new();
    let server = traced(
        &folder,
        "",
        &format!("http://{}", silent.local_addr().unwrap()),
    );
    assert_eq!(server.login("ada", "door").status, 201);
    let began = std::time::Instant::now();
    assert_eq!(server.stop().0, 0);
    assert!(began.elapsed().as_secs() < 9, "{:?}", began.elapsed());
}

#[test]
fn without_an_endpoint_there_is_no_thread_of_it() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let threads = |server: &Server| {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap();
        let names =
            tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap());
        names
            .filter(|name| name.to_lowercase().starts_with("opentelemetry"))
            .count()
    };
    let server = Server::start(&folder, TEMPLATE);
    assert_eq!(threads(&server), 0);
    drop(server);
    let server = traced(&folder, "", "http://127.0.0.1:9");
    assert_eq!(threads(&server), 1);
}
