//! The plugin against a real OpenID provider, and against servers that lie.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

mod bearer;
mod bed;
mod discovery;
mod kinds;
mod liar;
mod login;
mod opaque;
mod outages;
mod presets;
mod signatures;
mod tls;
