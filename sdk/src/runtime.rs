//! The library's own tokio runtime. Every call is spawned on it and aborted when
//! the host drops the call: polled in the host's runtime, one author who blocks
//! would freeze the whole server, and no time limit would fire.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::AuthError;

/// Plugins wait more than they compute; CPU work has its own pool.
const WORKERS: usize = 2;

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

/// The text of a panic. The payload is leaked: its own drop may panic again.
pub(crate) fn panic_text(payload: Box<dyn Any + Send>) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no text".to_owned());
    std::mem::forget(payload);
    text
}

/// Made at first use and never dropped: the library is never unloaded either.
fn runtime() -> Result<&'static Runtime, AuthError> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            let build = || {
                Builder::new_multi_thread()
                    .worker_threads(WORKERS)
                    .thread_name("plugin")
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
