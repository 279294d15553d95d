//! The binary boundary between the Countersign host and its plugins.
//!
//! This is the only crate of the house that names `abi_stable`, `async-ffi` or
//! `libloading`, and the only one with `unsafe` blocks. None of those crates'
//! types leave it: the host sees [`Library`] and [`Instance`], the SDK sees
//! [`Plugin`] and [`Export`], both in plain Rust types.
//!
//! # What is frozen, and how it may grow
//!
//! The crate's version is the ABI version. Host and plugin must agree on the
//! major number; the side with the older minor is the interface that the other
//! has to satisfy, so an old plugin loads in a new host and the other way round.
//!
//! - By-value structs never change. Each carries `ext_json` for what comes later.
//! - The service table and the root module grow only at their ends.
//! - New object methods come last, with a default body.
//! - Codes are integers; an unknown one is a fault. No data-carrying enum crosses.
//! - A call that was aborted is over when its [`Lease`] is dropped, not before.
//! - The host's services are the plugin's until it gives them back; then nothing of them
//!   is called any more, and the host lets go of what stood behind them.
//! - Deadlines cross as milliseconds left, since the two sides share no clock.
//!
//! Nothing is ever unloaded: a library's file descriptor, mapping and root
//! module live as long as the process (see [`Opened`]).

mod elf;
mod export;
mod headers;
mod info;
mod instance;
mod layout;
mod lease;
mod loader;
mod memory;
mod object;
mod operation;
mod panic;
mod received;
mod root;
mod schema;
mod seal;
mod services;
mod thread;
mod types;

use std::future::Future;
use std::pin::Pin;

pub use elf::{InspectError, Inspection};
pub use export::{Export, Plugin};
pub use headers::{Header, Headers};
pub use info::{ABI_VERSION, Info};
pub use instance::Instance;
pub use lease::Lease;
pub use loader::{Inspected, Library, LoadError, Opened};
pub use memory::give_back_memory;
pub use operation::{Call, Operation};
pub use panic::panic_text;
pub use seal::Sealed;
pub use services::{Level, Metric, Services};
pub use thread::never_pushes_others_off;
pub use types::{Code, Failure, Request, User};

/// The futures that a plugin's side gives to this crate.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send + 'static>>;

#[doc(hidden)]
pub mod __private {
    //! What [`export!`](crate::export) expands to. Not for use by hand.
    pub use crate::export::{LibHeader, header};
    pub use crate::info::section;
}
