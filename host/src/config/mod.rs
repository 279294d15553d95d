//! Configuration: defaults < files < environment < flags, every value with its
//! origin, all errors at once.

pub mod shapes;
pub mod values;

pub use shapes::Config;
