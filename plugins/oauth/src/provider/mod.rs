//! The provider: what it says of itself, its keys, and how it is asked.

mod discovery;
pub(crate) mod http;
mod keys;
mod metrics;
mod renewed;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use ::http as wire;
use countersign_sdk::prelude::*;
use countersign_verify::{JwksError, Refusal, Unverified, Verified};
use url::Url;

use crate::settings::Settings;
use crate::trouble::Trouble;
use discovery::Discovery;
use http::Http;
use keys::{Keys, Ring};
pub(crate) use metrics::Metrics;

/// One provider, shared by all calls.
pub(crate) struct Provider {
    http: Http,
    /// What was configured; of this nothing is discovered.
    configured: Arc<Metadata>,
    discovery: Option<Discovery>,
    keys: Keys,
    pub(crate) metrics: Metrics,
}

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
    /// The access token that came with it: it need not be for us, but must have been issued to us.
    IssuedToUs,
}

impl Provider {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub(crate) fn open(settings: &Arc<Settings>, cx: &Cx) -> Result<Self> {
        let http = Http::new(settings)?;
        Ok(Provider {
            configured: Arc::new(configured(settings)),
            discovery: Discovery::new(settings, &http, cx),
            keys: Keys::new(settings, cx)?,
            metrics: Metrics::new(cx),
            http,
        })
    }

    /// Where the provider is asked; discovered once, and cached.
    ///
    /// # Errors
    /// It cannot be reached, or its document is not its own.
    pub(crate) async fn metadata(&self) -> Result<Arc<Metadata>, Trouble> {
        match &self.discovery {
            Some(discovery) => discovery.metadata().await,
            None => Ok(Arc::clone(&self.configured)),
        }
    }

    /// One endpoint; discovered only if it is not configured.
    ///
    /// # Errors
    /// Likewise; or the provider has no such endpoint, by the `name` of its metadata.
    pub(crate) async fn endpoint(
        &self,
        of: fn(&Metadata) -> Option<&Url>,
        name: &str,
    ) -> Result<Url, Trouble> {
        if let Some(url) = of(&self.configured) {
            return Ok(url.clone());
        }
        let metadata = self.metadata().await?;
        let missing = || Trouble::new(format!("the provider names no {name}: configure it"));
        of(&metadata).cloned().ok_or_else(missing)
    }

    /// Verifies a JWT of this provider with its keys.
    ///
    /// # Errors
    /// The rule that it breaks; [`Refusal::Issuer`] before anybody is asked if it is another's; an
    /// outage is [`Refusal::is_outage`].
    pub(crate) async fn verify(&self, token: &str, kind: Kind) -> Result<Verified, Refusal> {
        let token = Unverified::read(token)?;
        let name = token.issuer()?;
        if !self.keys.has_issuer(name) {
            return Err(Refusal::Issuer);
        }
        let ring = self.ring().await.map_err(Refusal::KeysUnavailable)?;
        let issuer = ring.issuer(name, kind).ok_or(Refusal::Issuer)?;
        let verdict = issuer.verify_read(token, SystemTime::now()).await;
        if matches!(verdict, Err(Refusal::KeysUnavailable(_))) {
            self.doubt();
        }
        let verified = verdict?;
        // A security event (RFC 8417), such as a logout token, speaks of a user; it is not his.
        if verified.claims.contains_key("events") {
            return Err(Refusal::Type);
        }
        Ok(verified)
    }

    /// One request, bounded in time and size; no redirect is followed. For openidconnect, too.
    ///
    /// # Errors
    /// No answer, or one that is too large. Any status is an answer.
    pub(crate) async fn ask(
        &self,
        request: wire::Request<Vec<u8>>,
    ) -> Result<wire::Response<Vec<u8>>, Trouble> {
        self.http.ask(request).await
    }

    /// Can its metadata and keys be had?
    pub(crate) async fn health(&self) -> Result<()> {
        let metadata = self.metadata().await?;
        if let Some(address) = &metadata.jwks {
            let ring = self.keys.at(address).map_err(outage)?;
            ring.client
                .keys(None, SystemTime::now())
                .await
                .map_err(outage)?;
        }
        Ok(())
    }

    async fn ring(&self) -> Result<Arc<Ring>, JwksError> {
        if let Some(address) = &self.configured.jwks {
            return self.keys.at(address);
        }
        let metadata = self.metadata().await?;
        let none = || Trouble::new("the provider names no jwks_uri: configure it");
        self.keys.at(metadata.jwks.as_ref().ok_or_else(none)?)
    }

    /// The keys are not where they were said to be: perhaps they have moved.
    fn doubt(&self) {
        if let Some(discovery) = &self.discovery {
            discovery.doubt();
        }
    }
}

/// Without any discovery.
fn configured(settings: &Settings) -> Metadata {
    let endpoints = &settings.endpoints;
    Metadata {
        jwks: endpoints.jwks.clone(),
        authorization: endpoints.authorization.clone(),
        token: endpoints.token.clone(),
        userinfo: endpoints.userinfo.clone(),
        introspection: endpoints.introspection.clone(),
        end_session: endpoints.end_session.clone(),
        says_iss: false,
    }
}

fn outage(error: JwksError) -> AuthError {
    AuthError::from(Trouble {
        retry_after: error.retry_after(),
        what: error.to_string(),
    })
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
