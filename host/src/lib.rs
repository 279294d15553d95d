//! Countersign: an authentication plugin host. Backends, loaded from `.so` files
//! at run time, answer *who is asking*; the host maps roles and claims, signs the
//! JWT and publishes the JWKS.
//!
//! The library is what the `countersign` command is made of. [`embed::Embedded`] is the
//! whole of it as an [`axum::Router`] inside another service.
//!
//! ```text
//! cli, server ─► http ─► token ─► { backends, keys, accounts } ─► config, clock
//! ```

pub mod accounts;
pub mod audit;
pub mod backends;
pub mod cli;
pub mod clock;
pub mod config;
pub mod drains;
pub mod embed;
pub mod hardening;
pub mod http;
pub mod keyring;
pub mod keys;
pub mod live;
pub mod metering;
pub mod reload;
pub mod seeding;
pub mod server;
pub mod start;
pub mod state;
pub mod telemetry;
pub mod token;
pub mod upkeep;
