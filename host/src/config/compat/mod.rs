//! Configuration of other programs, accepted as it stands.

pub mod fab;
pub mod openmetadata;
mod openmetadata_blocks;
mod openmetadata_flow;
mod openmetadata_sso;
mod openmetadata_trust;
