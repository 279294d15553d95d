//! Accounts that live in a plugin's own tables, managed through the host; and the
//! brake on guessing their passwords.

pub mod first_admin;
pub mod initial_password;
pub mod manage;
pub mod throttle;
