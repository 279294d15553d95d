//! Login in the browser: authorization code with PKCE (RFC 6749 section 4.1, RFC 7636).

use std::sync::Arc;

use countersign_sdk::prelude::*;
use countersign_sdk::{BeginLogin, FinishLogin, LoginStart, Logout};
use serde_json::Value;

use crate::people::Identity;
use crate::provider::Provider;
use crate::settings::Settings;

/// Leads browsers to the provider and takes them back.
pub(crate) struct Login {}

impl Login {
    pub(crate) fn new(_settings: &Arc<Settings>, _provider: &Arc<Provider>) -> Self {
        Login {}
    }

    /// Where the browser goes.
    pub(crate) async fn begin(&self, _login: BeginLogin) -> Result<LoginStart> {
        Err(AuthError::not_supported("begin_login"))
    }

    /// Who came back, and what his logout will need.
    pub(crate) async fn finish(&self, _login: FinishLogin) -> Result<(Identity, Value)> {
        Err(AuthError::not_supported("finish_login"))
    }

    /// The provider's page for logging out, if it has one.
    pub(crate) async fn logout_url(&self, _logout: Logout) -> Result<Option<String>> {
        Ok(None)
    }
}
