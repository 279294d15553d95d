//! The end of a server: nothing that was accepted is dropped, and nothing holds it up.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use countersign_tests::wire::{Wire, login};
use countersign_tests::{Folder, Server, artifacts, get};

use crate::{TEMPLATE, template};

/// Waits until nothing listens there any more.
fn refused(address: SocketAddr) {
    while TcpStream::connect(address).is_ok() {
        thread::yield_now();
    }
}

#[test]
fn h14_request_in_flight_is_answered_and_its_connection_closed() {
    let folder = Folder::new();
    let server = template(&folder);
    let request = login("door");
    let (start, end) = request.split_at(request.len() - 1);
    let mut half = Wire::to(server.address);
    half.send(start);
    let mut unread = Wire::to(server.address);
    unread.send(&start[..10]);
    server.signal();
    refused(server.address);
    assert_eq!(
        get(server.admin, "/healthz").status,
        200,
        "probes to the last"
    );
    for (wire, rest) in [(&mut half, end), (&mut unread, &request[10..])] {
        let answer = wire.send(rest).answer().unwrap();
        assert_eq!(
            (answer.status, answer.header("connection")),
            (201, Some("close"))
        );
        assert!(wire.is_closed());
    }
    let (code, log) = server.ended();
    assert_eq!(code, 0, "{log}");
    assert!(log.contains("stopped"), "{log}");
}

#[test]
fn h14_silent_and_idle_connections_do_not_hold_up_the_end() {
    let folder = Folder::new();
    let server = template(&folder);
    let silent = Wire::to(server.address);
    let mut idle = Wire::to(server.address);
    assert_eq!(idle.send(login("door")).answer().unwrap().status, 201);
    let began = Instant::now();
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
    assert!(idle.is_closed());
    drop(silent);
}

#[test]
fn h14_second_sigterm_ends_at_once() {
    let folder = Folder::new();
    let server = template(&folder);
    let mut half = Wire::to(server.address);
    half.send(&login("door")[..60]);
    server.signal();
    refused(server.address);
    let began = Instant::now();
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    assert!(log.contains("stopping now"), "{log}");
    assert!(half.is_closed());
}

#[test]
fn h14_end_within_the_grace_whatever_clients_do() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    let server = Server::start(
        &folder,
        &format!("{TEMPLATE}\nserver: {{ limits: {{ drain_timeout: 1s }} }}\n"),
    );
    let mut half = Wire::to(server.address);
    half.send(&login("door")[..100]);
    let began = Instant::now();
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn h14_under_load_every_accepted_request_is_answered() {
    let folder = Folder::new();
    let server = template(&folder);
    let (answered, dropped) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let enough = AtomicBool::new(false);
    let address = server.address;
    let code = thread::scope(|scope| {
        for client in 0..8 {
            let (answered, dropped, enough) = (&answered, &dropped, &enough);
            scope.spawn(move || {
                // Until connecting is refused: half of the clients keep their connections.
                while let Ok(mut stream) = TcpStream::connect(address) {
                    if stream.write_all(login("door").as_bytes()).is_err() {
                        dropped.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                    let mut wire = Wire::over(stream);
                    for _ in 0..20 {
                        let Some(answer) = wire.answer() else {
                            dropped.fetch_add(1, Ordering::Relaxed);
                            break;
                        };
                        assert_eq!(answer.status, 201);
                        if answered.fetch_add(1, Ordering::Relaxed) > 200 {
                            enough.store(true, Ordering::Relaxed);
                        }
                        if client % 2 == 0 || answer.header("connection") == Some("close") {
                            break;
                        }
                        wire.send(login("door"));
                    }
                }
            });
        }
        while !enough.load(Ordering::Relaxed) {
            thread::yield_now();
        }
        server.stop().0
    });
    assert_eq!(
        (code, dropped.into_inner()),
        (0, 0),
        "{answered:?} answered"
    );
}

#[test]
fn next_server_takes_the_same_port_at_once() {
    let folder = Folder::new();
    let server = template(&folder);
    let address = server.address;
    let mut open = Wire::to(address);
    assert_eq!(open.send(login("door")).answer().unwrap().status, 201);
    assert_eq!(server.stop().0, 0);
    let listen = address.to_string();
    let again = Server::with(
        &folder,
        TEMPLATE,
        &[("COUNTERSIGN_SERVER__LISTEN", &listen)],
    );
    assert_eq!(again.login("ada", "door").status, 201);
}
