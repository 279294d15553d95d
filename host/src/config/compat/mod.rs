//! Configuration of other programs, accepted as it stands.

pub mod fab;
pub mod openmetadata;
mod openmetadata_blocks;
mod openmetadata_trust;
