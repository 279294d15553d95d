//! Introspection (RFC 7662).

use http::StatusCode;

use super::{Asked, Verdict, answer, request};
use crate::provider::http as web;
use crate::provider::{Provider, now};
use crate::settings::Settings;
use crate::trouble::Trouble;

pub(super) async fn ask(provider: &Provider, settings: &Settings, token: &str) -> Asked {
    let url = match &settings.endpoints.introspection {
        Some(url) => url.clone(),
        None => match provider.metadata().await?.introspection.clone() {
            Some(url) => url,
            None => return Ok(Verdict::NotAsked),
        },
    };
    let fields = [("token", token), ("token_type_hint", "access_token")];
    let question = request::form(&url, &fields, settings.client.as_ref())?;
    let response = provider.ask(question).await?;
    if matches!(
        response.status(),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
    ) {
        // RFC 7662 section 2.3: it is we who are refused. Of the token nothing is said.
        return Err(Trouble {
            what: format!(
                "{}: it refuses this server, not the token. Check `client_id` and `client_secret`, \
                 `client_authentication`, and that the provider lets this client ask about tokens",
                web::status(&url, &response)
            ),
            retry_after: None,
        });
    }
    let answer = web::object(&url, &response)?;
    Ok(answer::read(answer, settings, now()))
}
