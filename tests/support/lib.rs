//! What every end-to-end test needs: the built files, a folder of its own, a
//! running server, and requests to it byte for byte.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)] // a test support crate: failing loudly is its job

pub mod airflow;
pub mod artifacts;
pub mod chromium;
pub mod client;
pub mod command;
pub mod fault;
pub mod folder;
pub mod looks;
pub mod oidc;
pub mod openmetadata;
pub mod patched;
pub mod peer;
pub mod postgres;
pub mod preset;
pub mod server;
pub mod slapd;
pub mod tls;
pub mod token;
pub mod wire;

pub use client::{Answer, attempt, get, post_json, send};
pub use command::{Done, countersign};
pub use folder::Folder;
pub use server::Server;
