//! Configuration: defaults < files < environment < flags, every value with its
//! origin, all errors at once.
//!
//! The way of a value: `yaml` (tree with places) → `interpolate` (`${…}`) →
//! `layer` and `env` (merged by figment) → `typing` (text by the key's schema,
//! the plugin's included) → `secrets`, `locate` (files, absolute paths) →
//! `validate`, `rules` → [`shapes`]. [`load()`] is that line.

pub mod compat;
pub mod key;
pub mod origins;
pub mod report;
pub mod schema;
pub mod shapes;
pub mod template;
pub mod values;

mod alternatives;
mod emit;
mod env;
mod explain;
mod formats;
#[cfg(fuzzing)]
pub mod fuzzing;
mod interpolate;
mod layer;
mod load;
mod locate;
mod redact;
mod reference;
mod rules;
mod scalar;
mod secrets;
mod shape;
mod show;
mod sources;
mod tabs;
mod textfile;
mod typing;
mod validate;
mod yaml;

#[cfg(test)]
mod testing;

pub use explain::explain;
pub use load::{Loaded, PluginSchemas, load, schema_of};
pub use reference::reference;
pub use report::{Notice, Report};
pub use secrets::secrets_in;
pub use shapes::Config;
pub use show::show;
pub use sources::Sources;
