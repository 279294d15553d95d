//! Sockets: accepting, limits, and an end that lets answers out.
//!
//! `axum::serve` knows neither a header timeout nor a cap on connections, so this
//! is hyper's builder. HTTP/1.1 alone: proxies speak it to us, and a second protocol
//! would be code that nobody runs and everybody can reach.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};

use crate::http::peer::Peer;

/// A client gets this long to send its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Open connections at once; further ones wait in the kernel's queue.
const CONNECTIONS: usize = 4096;

/// How long answers in flight may take after the signal to stop.
const GRACE: Duration = Duration::from_secs(20);

/// A client's request head may be this large.
const HEAD: usize = 64 * 1024;

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// No end in sight.
    Running,
    /// No new connections; answers in flight are finished.
    Draining,
    /// Asked a second time: whatever is in flight is dropped.
    Now,
}

/// Tells how far the end has come.
pub type Stop = watch::Receiver<Phase>;

/// Waits in the background for SIGTERM or SIGINT, once to drain and once more to
/// end at once; and for SIGHUP, which `hung_up` is told.
pub fn stop_on_signals(hung_up: impl Fn() + Send + 'static) -> io::Result<Stop> {
    let (sender, stop) = watch::channel(Phase::Running);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hangup.recv() => { hung_up(); continue }
            }
            let before = *sender.borrow();
            if before == Phase::Running {
                tracing::info!("stopping: no new connections, answers in flight are finished");
                let _ = sender.send(Phase::Draining);
            } else {
                tracing::warn!("stopping now: answers in flight are dropped");
                let _ = sender.send(Phase::Now);
            }
        }
    });
    Ok(stop)
}

/// Serves over TCP until told to stop, then lets answers out.
pub async fn serve_tcp(listener: TcpListener, router: Router, stop: Stop) {
    let connections = Connections::new();
    let mut stopped = stop.clone();
    loop {
        let Ok(permit) = Arc::clone(&connections.permits).acquire_owned().await else {
            break;
        };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => { pause_after(&error).await; continue }
            },
            _ = stopped.wait_for(|phase| *phase > Phase::Running) => break,
        };
        let _ = stream.set_nodelay(true);
        let router = router
            .clone()
            .layer(Extension(Peer(peer.ip().to_canonical())));
        connections.spawn(stream, router, permit);
    }
    connections.drain(stop).await;
}

/// Serves the admin socket to processes of this user or root, until told to stop.
pub async fn serve_unix(listener: UnixListener, router: Router, stop: Stop) {
    let connections = Connections::new();
    let own = rustix::process::geteuid().as_raw();
    let mut stopped = stop.clone();
    loop {
        let Ok(permit) = Arc::clone(&connections.permits).acquire_owned().await else {
            break;
        };
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => { pause_after(&error).await; continue }
            },
            _ = stopped.wait_for(|phase| *phase > Phase::Running) => break,
        };
        // The folder's and the socket's modes keep others out; this does not depend on them.
        match stream.peer_cred() {
            Ok(peer) if peer.uid() == own || peer.uid() == 0 => {
                connections.spawn(stream, router.clone(), permit)
            }
            _ => tracing::warn!("admin socket: a process of another user was turned away"),
        }
    }
    connections.drain(stop).await;
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

struct Connections {
    graceful: GracefulShutdown,
    permits: Arc<Semaphore>,
    builder: Builder,
}

impl Connections {
    fn new() -> Self {
        let mut builder = Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(HEAD);
        Connections {
            graceful: GracefulShutdown::new(),
            permits: Arc::new(Semaphore::new(CONNECTIONS)),
            builder,
        }
    }

    fn spawn<S>(&self, stream: S, router: Router, permit: tokio::sync::OwnedSemaphorePermit)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let watcher: Watcher = self.graceful.watcher();
        let builder = self.builder.clone();
        tokio::spawn(async move {
            let connection =
                builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
            // A client that goes away in the middle is its own affair.
            let _ = watcher.watch(connection).await;
            drop(permit);
        });
    }

    async fn drain(self, mut stop: Stop) {
        tokio::select! {
            () = self.graceful.shutdown() => {}
            _ = stop.wait_for(|phase| *phase == Phase::Now) => {}
            () = tokio::time::sleep(GRACE) => {
                tracing::warn!("some connections did not end within {} s", GRACE.as_secs());
            }
        }
    }
}

/// Out of descriptors or memory, `accept` fails at once, again and again.
async fn pause_after(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(Duration::from_millis(50)).await;
}
