//! `Authorization: Bearer`: whose token it is. What is no token of this provider is left to
//! others; what says it is one and is not good is denied.
//!
//! - A JWT is verified with the provider's keys ([`jwt`]).
//! - Anything else the provider itself is asked about ([`opaque`]).

mod cnf;
mod jwt;
mod opaque;
mod presented;
mod shape;

use std::sync::Arc;

use countersign_sdk::Secret;
use countersign_sdk::prelude::*;

use crate::people::Identity;
use crate::provider::Provider;
use crate::settings::Settings;
use opaque::Asker;
use presented::Presented;
use shape::Shape;

/// Identifies bearers.
pub(crate) struct Bearer {
    settings: Arc<Settings>,
    provider: Arc<Provider>,
    asker: Asker,
}

impl Bearer {
    pub(crate) fn new(settings: &Arc<Settings>, provider: &Arc<Provider>) -> Self {
        Bearer {
            settings: Arc::clone(settings),
            provider: Arc::clone(provider),
            asker: Asker::new(settings, provider),
        }
    }

    /// Whose token it is; none = not this provider's kind of token.
    ///
    /// # Errors
    /// Denied, or an outage of the provider.
    pub(crate) async fn identify(
        &self,
        token: &Secret,
        request: &TokenRequest,
    ) -> Result<Option<Identity>> {
        let Some(presented) = Presented::of(request) else {
            return Ok(None);
        };
        match Shape::of(token.expose()) {
            Shape::Jwt => {
                let verdict = jwt::verify(&self.provider, &self.settings, token, presented).await;
                self.provider.metrics.verified(jwt::outcome(&verdict));
                match verdict {
                    Ok(identity) => Ok(Some(identity)),
                    Err(refused) => refused.answer(),
                }
            }
            Shape::Opaque if presented.may_be_opaque() => self.asker.identify(token).await,
            Shape::Opaque | Shape::Neither => Ok(None),
        }
    }
}
