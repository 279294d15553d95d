//! Google: `tokeninfo` says for which client an access token was issued
//! (<https://developers.google.com/identity/sign-in/web/backend-auth>).

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
    // In the body: a URL ends in somebody's log.
    let question = request::form(&url, &[("access_token", token)], None)?;
    let response = provider.ask(question).await?;
    if response.status() == StatusCode::BAD_REQUEST {
        return Ok(Verdict::Bad("Google does not know it".into()));
    }
    let info = web::object(&url, &response)?;
    let text = |name| info.get(name).and_then(Value::as_str);
    let ours = |name: &str| settings.audiences.iter().any(|known| known == name);
    if !text("aud").is_some_and(ours) {
        return Ok(Verdict::Bad("it was issued to another client (aud)".into()));
    }
    match text("sub") {
        Some(subject) => userinfo::ask_of(provider, settings, token, subject).await,
        None => Ok(Verdict::Bad(
            "it is no user's (scope openid is missing)".into(),
        )),
    }
}
