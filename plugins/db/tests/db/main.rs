//! The db plugin against real databases, through its public face: SQLite's files, and
//! servers of PostgreSQL and MariaDB that these tests start.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bed;
mod check;
mod counters;
mod each;
mod embedded;
mod existing;
mod import;
mod lookup;
mod manage;
mod outage;
mod provision;
mod queries;
mod refusals;
mod rehash;
mod secrets;
mod servers;
mod support;
