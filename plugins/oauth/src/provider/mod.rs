//! The provider: what it says of itself, its keys, and how it is asked.

use std::sync::Arc;

use countersign_sdk::prelude::*;
use countersign_verify::{Refusal, Verified};
use url::Url;

use crate::settings::Settings;
use crate::trouble::Trouble;

/// One provider, shared by all calls.
pub(crate) struct Provider {}

/// Where the provider is asked: what was configured, and of the rest what it says itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metadata {
    pub(crate) jwks: Option<Url>,
    pub(crate) authorization: Option<Url>,
    pub(crate) token: Option<Url>,
    pub(crate) userinfo: Option<Url>,
    pub(crate) introspection: Option<Url>,
    pub(crate) end_session: Option<Url>,
    /// It puts `iss` into its callbacks (RFC 9207 section 3).
    pub(crate) says_iss: bool,
}

/// What a JWT is verified as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `Authorization: Bearer`: an access token or an ID token, for one of `audiences`.
    Bearer,
    /// The ID token of a login in the browser, for `client_id`.
    IdToken,
}

impl Provider {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub(crate) fn open(_settings: &Arc<Settings>, _cx: &Cx) -> Result<Self> {
        Ok(Provider {})
    }

    /// Where the provider is asked; discovered once, and cached.
    ///
    /// # Errors
    /// It cannot be reached, or its document is not its own.
    pub(crate) async fn metadata(&self) -> Result<Arc<Metadata>, Trouble> {
        Ok(Arc::default())
    }

    /// Verifies a JWT of this provider with its keys.
    ///
    /// # Errors
    /// The rule that it breaks; an outage is [`Refusal::is_outage`].
    pub(crate) async fn verify(&self, _token: &str, _kind: Kind) -> Result<Verified, Refusal> {
        Err(Refusal::Signature)
    }

    /// One request, bounded in time and size; no redirect is followed. For openidconnect, too.
    ///
    /// # Errors
    /// No answer, or one that is too large. Any status is an answer.
    pub(crate) async fn ask(
        &self,
        _request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, Trouble> {
        Ok(http::Response::default())
    }

    /// Can its metadata and keys be had?
    pub(crate) async fn health(&self) -> Result<()> {
        Ok(())
    }
}
