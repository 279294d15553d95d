//! Accounts that live in a plugin's own tables, managed through the host.

pub mod first_admin;
pub mod initial_password;
pub mod manage;
