//! GitLab: `/oauth/token/info` says for which application a token was made
//! (<https://docs.gitlab.com/api/oauth2/#retrieve-the-token-information>).

use http::StatusCode;
use serde_json::Value;

use super::{Asked, Verdict, request, userinfo};
use crate::provider::Provider;
use crate::provider::http as web;
use crate::settings::Settings;

pub(super) async fn ask(provider: &Provider, settings: &Settings, token: &str) -> Asked {
    let url = provider.endpoint(
        |known| known.introspection.as_ref(),
        "introspection endpoint",
    );
    let url = url.await?;
    let response = provider.ask(request::as_bearer(&url, token)?).await?;
    if response.status() == StatusCode::UNAUTHORIZED {
        return Ok(Verdict::Bad("GitLab does not know it".into()));
    }
    let info = web::object(&url, &response)?;
    let application = info.get("application").and_then(|made| made.get("uid"));
    let application = application.and_then(Value::as_str);
    let ours = |name: &str| settings.audiences.iter().any(|known| known == name);
    if !application.is_some_and(ours) {
        return Ok(Verdict::Bad("it was made for another application".into()));
    }
    match info.get("resource_owner_id").and_then(Value::as_u64) {
        Some(user) => userinfo::ask_of(provider, settings, token, &user.to_string()).await,
        None => Ok(Verdict::Bad("it is no user's".into())),
    }
}
