//! Our tokens in the hands of what services are made of: each consumer takes every
//! algorithm that it knows, and refuses what it must.

mod apache;
mod gate;
mod issuers;
mod jose;
mod library;
mod nginx;
mod python;
