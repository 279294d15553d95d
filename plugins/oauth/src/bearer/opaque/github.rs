//! GitHub: `POST /applications/{client_id}/token` says whether a token is our own
//! application's, and whose it is
//! (<https://docs.github.com/rest/apps/oauth-applications#check-a-token>).

use countersign_sdk::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use serde_json::{Map, Value, json};

use super::{Asked, Verdict, request};
use crate::people::Identity;
use crate::provider::Provider;
use crate::provider::http as web;
use crate::settings::{Client, Settings};

pub(super) async fn ask(provider: &Provider, settings: &Settings, token: &str) -> Asked {
    let Some((client, secret)) = client(settings) else {
        return Ok(Verdict::NotAsked);
    };
    let url = provider.endpoint(
        |known| known.introspection.as_ref(),
        "introspection endpoint",
    );
    let url = url.await?;
    let question = Request::post(url.as_str())
        .header(ACCEPT, "application/vnd.github+json")
        .header(CONTENT_TYPE, "application/json")
        .header(
            AUTHORIZATION,
            request::basic(&format!("{}:{secret}", client.id))?,
        );
    let body = json!({ "access_token": token }).to_string();
    let response = provider
        .ask(request::finish(question, body.into_bytes())?)
        .await?;
    // 404: no such token of this application; 422: nothing that could be one.
    if matches!(
        response.status(),
        StatusCode::NOT_FOUND | StatusCode::UNPROCESSABLE_ENTITY
    ) {
        return Ok(Verdict::Bad(
            "it is no token of this application of GitHub's".into(),
        ));
    }
    let checked = web::object(&url, &response)?;
    let app = checked.get("app").and_then(|app| app.get("client_id"));
    if app.and_then(Value::as_str) != Some(&client.id) {
        return Ok(Verdict::Bad("it is another application's".into()));
    }
    match checked.get("user").and_then(Value::as_object) {
        Some(user) => Ok(whose(user, settings)),
        None => Ok(Verdict::Bad("it is no user's".into())),
    }
}

/// By the number: the login can be changed, and then be another's.
fn whose(user: &Map<String, Value>, settings: &Settings) -> Verdict {
    match user.get("id").and_then(Value::as_u64) {
        Some(id) => {
            let identity = Identity {
                issuer: settings.issuer.clone(),
                subject: id.to_string(),
                claims: user.clone(),
            };
            Verdict::Good(identity, None)
        }
        None => Verdict::Bad("GitHub names no user".into()),
    }
}

fn client(settings: &Settings) -> Option<(&Client, &str)> {
    let client = settings.client.as_ref()?;
    Some((client, client.secret.as_ref().map(Secret::expose)?))
}
