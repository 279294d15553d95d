//! What a plugin's tests need: surroundings and requests without a host.
//!
//! ```
//! use countersign_sdk::testing;
//!
//! let request = testing::request(&[("x-door", "front")], r#"{"username":"ada","password":"pw"}"#);
//! assert!(request.username_password().is_some());
//! let cx = testing::cx(&std::env::temp_dir());
//! assert!(!cx.is_check());
//! ```

use std::path::Path;

use serde_json::json;

use crate::context::Envelope;
use crate::{Cx, TokenRequest};

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

#[expect(clippy::expect_used, reason = "a test wants the panic")]
fn surroundings(state: &Path, check: bool) -> Cx {
    let envelope = json!({ "backend": "test", "state": state, "check": check });
    let envelope: Envelope = serde_json::from_value(envelope).expect("the path is UTF-8");
    Cx::new(&envelope, None)
}
