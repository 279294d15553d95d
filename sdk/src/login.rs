//! What crosses in a browser login: the host leads the browser away and takes the
//! callback; the plugin says where to, and who came back. The host keeps `private`
//! bound to that browser in between, and binds `state` and `nonce` itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::User;

/// The beginning of a login in the browser.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct BeginLogin {
    /// Where the provider must send the browser back to, to the letter.
    pub redirect_uri: String,
    /// To be sent along and to come back (RFC 6749 section 10.12). The host checks it.
    pub state: String,
    /// To be sent along and to stand in the ID token (OpenID Connect Core section 3.1.2.1).
    pub nonce: String,
}

/// Where the browser goes.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct LoginStart {
    /// The provider's page, with all parameters.
    pub url: String,
    /// Comes back in [`FinishLogin::private`], such as the PKCE verifier. The browser never sees it.
    pub private: Value,
}

/// The browser is back.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct FinishLogin {
    /// The parameters of the callback.
    pub parameters: BTreeMap<String, String>,
    /// What [`LoginStart::private`] held.
    pub private: Value,
}

/// Who came back.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct LoggedIn {
    /// The user.
    pub user: User,
    /// Comes back in [`Logout::private`], such as the ID token.
    pub private: Value,
}

/// The end of a session in the browser.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Logout {
    /// Where the provider should send the browser back to.
    pub return_to: String,
    /// What [`LoggedIn::private`] held.
    pub private: Value,
}

impl LoginStart {
    /// A page to go to, and what to keep meanwhile.
    pub fn new(url: impl Into<String>, private: Value) -> Self {
        LoginStart {
            url: url.into(),
            private,
        }
    }
}

impl LoggedIn {
    /// A user, and what his logout will need.
    pub fn new(user: User, private: Value) -> Self {
        LoggedIn { user, private }
    }
}
