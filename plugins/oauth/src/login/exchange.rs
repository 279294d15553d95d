//! A code for tokens: the token request (RFC 6749 section 4.1.3, RFC 7636 section 4.5).

use std::pin::Pin;

use countersign_sdk::prelude::*;
use http::StatusCode;
use openidconnect::core::CoreErrorResponseType;
use openidconnect::{
    AsyncHttpClient, AuthorizationCode, HttpRequest, HttpResponse, PkceCodeVerifier,
    RequestTokenError,
};
use serde_json::Value;
use url::Url;

use super::client::{ErrorAnswer, OidcClient};
use super::text::quoted;
use crate::provider::Provider;
use crate::provider::http::place;
use crate::provider::http::status;
use crate::settings::Client;
use crate::trouble::Trouble;

/// What a code was given for.
pub(super) struct Tokens {
    pub(super) access: Secret,
    pub(super) id_token: Option<Secret>,
}

/// Gives the code for tokens; `oidc` knows the redirect URI that the login began with.
///
/// # Errors
/// Denied: the code is not good for this login. Unavailable: the provider cannot answer. Fault: it
/// does not accept this server as its client, which is the operator's to mend: to try again, as
/// after an outage, would be of no use.
pub(super) async fn exchange(
    provider: &Provider,
    client: &Client,
    oidc: &OidcClient,
    code: Secret,
    verifier: &Secret,
) -> Result<Tokens> {
    let endpoint = place(oidc.token_uri().url());
    let ask = Conclusive {
        provider,
        endpoint: oidc.token_uri().url(),
    };
    let secrets: Vec<&Secret> = [&code, verifier]
        .into_iter()
        .chain(&client.secret)
        .collect();
    let answer = oidc
        .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().to_owned()))
        .request_async(&ask)
        .await
        .map_err(|error| refused(error, &endpoint, &secrets))?;
    // RFC 6749 section 5.1: in any case.
    if !answer.token_type.as_ref().eq_ignore_ascii_case("bearer") {
        return Err(AuthError::unavailable(format!(
            "{endpoint} issued an access token that is no bearer token; \
             see this client's registration at the provider (DPoP, mTLS)"
        )));
    }
    Ok(Tokens {
        access: answer.access_token.into_secret().into(),
        id_token: answer.id_token,
    })
}

/// The provider, asked for answers that say something of the code: an overload, a redirect and
/// an outage do not.
struct Conclusive<'a> {
    provider: &'a Provider,
    endpoint: &'a Url,
}

impl<'c> AsyncHttpClient<'c> for Conclusive<'_> {
    type Error = Trouble;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Trouble>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut response = self.provider.ask(request).await?;
            let found = response.status();
            let says_something = found.is_success() || found.is_client_error();
            if !says_something || found == StatusCode::TOO_MANY_REQUESTS {
                return Err(status(self.endpoint, &response));
            }
            // GitHub answers errors with 200.
            if found == StatusCode::OK && names_error(response.body()) {
                *response.status_mut() = StatusCode::BAD_REQUEST;
            }
            Ok(response)
        })
    }
}

fn names_error(body: &[u8]) -> bool {
    let answer = serde_json::from_slice::<Value>(body);
    answer.is_ok_and(|answer| answer.get("error").is_some_and(Value::is_string))
}

/// What a refusal of the token endpoint means (RFC 6749 section 5.2).
fn refused(
    error: RequestTokenError<Trouble, ErrorAnswer>,
    endpoint: &str,
    secrets: &[&Secret],
) -> AuthError {
    let answer = match error {
        RequestTokenError::Request(trouble) => return trouble.into(),
        RequestTokenError::ServerResponse(answer) => answer,
        // Their texts may quote the answer, and in it a token.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            return AuthError::unavailable(format!(
                "{endpoint} answered with something else than a token response in JSON; \
                 see whether it is the provider's token endpoint"
            ));
        }
    };
    let error = answer.error().as_ref();
    let mut detail = format!("{endpoint} answered {}", quoted(error, secrets));
    if let Some(description) = answer.error_description() {
        detail += &format!(": {}", quoted(description, secrets));
    }
    match answer.error() {
        CoreErrorResponseType::InvalidGrant => AuthError::denied(detail),
        // GitHub's name of it.
        CoreErrorResponseType::Extension(name) if name == "bad_verification_code" => {
            AuthError::denied(detail)
        }
        CoreErrorResponseType::Extension(name)
            if name == "temporarily_unavailable" || name == "server_error" =>
        {
            AuthError::unavailable(detail)
        }
        _ => {
            let detail = format!(
                "{detail}; nobody can log in until `client_id`, `client_secret` and the client's \
                 registration at the provider agree (secret, its method, redirect URIs, grant types)"
            );
            tracing::error!("{detail}");
            AuthError::fault(detail)
        }
    }
}
