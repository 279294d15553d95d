//! GitHub: `POST /applications/{client_id}/token` says whether a token is our own
//! application's, whose it is, and what it may see
//! (<https://docs.github.com/rest/apps/oauth-applications#check-a-token>). The rest is asked as
//! after a login in the browser, so that a user has the same groups either way.

use countersign_sdk::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{Asked, Verdict, request};
use crate::login::github::{Sees, identity};
use crate::provider::Provider;
use crate::provider::http as web;
use crate::settings::{Client, Settings};

pub(super) async fn ask(provider: &Provider, settings: &Settings, token: &Secret) -> Asked {
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
    let body = json!({ "access_token": token.expose() }).to_string();
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
    let checked = Value::Object(web::object(&url, &response)?);
    let app = checked.pointer("/app/client_id");
    if app.and_then(Value::as_str) != Some(&client.id) {
        return Ok(Verdict::Bad("it is another application's".into()));
    }
    // By the number: the login can be changed, and then be another's.
    let user = checked.pointer("/user/id").and_then(Value::as_u64);
    let Some(user) = user else {
        return Ok(Verdict::Bad("it is no user's".into()));
    };
    let granted = checked.get("scopes").and_then(Value::as_array);
    let granted: Vec<&str> = granted
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let (asked, granted) = (Sees::with(&client.scopes), Sees::with(&granted));
    // A user without his groups is another user: nobody comes in by a part of what he is.
    if asked.groups && !granted.groups {
        return Ok(Verdict::Bad(
            "it was issued without the scope read:org, so that organizations and teams cannot be seen".into(),
        ));
    }
    let sees = Sees {
        addresses: asked.addresses && granted.addresses,
        groups: asked.groups,
    };
    let metadata = provider.metadata().await?;
    let identity = identity(settings, provider, &metadata, sees, token).await?;
    if identity.subject != user.to_string() {
        return Ok(Verdict::Bad("GitHub tells two users for it".into()));
    }
    Ok(Verdict::Good(identity, None))
}

fn client(settings: &Settings) -> Option<(&Client, &str)> {
    let client = settings.client.as_ref()?;
    Some((client, client.secret.as_ref().map(Secret::expose)?))
}
