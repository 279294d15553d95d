//! The db plugin against real SQLite files, through its public face.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod check;
mod counters;
mod embedded;
mod existing;
mod import;
mod lookup;
mod manage;
mod outage;
mod refusals;
mod secrets;
mod support;
