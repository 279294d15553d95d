//! The grant `authorization_code` (RFC 6749 section 4.1.3).

use super::error::Error;
use super::form::Form;
use super::{Answer, Serving};
use crate::token::Request;

/// As `grant_type` names it.
pub const GRANT: &str = "authorization_code";

/// Where codes are had.
pub const AUTHORIZE: &str = "/oauth2/authorize";

/// Can a code be had here?
pub fn is_enabled(_serving: &Serving) -> bool {
    false
}

/// The token for a code.
///
/// # Errors
/// `invalid_grant`: the code is unknown, used, expired, or another client's.
pub async fn answer(
    _serving: &Serving,
    _form: &Form,
    _request: &mut Request,
) -> Result<Answer, Error> {
    Err(Error::invalid_grant("there are no codes"))
}
