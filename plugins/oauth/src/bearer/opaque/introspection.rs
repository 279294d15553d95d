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
        let status = response.status().as_u16();
        return Err(Trouble::new(format!(
            "{url} answers with status {status}: it does not know `client_id` and `client_secret`, or does not let them ask"
        )));
    }
    let answer = web::object(&url, &response)?;
    Ok(answer::read(answer, settings, now()))
}
