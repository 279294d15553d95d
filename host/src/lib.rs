//! Countersign: an authentication plugin host. Backends, loaded from `.so` files
//! at run time, answer *who is asking*; the host maps roles and claims, signs the
//! JWT and publishes the JWKS.
//!
//! The library is what the `countersign` command is made of. `http::router`
//! gives the public routes as an `axum::Router`, to be nested in another service.
//!
//! ```text
//! cli, server ─► http ─► token ─► { backends, keys, accounts } ─► config, clock
//! ```

pub mod config;
pub mod keys;
