//! What a plugin's tests need: requests and surroundings without a host, and the
//! plugin's real file, loaded and called as the host would.
//!
//! ```
//! use countersign_sdk::testing;
//!
//! let request = testing::request(&[("x-door", "front")], r#"{"username":"ada","password":"pw"}"#);
//! assert!(request.username_password().is_some());
//! let cx = testing::cx(&std::env::temp_dir());
//! assert!(!cx.is_check());
//! ```
//!
//! [`Plugin::built`] is the file; [the guide](crate::guide::testing) shows a whole test.

mod build;
mod plugin;
mod recorder;

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use crate::context::Envelope;
use crate::runtime::runtime;
use crate::{Cx, TokenRequest};

pub use countersign_abi::{Info, Level, Metric, Operation};
pub use plugin::{Instance, LoadError, Plugin};
pub use recorder::{Line, Measurement};

/// No test waits longer for a future.
const LIMIT: Duration = Duration::from_secs(60);

/// Surroundings of an instance named `test`, with this folder as its state.
///
/// # Panics
///
/// If the path is not UTF-8.
pub fn cx(state: &Path) -> Cx {
    surroundings(state, false)
}

/// The same under `countersign check`: [`Cx::is_check`] is true.
///
/// # Panics
///
/// If the path is not UTF-8.
pub fn cx_of_check(state: &Path) -> Cx {
    surroundings(state, true)
}

/// A request from 127.0.0.1 with these headers (lower-case names) and this body.
pub fn request(headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> TokenRequest {
    countersign_abi::Request {
        headers: headers.iter().copied().collect(),
        body: body.into(),
        peer: "127.0.0.1".to_owned(),
        request_id: "test".to_owned(),
        millis_left: 10_000,
    }
    .into()
}

/// A request with a username and a password in a JSON body, as most clients send it.
pub fn login(username: &str, password: &str) -> TokenRequest {
    let body = json!({ "username": username, "password": password });
    request(
        &[("content-type", "application/json")],
        body.to_string().into_bytes(),
    )
}

/// Runs a future to its end, on a runtime like the one that the plugin has in the host.
/// For plain `#[test]` functions; it works inside of `#[tokio::test]`, too.
///
/// # Panics
///
/// If the future does, or takes longer than a minute.
#[expect(clippy::expect_used, reason = "a test wants the panic")]
pub fn block_on<F>(future: F) -> F::Output
where
    F: Future + Send,
    F::Output: Send,
{
    let run = || {
        let runtime = runtime().expect("threads for the runtime");
        runtime.block_on(async { timeout(LIMIT, future).await })
    };
    // On a thread of its own: a runtime must not wait within another.
    let ended = std::thread::scope(|scope| scope.spawn(run).join());
    match ended {
        Ok(answer) => answer.expect("the future did not end within a minute"),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

#[expect(clippy::expect_used, reason = "a test wants the panic")]
fn surroundings(state: &Path, check: bool) -> Cx {
    let envelope = json!({ "backend": "test", "state": state, "check": check });
    let envelope: Envelope = serde_json::from_value(envelope).expect("the path is UTF-8");
    Cx::new(&envelope, None)
}
