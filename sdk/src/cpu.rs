//! The CPU pool: a few threads of lower priority behind a bounded queue.
//!
//! tokio's blocking pool has up to 512 threads, and a scrypt takes 32 MiB: a
//! burst of logins would take 16 GiB. Here memory is bounded by the threads, the
//! waiting by the queue, and a job that nobody waits for any more is skipped.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use countersign_abi::panic_text;
use tokio::sync::oneshot;

use crate::AuthError;
use crate::log;

/// Jobs that may wait, for each thread: at 100 ms a hash about 6 s, less than a caller waits.
const WAITING_PER_THREAD: usize = 64;

/// How much nicer than the runtime's threads: logins must not starve the rest.
const NICENESS: i32 = 5;

type Job = Box<dyn FnOnce() + Send>;

pub(crate) struct Pool {
    queue: SyncSender<Job>,
}

/// The library's pool, made at first use.
pub(crate) fn pool() -> Result<&'static Pool, AuthError> {
    static POOL: OnceLock<Option<Pool>> = OnceLock::new();
    POOL.get_or_init(|| Pool::start(threads(), threads() * WAITING_PER_THREAD).ok())
        .as_ref()
        .ok_or_else(|| AuthError::unavailable("the CPU pool's threads could not be started"))
}

/// One thread per core.
pub(crate) fn threads() -> usize {
    thread::available_parallelism().map_or(2, usize::from)
}

impl Pool {
    fn start(threads: usize, waiting: usize) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(waiting);
        let jobs = Arc::new(Mutex::new(jobs));
        for index in 0..threads {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new()
                .name(format!("plugin-cpu-{index}"))
                .spawn(move || work(&jobs))?;
        }
        Ok(Pool { queue })
    }

    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, AuthError>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (answer, waiting) = oneshot::channel();
        let speaker = log::current();
        let job = Box::new(move || {
            if !answer.is_closed() {
                let result = log::within(speaker, || catch_unwind(AssertUnwindSafe(work)));
                // A result that nobody takes is the author's too; its drop may panic.
                if let Err(Err(payload)) = answer.send(result) {
                    panic_text(payload);
                }
            }
        });
        self.queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => AuthError::unavailable("the CPU pool's queue is full")
                .retry_after(Duration::from_secs(2)),
            TrySendError::Disconnected(_) => AuthError::unavailable("the CPU pool has no threads"),
        })?;
        match waiting.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(payload)) => Err(AuthError::fault(format!(
                "work in the CPU pool panicked: {}",
                panic_text(payload)
            ))),
            Err(_) => Err(AuthError::unavailable("the CPU pool dropped the work")),
        }
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    // On Linux a niceness belongs to the thread. Failing is harmless.
    let _ = rustix::process::setpriority_process(None, NICENESS);
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            // What is left to panic is the drop of work that nobody waits for any more.
            Ok(job) => drop(catch_unwind(AssertUnwindSafe(job)).map_err(panic_text)),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Kind;
    use std::sync::mpsc;

    #[tokio::test]
    async fn run_of_work_gives_its_value() {
        let pool = Pool::start(1, 1).unwrap();
        assert_eq!(pool.run(|| 6 * 7).await, Ok(42));
    }

    #[tokio::test]
    async fn run_of_a_panic_is_a_fault_and_the_pool_lives_on() {
        let pool = Pool::start(1, 1).unwrap();
        let error = pool.run(|| -> u8 { panic!("boom") }).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Fault);
        assert!(error.detail().contains("boom"));
        assert_eq!(pool.run(|| 1).await, Ok(1));
    }

    #[tokio::test]
    async fn run_when_the_queue_is_full_is_unavailable_at_once() {
        let pool = Pool::start(1, 1).unwrap();
        let (started, has_started) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let busy = pool.run(move || {
            started.send(()).unwrap();
            gate.recv().unwrap();
        });
        let mut busy = Box::pin(busy);
        let mut waiting = Box::pin(pool.run(|| ()));
        assert!(futures_poll(&mut busy).is_none());
        has_started.recv().unwrap();
        assert!(futures_poll(&mut waiting).is_none());
        let error = pool.run(|| ()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
        release.send(()).unwrap();
        assert_eq!(busy.await, Ok(()));
        assert_eq!(waiting.await, Ok(()));
    }

    #[tokio::test]
    async fn run_whose_caller_has_gone_is_not_begun() {
        let pool = Pool::start(1, 2).unwrap();
        let (release, gate) = mpsc::channel::<()>();
        let mut busy = Box::pin(pool.run(move || gate.recv().unwrap()));
        assert!(futures_poll(&mut busy).is_none());
        let (ran, has_run) = mpsc::channel();
        let mut gone = Box::pin(pool.run(move || ran.send(()).unwrap()));
        assert!(futures_poll(&mut gone).is_none());
        drop(gone);
        release.send(()).unwrap();
        assert_eq!(busy.await, Ok(()));
        assert_eq!(pool.run(|| ()).await, Ok(()));
        assert!(has_run.recv().is_err(), "its closure was dropped unrun");
    }

    #[tokio::test]
    async fn run_of_work_that_panics_when_dropped_leaves_the_thread_alive() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("in drop")
            }
        }
        let pool = Pool::start(1, 2).unwrap();
        let (release, gate) = mpsc::channel::<()>();
        let mut busy = Box::pin(pool.run(move || gate.recv().unwrap()));
        assert!(futures_poll(&mut busy).is_none());
        let bomb = Bomb;
        let mut gone = Box::pin(pool.run(move || drop(bomb)));
        assert!(futures_poll(&mut gone).is_none());
        drop(gone);
        release.send(()).unwrap();
        assert_eq!(busy.await, Ok(()));
        assert_eq!(pool.run(|| 1).await, Ok(1));
    }

    fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        match std::pin::Pin::new(future).poll(&mut cx) {
            std::task::Poll::Ready(value) => Some(value),
            std::task::Poll::Pending => None,
        }
    }
}
