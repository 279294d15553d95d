//! Backends: from a name in the configuration to an answer about a user.
//!
//! A plugin file passes these stages, each a function that consumes the type of
//! the one before and has one error:
//!
//! 1. [`discover`]: the name becomes a path; only what configuration names is looked for.
//! 2. [`verify`]: a regular file of a trusted owner that nobody else may write.
//! 3. seal: a private, hashed copy; the pin is compared.
//! 4. inspect: its ELF tables are sound, its ABI is ours.
//! 5. open: mapped.
//! 6. check: version and layout agree.
//! 7. [`supervisor`]: configured, then ready.
//!
//! 3 to 6 are `countersign-abi`'s; [`library`] strings them together. A request
//! then runs down the [`chain`], each [`backend`] giving one [`Outcome`]: past its
//! [`gate`] (permits, [`breaker`], metrics) and under its time limit.

pub mod backend;
pub mod breaker;
mod calls;
pub mod chain;
pub mod discover;
mod flight;
mod flood;
pub mod gate;
pub mod library;
mod log;
mod metrics;
pub mod outcome;
mod printable;
pub mod recent;
pub mod registry;
mod secrets;
mod sent;
pub mod supervisor;
pub mod user;
pub mod verify;

pub use outcome::Outcome;
pub use registry::Registry;
