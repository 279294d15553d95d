//! Real nginx, Traefik and Envoy, configured by the files of `config/deploy`, before a service
//! that tells which headers reached it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use countersign_tests::peer::{Peer, script};
use countersign_tests::wire::Wire;
use countersign_tests::{Answer, Folder, Server, send};

use super::with_claims;

const HEADERS: [&str; 5] = [
    "x-auth-subject",
    "x-auth-user",
    "x-auth-email",
    "x-auth-roles",
    "x-auth-issuer",
];

/// A service that answers with the head of each request; it lives as long as this process.
fn service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || tell(&stream));
        }
    });
    address
}

fn tell(mut stream: &TcpStream) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    loop {
        let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        if head.is_empty() {
            return;
        }
        let body = head.join("\n").to_lowercase();
        let length = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

struct Proxy {
    peer: Peer,
    _folder: Folder,
}

impl Proxy {
    fn before(which: &str, server: &Server, query: &str) -> Self {
        let folder = Folder::new();
        let mut command = Command::new(script("proxies/proxy.sh"));
        command
            .arg(which)
            .arg(folder.join(which))
            .args([server.address.to_string(), service().to_string()])
            .arg(query);
        Proxy {
            peer: Peer::start(command, "LOG"),
            _folder: folder,
        }
    }

    fn address(&self) -> SocketAddr {
        self.peer.facts["ADDRESS"].parse().unwrap()
    }

    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        send(self.address(), method, path, headers, b"")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.peer.facts["LOG"]).unwrap_or_default()
    }
}

/// The values of the identity headers that reached the service; `None` = the header did not.
fn seen(answer: &Answer) -> [Option<&str>; 5] {
    HEADERS.map(|name| {
        let beginning = format!("{name}: ");
        let bare = format!("{name}:");
        let mut lines = answer.body.lines().filter(|line| line.starts_with(&bare));
        let line = lines.next()?;
        assert!(lines.next().is_none(), "{name} twice: {answer:?}");
        Some(line.strip_prefix(&beginning).unwrap_or_default())
    })
}

fn lets_in_whom_it_must(which: &str) {
    let folder = Folder::new();
    let server = with_claims(&folder, "server: { trusted_proxies: [127.0.0.0/8] }");
    let proxy = Proxy::before(which, &server, "");
    let bearer = format!("Bearer {}", server.token("ada", "door"));
    // What the client says of itself never reaches the service.
    let spoofed = [
        ("authorization", bearer.as_str()),
        ("x-auth-subject", "root"),
        ("x-auth-user", "root"),
        ("X-Auth-Email", "root@example.org"),
        ("x-auth-roles", "Admin"),
        ("x-auth-roles", "Owner"),
        ("x-auth-issuer", "https://evil.example"),
    ];
    let answer = proxy.ask("GET", "/jobs?role=x&audience=lake", &spoofed);
    assert_eq!(answer.status, 200, "{answer:?}\n{}", proxy.log());
    let [subject, user, email, roles, issuer] = seen(&answer);
    assert_eq!((subject, user), (Some("ada"), Some("ada")), "{answer:?}");
    assert!(email.is_none_or(str::is_empty), "{answer:?}");
    assert_eq!(roles, Some("op,a%2cadmin"));
    assert_eq!(issuer, Some("https://id.example"));
    assert!(answer.body.starts_with("get /jobs?role=x&audience=lake "));
    // Nor what some services take for the same name.
    let alias = [("authorization", bearer.as_str()), ("x_auth_user", "root")];
    let answer = proxy.ask("GET", "/jobs", &alias);
    assert!(!answer.body.contains("root"), "{answer:?}");
    // A request with a body passes with it, and asks without it.
    let mut wire = Wire::to(proxy.address());
    wire.send(format!(
        "POST /jobs HTTP/1.1\r\nhost: x\r\nauthorization: {bearer}\r\ncontent-length: 0\r\n\r\n"
    ));
    assert_eq!(wire.answer().unwrap().status, 200);
    server.stop();
    // Nobody comes in while it is away.
    let answer = proxy.ask("GET", "/jobs", &spoofed);
    assert!(answer.status >= 500, "{answer:?}");
}

fn keeps_out_whom_it_must(which: &str) {
    let folder = Folder::new();
    let server = with_claims(&folder, "server: { trusted_proxies: [127.0.0.0/8] }");
    let proxy = Proxy::before(which, &server, "?role=Admin&audience=apache-airflow");
    let token = server.token("ada", "door");
    let bearer = format!("Bearer {token}");
    let forged = format!("{bearer}x");
    let named = ("x-auth-user", "root");
    let override_method = ("x-http-method-override", "OPTIONS");
    let forwarded = ("x-forwarded-for", "203.0.113.9");
    for (headers, status) in [
        (vec![], 401),
        (vec![named], 401),
        (vec![("authorization", "Basic YWRhOmRvb3I="), named], 401),
        (vec![("authorization", forged.as_str())], 401),
        (vec![("authorization", bearer.as_str())], 403),
        (
            vec![
                ("authorization", bearer.as_str()),
                named,
                override_method,
                forwarded,
            ],
            403,
        ),
        (
            vec![
                ("authorization", bearer.as_str()),
                ("x-original-url", "/auth/verify"),
                ("x-original-method", "OPTIONS"),
                ("x-forwarded-uri", "/"),
            ],
            403,
        ),
    ] {
        for path in [
            "/jobs",
            "/jobs?role=Op",
            "/?path=/&role=Op",
            "/_countersign/verify",
        ] {
            let answer = proxy.ask("GET", path, &headers);
            // What nginx keeps to itself is not there for anybody.
            let hidden = which == "nginx" && path.starts_with("/_") && answer.status == 404;
            assert!(
                answer.status == status || hidden,
                "{headers:?} {path}: {answer:?}"
            );
            assert!(!answer.body.contains("x-auth-"), "{answer:?}");
        }
    }
    let challenge = proxy.ask("GET", "/", &[]);
    let challenge = challenge.header("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with("Bearer "), "{challenge}");
    let (_, log) = server.stop();
    assert!(log.contains(r#""outcome":"forbidden""#), "{log}");
}

#[test]
fn nginx_asks_and_passes_our_headers_over_the_clients() {
    lets_in_whom_it_must("nginx");
    keeps_out_whom_it_must("nginx");
}

#[test]
fn traefik_asks_and_passes_our_headers_over_the_clients() {
    lets_in_whom_it_must("traefik");
    keeps_out_whom_it_must("traefik");
}

#[test]
fn envoy_asks_and_passes_our_headers_over_the_clients() {
    lets_in_whom_it_must("envoy");
    keeps_out_whom_it_must("envoy");
}
