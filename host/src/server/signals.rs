//! Signals, and how far the end has come.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

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
