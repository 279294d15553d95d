//! The provider asked with a user's access token, and what its status means.

use countersign_sdk::Secret;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use http::{Request, StatusCode};
use serde_json::Value;
use url::Url;

use crate::provider::Provider;
use crate::provider::http::place;
use crate::provider::http::status;
use crate::trouble::Trouble;

/// GET: the JSON that is there for the bearer of this token.
///
/// # Errors
/// Every status but 200, and what is no JSON.
pub(super) async fn get(provider: &Provider, url: &Url, access: &Secret) -> Result<Value, Trouble> {
    let endpoint = place(url);
    let trouble = |what: &str| Trouble::new(format!("{endpoint} {what}"));
    let mut bearer = HeaderValue::try_from(format!("Bearer {}", access.expose()))
        .map_err(|_| trouble("cannot be asked: the access token is none that a header may hold"))?;
    bearer.set_sensitive(true);
    let request = Request::get(url.as_str())
        .header(AUTHORIZATION, bearer)
        .header(ACCEPT, "application/json")
        .body(Vec::new())
        .map_err(|_| trouble("is no URL that can be asked"))?;
    let response = provider.ask(request).await?;
    match response.status() {
        StatusCode::OK => serde_json::from_slice(response.body()).map_err(|_| {
            trouble(
                "answered with something else than JSON; if it signs or encrypts its answers, \
                 tell it not to for this client (`userinfo_signed_response_alg`)",
            )
        }),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
            let mut refused = status(url, &response);
            refused.what += " to the user's access token; do the configured `scopes` allow it?";
            Err(refused)
        }
        _ => Err(status(url, &response)),
    }
}
