//! `Authorization: Bearer`: whose token it is.

use std::sync::Arc;

use countersign_sdk::Secret;
use countersign_sdk::prelude::*;

use crate::people::Identity;
use crate::provider::Provider;
use crate::settings::Settings;

/// Identifies bearers.
pub(crate) struct Bearer {}

impl Bearer {
    pub(crate) fn new(_settings: &Arc<Settings>, _provider: &Arc<Provider>) -> Self {
        Bearer {}
    }

    /// Whose token it is; none = not this provider's kind of token.
    ///
    /// # Errors
    /// Denied, or an outage of the provider.
    pub(crate) async fn identify(
        &self,
        _token: &Secret,
        _request: &TokenRequest,
    ) -> Result<Option<Identity>> {
        Ok(None)
    }
}
