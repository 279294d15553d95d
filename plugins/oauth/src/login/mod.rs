//! Login in the browser: authorization code with PKCE (RFC 6749 section 4.1, RFC 7636, RFC 9700).
//!
//! There: [`begin`] makes the provider's address. Back, in a straight line: `callback` takes
//! the code out of what the browser brought, `exchange` gives it for tokens, `id_token` says
//! whose login it was, and `sources` gathers his claims (`github` where there is no ID token).
//! `logout` ends it at the provider, too.

mod asking;
mod begin;
mod callback;
mod client;
mod exchange;
pub(crate) mod github;
mod id_token;
mod logout;
mod sources;
mod text;

use std::sync::Arc;

use countersign_sdk::prelude::*;
use countersign_sdk::{BeginLogin, FinishLogin, LoginStart, Logout};
use serde_json::Value;

use crate::people::Identity;
use crate::provider::Provider;
use crate::settings::{Client, Settings, ToldBy};

use begin::Started;

/// Leads browsers to the provider and takes them back.
pub(crate) struct Login {
    settings: Arc<Settings>,
    provider: Arc<Provider>,
}

impl Login {
    pub(crate) fn new(settings: &Arc<Settings>, provider: &Arc<Provider>) -> Self {
        Login {
            settings: Arc::clone(settings),
            provider: Arc::clone(provider),
        }
    }

    /// Can there be a login at all: is this server a client of the provider, and is there a page
    /// to go to?
    pub(crate) fn is_offered(&self) -> bool {
        let endpoints = &self.settings.endpoints;
        let discovered = endpoints.discovery.is_some();
        self.settings.client.is_some()
            && (discovered || endpoints.authorization.is_some() && endpoints.token.is_some())
    }

    /// Where the browser goes.
    ///
    /// # Errors
    /// An outage of the provider.
    pub(crate) async fn begin(&self, login: BeginLogin) -> Result<LoginStart> {
        let client = self.client("begin_login")?;
        let metadata = self.provider.metadata().await?;
        let redirect = client::redirect(&login.redirect_uri)?;
        let oidc = client::of(&self.settings.issuer, client, &metadata)?.set_redirect_uri(redirect);
        Ok(begin::begin(&self.settings.issuer, client, &oidc, login))
    }

    /// Who came back, and what his logout will need.
    ///
    /// # Errors
    /// Invalid: the callback is none of a login that began here. Denied: the provider refused,
    /// or what it answered does not belong to this login. Else an outage.
    pub(crate) async fn finish(&self, login: FinishLogin) -> Result<(Identity, Value)> {
        let client = self.client("finish_login")?;
        let started = Started::of(login.private, &self.settings.issuer)?;
        let metadata = self.provider.metadata().await?;
        let code = callback::code(&login.parameters, &self.settings.issuer, metadata.says_iss)?;
        let redirect = client::redirect(&started.redirect_uri)?;
        let oidc = client::of(&self.settings.issuer, client, &metadata)?.set_redirect_uri(redirect);
        let tokens =
            exchange::exchange(&self.provider, client, &oidc, code, &started.verifier).await?;
        let identity = match self.settings.told_by {
            ToldBy::IdToken => {
                let id_token =
                    id_token::verified(&self.provider, &self.settings, client, &tokens, &started)
                        .await?;
                sources::identity(&self.settings, &self.provider, id_token, &tokens, &metadata)
                    .await?
            }
            ToldBy::Github => {
                let sees = github::Sees::with(&client.scopes);
                github::identity(
                    &self.settings,
                    &self.provider,
                    &metadata,
                    sees,
                    &tokens.access,
                )
                .await?
            }
        };
        Ok((identity, logout::keep(tokens.id_token.as_ref())))
    }

    /// The provider's page for logging out, if it has one.
    ///
    /// # Errors
    /// An outage of the provider.
    pub(crate) async fn logout_url(&self, logout: Logout) -> Result<Option<String>> {
        let client = self.client("logout_url")?;
        let metadata = self.provider.metadata().await?;
        Ok(logout::url(self.settings.logout_by, client, &metadata, &logout).map(String::from))
    }

    fn client(&self, operation: &str) -> Result<&Client> {
        let client = self.settings.client.as_ref();
        client.ok_or_else(|| AuthError::not_supported(operation))
    }
}
