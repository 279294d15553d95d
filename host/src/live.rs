//! What serves now, and how it is replaced while it serves.
//!
//! A request enters once and keeps what it entered with to its end. Replacing lets
//! new requests into the new at once; the old is told when the last one has left.
//! Closing the gate makes new requests wait instead of failing.

use std::ops::Deref;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::{oneshot, watch};

/// Something that serves and can be replaced.
#[derive(Debug)]
pub struct Live<T> {
    /// For readers that must not wait and leave nothing behind: probes, the JWKS.
    latest: ArcSwap<T>,
    /// None while the gate is closed.
    gate: ArcSwapOption<Shift<T>>,
    opened: watch::Sender<()>,
}

/// What one request entered with; hold it until the request has ended.
#[derive(Debug)]
pub struct Entered<T>(Arc<Shift<T>>);

/// Resolves when the last request that entered has left.
#[derive(Debug)]
pub struct Leaving(oneshot::Receiver<()>);

#[derive(Debug)]
struct Shift<T> {
    serving: Arc<T>,
    /// Dropped with the last holder.
    _left: oneshot::Sender<()>,
    leaving: std::sync::Mutex<Option<oneshot::Receiver<()>>>,
}

impl<T> Live<T> {
    /// Serves `first`, with an open gate.
    pub fn new(first: T) -> Self {
        let first = Arc::new(first);
        Live {
            latest: ArcSwap::new(Arc::clone(&first)),
            gate: ArcSwapOption::new(Some(Shift::new(first))),
            opened: watch::Sender::new(()),
        }
    }

    /// What serves now, without entering.
    pub fn latest(&self) -> Arc<T> {
        self.latest.load_full()
    }

    /// Enters; waits while the gate is closed.
    pub async fn enter(&self) -> Entered<T> {
        if let Some(shift) = self.gate.load_full() {
            return Entered(shift);
        }
        let mut opened = self.opened.subscribe();
        loop {
            // Asked after subscribing: an opening in between is not missed.
            if let Some(shift) = self.gate.load_full() {
                return Entered(shift);
            }
            // The sender lives as long as `self`.
            let _ = opened.changed().await;
        }
    }

    /// New requests wait from now on, until [`open`](Self::open).
    pub fn close(&self) -> Leaving {
        Leaving::from(self.gate.swap(None))
    }

    /// Lets requests into `next` from now on.
    pub fn open(&self, next: Arc<T>) -> Leaving {
        self.latest.store(Arc::clone(&next));
        let before = self.gate.swap(Some(Shift::new(next)));
        self.opened.send_replace(());
        Leaving::from(before)
    }
}

impl<T> Shift<T> {
    fn new(serving: Arc<T>) -> Arc<Self> {
        let (left, leaving) = oneshot::channel();
        Arc::new(Shift {
            serving,
            _left: left,
            leaving: Some(leaving).into(),
        })
    }
}

impl<T> Deref for Entered<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.serving
    }
}

impl<T> From<Option<Arc<Shift<T>>>> for Leaving {
    fn from(shift: Option<Arc<Shift<T>>>) -> Self {
        let taken = shift.and_then(|shift| {
            let mut leaving = shift.leaving.lock().ok()?;
            leaving.take()
        });
        Leaving(taken.unwrap_or_else(|| oneshot::channel().1))
    }
}

impl Leaving {
    /// Waits until everybody has left.
    pub async fn all_left(self) {
        // The other end is never used, only dropped.
        let _ = self.0.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn enter_after_open_sees_the_new_and_the_old_stays_for_those_inside() {
        let live = Live::new(1);
        let inside = live.enter().await;
        let leaving = live.open(Arc::new(2));
        assert_eq!((*inside, *live.enter().await, *live.latest()), (1, 2, 2));
        let mut left = Box::pin(leaving.all_left());
        assert!((&mut left).now_or_never().is_none());
        drop(inside);
        left.await;
    }

    #[tokio::test]
    async fn enter_at_a_closed_gate_waits_for_the_next_opening() {
        let live = Live::new(1);
        live.close().all_left().await;
        assert_eq!(*live.latest(), 1);
        let mut waiting = Box::pin(live.enter());
        assert!((&mut waiting).now_or_never().is_none());
        live.open(Arc::new(2)).all_left().await;
        assert_eq!(*waiting.await, 2);
    }

    #[tokio::test]
    async fn close_twice_waits_for_nobody_the_second_time() {
        let live = Live::new(1);
        let inside = live.enter().await;
        let _first = live.close();
        live.close().all_left().await;
        drop(inside);
    }
}
