//! This server as a client of the provider, in the words of the crate `openidconnect`: it makes
//! the authorization request and the token request. JWTs are none of its business here.

use countersign_sdk::prelude::*;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreIdToken,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AccessToken, AuthType, AuthUrl, ClientId, ClientSecret, EmptyAdditionalClaims, EndpointNotSet,
    EndpointSet, IssuerUrl, JsonWebKeySet, OAuth2TokenResponse, RedirectUrl, RefreshToken, Scope,
    StandardErrorResponse, TokenResponse, TokenUrl,
};
use serde::Serialize;
use std::time::Duration;

use crate::provider::Metadata;
use crate::settings::Client;
use crate::trouble::Trouble;

/// A client that knows its two endpoints.
pub(super) type OidcClient = openidconnect::Client<
    EmptyAdditionalClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    ErrorAnswer,
    Answer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
    EndpointNotSet,
>;

/// RFC 6749 section 5.2.
pub(super) type ErrorAnswer = StandardErrorResponse<CoreErrorResponseType>;

/// RFC 6749 section 5.1, as far as it is needed: what else providers put there, in whichever
/// type (`"expires_in": "3600"`), fails no login.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Answer {
    pub(super) access_token: AccessToken,
    pub(super) token_type: CoreTokenType,
    #[serde(default, skip_serializing)]
    pub(super) id_token: Option<Secret>,
}

/// The client of these settings at these endpoints.
///
/// # Errors
/// The provider has no authorization or no token endpoint.
pub(super) fn of(
    issuer: &str,
    client: &Client,
    metadata: &Metadata,
) -> Result<OidcClient, Trouble> {
    let lacks = |what: &str| Trouble {
        what: format!(
            "{issuer} names no {what} in its metadata: logins in the browser need one; \
             see whether `issuer` is right, or name the endpoint in the configuration"
        ),
        retry_after: None,
    };
    let authorization = metadata.authorization.clone();
    let token = metadata.token.clone();
    let issuer_url = IssuerUrl::new(issuer.to_owned()).map_err(|_| lacks("valid issuer"))?;
    let id = ClientId::new(client.id.clone());
    // The keys are countersign-verify's: this client has none.
    let mut oidc = openidconnect::Client::new(id, issuer_url, JsonWebKeySet::new(Vec::new()))
        .disable_openid_scope()
        .set_auth_type(match client.secret_in_body {
            true => AuthType::RequestBody,
            false => AuthType::BasicAuth,
        });
    if let Some(secret) = &client.secret {
        oidc = oidc.set_client_secret(ClientSecret::new(secret.expose().to_owned()));
    }
    let authorization = authorization.ok_or_else(|| lacks("authorization_endpoint"))?;
    let token = token.ok_or_else(|| lacks("token_endpoint"))?;
    Ok(oidc
        .set_auth_uri(AuthUrl::from_url(authorization))
        .set_token_uri(TokenUrl::from_url(token)))
}

/// The redirect URI, kept to the letter.
///
/// # Errors
/// The host's text is no URL.
pub(super) fn redirect(uri: &str) -> Result<RedirectUrl> {
    RedirectUrl::new(uri.to_owned())
        .map_err(|_| AuthError::fault("the redirect_uri of the host is no absolute URL"))
}

impl OAuth2TokenResponse for Answer {
    type TokenType = CoreTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &CoreTokenType {
        &self.token_type
    }

    fn expires_in(&self) -> Option<Duration> {
        None
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

impl
    TokenResponse<
        EmptyAdditionalClaims,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    > for Answer
{
    /// Never by this crate: `id_token` verifies it.
    fn id_token(&self) -> Option<&CoreIdToken> {
        None
    }
}
