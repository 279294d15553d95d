//! The plugin against real directories: a private slapd of the test bed, started once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod bed;
mod groups;
mod login;
mod net;
mod scripted;
