//! One shared password, any username.
