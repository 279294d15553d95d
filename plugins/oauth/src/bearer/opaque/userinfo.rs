//! Userinfo (OpenID Connect Core section 5.3). It tells whose a token is, and not for whom
//! it was issued: a token of any application that the provider's users log in to comes in.
//! So it is asked only where the configuration says so, or once another endpoint has told
//! for whom the token is.

use http::StatusCode;
use serde_json::{Map, Value};

use super::{Asked, Verdict, request};
use crate::people::Identity;
use crate::provider::Provider;
use crate::provider::http as web;
use crate::settings::Settings;
use crate::trouble::Trouble;

pub(super) async fn ask(provider: &Provider, settings: &Settings, token: &str) -> Asked {
    let Some(claims) = claims(provider, token).await? else {
        return Ok(Verdict::Bad("the provider's userinfo refuses it".into()));
    };
    Ok(whose(claims, settings))
}

/// The same, once another endpoint has said that it is for us and this user's.
pub(super) async fn ask_of(
    provider: &Provider,
    settings: &Settings,
    token: &str,
    subject: &str,
) -> Asked {
    let asked = ask(provider, settings, token).await?;
    match asked {
        Verdict::Good(identity, _) if identity.subject != subject => {
            Ok(Verdict::Bad("the provider tells two users for it".into()))
        }
        other => Ok(other),
    }
}

/// None: it is no token of the provider's, or one that may not ask.
async fn claims(provider: &Provider, token: &str) -> Result<Option<Map<String, Value>>, Trouble> {
    let url = provider.endpoint(|known| known.userinfo.as_ref(), "userinfo_endpoint");
    let url = url.await?;
    let response = provider.ask(request::as_bearer(&url, token)?).await?;
    // RFC 6750 section 3.1: invalid_token, insufficient_scope.
    if matches!(
        response.status(),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
    ) {
        return Ok(None);
    }
    web::object(&url, &response).map(Some)
}

fn whose(claims: Map<String, Value>, settings: &Settings) -> Verdict {
    match claims.get("sub").and_then(Value::as_str) {
        Some(subject) if !subject.is_empty() => {
            let identity = Identity {
                issuer: settings.issuer.clone(),
                subject: subject.to_owned(),
                claims,
            };
            Verdict::Good(identity, None)
        }
        _ => Verdict::Bad("the provider's userinfo names no user (sub)".into()),
    }
}
