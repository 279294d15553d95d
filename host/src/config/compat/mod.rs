//! Configuration of other programs, accepted as it stands.

mod entra;
pub mod fab;
pub mod openmetadata;
