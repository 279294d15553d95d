//! Sockets: accepting, limits, TLS, and an end that lets answers out.
//!
//! ```text
//! accept ─► crowd (how many) ─► tls ─► connection ─► watched (bytes, time) ─► hyper ─► service ─► routes
//! ```
//!
//! `axum::serve` knows neither time limits nor a cap on connections, so this is hyper's
//! builder. HTTP/1.1 alone: proxies speak it to us, and a second protocol would be
//! code that nobody runs and everybody can reach.

mod connection;
mod conversation;
mod crowd;
mod framing;
mod service;
mod signals;
pub mod tls;
mod watched;

use std::io;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt;
use tokio::net::{TcpListener, TcpStream, UnixListener};

use crate::config::shapes::Limits;
use crate::http::peer::Peer;
use crate::metering;
use connection::Serving;
use conversation::Times;
use crowd::{Crowd, Place};

pub use crowd::make_room;
pub use signals::{Phase, Stop, stop_on_signals};

/// How a TCP listener is served.
pub struct Options {
    /// How many connections, and how long they may take.
    pub limits: Limits,
    /// Encrypts; none = plain HTTP.
    pub tls: Option<tls::Acceptor>,
    /// Whose connections are not counted by address: trusted proxies, which bring everybody's.
    pub uncounted: Box<dyn Fn(IpAddr) -> bool + Send + Sync>,
}

/// Serves over TCP until told to stop, then lets answers out.
pub async fn serve_tcp(listener: TcpListener, router: Router, options: Options, stop: Stop) {
    let crowd = Crowd::new(options.limits.connections);
    let serving = Serving {
        router,
        times: times(&options.limits),
        stop: stop.clone(),
    };
    let admit = |stream: TcpStream, address: IpAddr, mut place: Place| {
        let most = options.limits.connections_per_address;
        if !(options.uncounted)(address) && !crowd.admit(&mut place, address, most as usize) {
            metering::connection_refused();
            tracing::debug!(peer = %address, most, "an address has too many connections");
            return;
        }
        let _ = stream.set_nodelay(true);
        let connection = serving
            .clone()
            .tcp(stream, Peer(address), options.tls.clone());
        tokio::spawn(async move {
            connection.await;
            drop(place);
        });
    };
    let mut stopped = stop.clone();
    loop {
        let accepted = tokio::select! {
            // Without a place nothing is accepted: further clients wait in the kernel's queue.
            accepted = async { (crowd.place().await, listener.accept().await) } => accepted,
            _ = stopped.wait_for(|phase| *phase > Phase::Running) => break,
        };
        match accepted {
            (Some(place), Ok((stream, peer))) => admit(stream, peer.ip().to_canonical(), place),
            (_, Err(error)) => pause_after(&error).await,
            (None, _) => break,
        }
    }
    // The kernel has told these clients that they are connected.
    for (stream, address) in queued(listener) {
        if let Some(Some(place)) = crowd.place().now_or_never() {
            admit(stream, address, place);
        }
    }
    drain(&crowd, options.limits.drain_timeout, stop).await;
}

/// Serves the admin socket to processes of this user or root, until told to stop.
pub async fn serve_unix(listener: UnixListener, router: Router, limits: &Limits, stop: Stop) {
    let crowd = Crowd::new(limits.connections);
    let serving = Serving {
        router,
        times: times(limits),
        stop: stop.clone(),
    };
    let own = rustix::process::geteuid().as_raw();
    let mut stopped = stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = async { (crowd.place().await, listener.accept().await) } => accepted,
            _ = stopped.wait_for(|phase| *phase > Phase::Running) => break,
        };
        let (place, stream) = match accepted {
            (Some(place), Ok((stream, _))) => (place, stream),
            (_, Err(error)) => {
                pause_after(&error).await;
                continue;
            }
            (None, _) => break,
        };
        // The folder's and the socket's modes keep others out; this does not depend on them.
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == own || peer.uid() == 0 => {
                let connection = serving.clone().stream(stream, None);
                tokio::spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            _ => tracing::warn!("admin socket: a process of another user was turned away"),
        }
    }
    drain(&crowd, limits.drain_timeout, stop).await;
}

/// Binds the admin socket; the caller holds the state folder's lock, so that a
/// socket file that is there is a dead process's.
pub fn bind_socket(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// A client must have taken an answer this long after the socket's buffers were full.
/// Answers are small: it is a client that does not read at all, or on purpose slowly.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

fn times(limits: &Limits) -> Times {
    Times {
        header: limits.header_timeout,
        idle: limits.idle_timeout,
        write: WRITE_TIMEOUT,
    }
}

/// Closes the listener; what waited in its queue is left.
fn queued(listener: TcpListener) -> Vec<(TcpStream, IpAddr)> {
    let Ok(listener) = listener.into_std() else {
        return Vec::new();
    };
    // It does not block: the first error is an empty queue, or nothing to be done about.
    std::iter::from_fn(|| listener.accept().ok())
        .filter_map(|(stream, peer)| {
            stream.set_nonblocking(true).ok()?;
            Some((TcpStream::from_std(stream).ok()?, peer.ip().to_canonical()))
        })
        .collect()
}

async fn drain(crowd: &Crowd, limit: Duration, mut stop: Stop) {
    tokio::select! {
        () = crowd.gone() => {}
        _ = stop.wait_for(|phase| *phase == Phase::Now) => {}
        () = tokio::time::sleep(limit) => {
            tracing::warn!("some connections did not end within {}", humantime::format_duration(limit));
        }
    }
}

/// Out of descriptors or memory, `accept` fails at once, again and again.
async fn pause_after(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(100)).await;
}
