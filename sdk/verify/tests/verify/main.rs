//! The cases of verification by their ids, published vectors, and the key set client
//! against a server of the test's own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod claims;
mod client;
mod client_tls;
mod differential;
mod form;
mod header;
mod keys;
mod rfc;
mod signature;
mod support;
mod trust;
mod wycheproof;
