//! Write an authentication plugin for Countersign.
//!
//! A plugin decides *who is asking*; the host maps roles, signs the token and
//! does the rest. This is a whole plugin:
//!
//! ```
//! use countersign_sdk::prelude::*;
//!
//! /// One shared password, any username.
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(crate = "countersign_sdk::serde", deny_unknown_fields)]
//! #[schemars(crate = "countersign_sdk::schemars")]
//! struct Shared {
//!     /// The password.
//!     password: Secret,
//! }
//!
//! impl AuthPlugin for Shared {
//!     async fn create_token(&self, request: TokenRequest) -> Result<Option<User>> {
//!         let Some((username, password)) = request.username_password() else { return Ok(None) };
//!         if !self.password.matches(&password) {
//!             return Err(AuthError::denied("wrong password").subject(username));
//!         }
//!         Ok(Some(User::new(&username, &username)))
//!     }
//! }
//!
//! export_plugin!(Shared);
//! ```
//!
//! Its `Cargo.toml`. The crate must be called `countersign-<name>`: cargo then builds
//! `libcountersign_<name>.so`, the file that the host looks for.
//!
//! ```toml
//! [package]
//! name = "countersign-door"
//! version = "0.1.0"
//! edition = "2024"
//!
//! [lib]
//! crate-type = ["cdylib"]
//!
//! [dependencies]
//! countersign-sdk = { version = "0.1", path = "../../sdk" } # inside Countersign's repository
//! ```
//!
//! Put `libcountersign_door.so` beside the host, and name it in the configuration:
//! `backends: { front: { plugin: door, config: { password: … } } }`.
//!
//! - The manual, with a chapter for each question: [`guide`].
//! - An instance that holds a client or a pool: [`Configure`].
//! - The life of a plugin, step by step: [`AuthPlugin`].
//! - What to answer when: [`AuthError`].
//! - Work that burns CPU (password hashes): [`Cx::cpu`].
//!
//! Every library owns a tokio runtime that the SDK makes; each call is spawned on
//! it and aborted when the host stops waiting. Depend on `tokio = "1"` with the features
//! that you use: cargo makes it the SDK's own copy, and timers, sockets and `tokio::spawn`
//! work in `configure` and in every call. Make no second runtime. A panic is a fault of that one
//! call. Logs are ordinary `tracing` events; they come out in the host's log, with
//! the fields of the spans around them: your crate's at the host's level, those of your
//! dependencies from WARN on, since their finer lines may hold credentials.

mod context;
mod cpu;
mod error;
mod export;
pub mod guide;
mod log;
mod login;
mod plugin;
mod provision;
mod request;
mod runtime;
mod secret;
pub mod testing;
mod user;

pub use context::Cx;
pub use error::{AuthError, Kind, Result};
pub use login::{BeginLogin, FinishLogin, LoggedIn, LoginStart, Logout};
pub use plugin::{AuthPlugin, Capabilities, Configure};
pub use provision::{Adopt, Provision, Provisioned, RoleSync};
pub use request::TokenRequest;
pub use secret::Secret;
pub use user::User;

pub use schemars;
pub use serde;
pub use serde_json;
pub use tracing;

/// Everything that a plugin names, in one `use`.
pub mod prelude {
    pub use crate::{
        AuthError, AuthPlugin, Capabilities, Configure, Cx, Result, Secret, TokenRequest, User,
        export_plugin,
    };
    pub use schemars::JsonSchema;
    pub use serde::Deserialize;
}

#[doc(hidden)]
pub mod __private {
    //! What [`export_plugin!`](crate::export_plugin) expands to. Not for use by hand.
    pub use crate::export::Exported;
    pub use countersign_abi::export;

    /// This SDK's version, for the `.countersign` section.
    pub const SDK_VERSION: &str = env!("CARGO_PKG_VERSION");
}

#[cfg(panic = "abort")]
compile_error!(
    "a Countersign plugin must be built with panic = \"unwind\": with \"abort\", one panic ends the whole server"
);
