//! The library's own tokio runtime. Every call is spawned on it and aborted when
//! the host drops the call: polled in the host's runtime, one author who blocks
//! would freeze the whole server, and no time limit would fire.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use countersign_abi::{never_pushes_others_off, panic_text};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::AuthError;

/// At least so many threads: a call that blocks keeps one from all others, and a
/// thread that waits costs some 30 kB. More do not help an author who blocks for long.
const FEWEST_WORKERS: usize = 4;

/// Spawns a call; the returned future aborts it when dropped.
pub(crate) fn spawn<T, F>(call: F) -> Call<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T, AuthError>> + Send + 'static,
{
    Call(runtime().map(|runtime| runtime.spawn(call)))
}

/// A call on its way.
pub(crate) struct Call<T>(Result<JoinHandle<Result<T, AuthError>>, AuthError>);

impl<T> Future for Call<T> {
    type Output = Result<T, AuthError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Ok(handle) => Pin::new(handle).poll(cx).map(|joined| match joined {
                Ok(result) => result,
                Err(error) if error.is_panic() => Err(AuthError::fault(format!(
                    "the plugin panicked: {}",
                    panic_text(error.into_panic())
                ))),
                Err(_) => Err(AuthError::unavailable("the call was cancelled")),
            }),
            Err(error) => Poll::Ready(Err(error.clone())),
        }
    }
}

impl<T> Drop for Call<T> {
    fn drop(&mut self) {
        if let Ok(handle) = &self.0 {
            handle.abort();
        }
    }
}

/// Runs `work`, which lets go of something of the author's, with nobody waiting. What
/// cannot be let go of on the runtime is leaked.
pub(crate) fn release(work: impl Future<Output = ()> + Send + 'static) {
    match runtime() {
        Ok(runtime) => drop(runtime.spawn(async move {
            let mut work = std::pin::pin!(work);
            std::future::poll_fn(|cx| {
                catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))).unwrap_or_else(
                    |payload| {
                        panic_text(payload);
                        Poll::Ready(())
                    },
                )
            })
            .await;
        })),
        Err(_) => std::mem::forget(work),
    }
}

/// Made at first use and never dropped: the library is never unloaded either.
pub(crate) fn runtime() -> Result<&'static Runtime, AuthError> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            let workers = cores.max(FEWEST_WORKERS);
            let build = || {
                Builder::new_multi_thread()
                    .worker_threads(workers)
                    .thread_name("plugin")
                    .on_thread_start(never_pushes_others_off)
                    .enable_all()
                    .build()
            };
            build().map_err(|error| error.to_string())
        })
        .as_ref()
        .map_err(|error| {
            AuthError::unavailable(format!(
                "the plugin's runtime could not be started: {error}"
            ))
        })
}
