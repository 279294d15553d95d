//! Accounts: what the host remembers of users ([`store`]), the rows that they have in
//! another backend ([`provision`], [`unlink`]), the users of a plugin's own tables, managed through
//! the host, the brake on guessing their passwords ([`throttle`]), and what may be used
//! [`once`].

pub mod bots;
pub mod derived;
pub mod devices;
pub mod first_admin;
pub mod grants;
mod holding;
pub mod initial_password;
pub mod lasting;
pub mod manage;
pub mod once;
pub mod opaque;
pub mod provision;
pub mod store;
pub mod throttle;
pub mod unlink;

pub use provision::{Accounts, Principal};
