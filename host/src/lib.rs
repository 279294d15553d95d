//! Countersign: backends answer who is asking, the host signs the token.

pub mod config;
