//! Personal access tokens: a user's own. Who manages may see and revoke those of others, by
//! their names, and make none for them.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::answer::{Refused, not_done, ok, refuse};
use super::asker::{Call, Known};
use super::shapes::{self, owner_id, token_id};
use crate::accounts::lasting::Lasting;
use crate::clock;
use crate::config::shapes::{Expiry, TokenForm};
use crate::token::lasting::{Ask, BOT};
use crate::token::management::ManagementError;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    token_name: String,
    #[serde(rename = "JWTTokenExpiry")]
    expiry: Expiry,
    /// Ours: `jwt`, or `opaque`.
    #[serde(default)]
    form: TokenForm,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Revoked {
    #[serde(default)]
    token_ids: Vec<String>,
}

/// The tokens that are good.
pub(super) async fn list(call: Call) -> Result<Response<Body>, Refused> {
    let known = myself(call).await?;
    let tokens = tokens(&known).await?;
    answer(&known, &tokens)
}

/// A new token for whoever asks.
pub(super) async fn generate(call: Call) -> Result<Response<Body>, Refused> {
    let mut known = myself(call).await?;
    // Else who got hold of one would have tokens for ever.
    if known.by_personal_token().await? {
        let text = "A personal access token makes no other: ask with a password, or with a token of a login";
        return Err(refuse(StatusCode::FORBIDDEN, text));
    }
    let asked: Asked = known.read().await?;
    let ask = Ask {
        name: asked.token_name,
        form: asked.form,
        expiry: asked.expiry,
        audience: known.audience(),
        allow_unlimited: false,
    };
    let (management, asker) = (known.management()?, known.asker());
    let failed = |error: ManagementError| not_done(&error, &known.id);
    let me = management.as_he_is(&known.principal, asker).await;
    let me = &me.map_err(failed)?;
    let issued = management.generate_own(me, &ask, asker).await;
    let issued = issued.map_err(failed)?;
    let token = Some(issued.token.expose());
    Ok(ok(&shapes::personal(&issued.lasting, &owner_id(me), token)))
}

/// Revokes some, or all; the answer is what is left.
pub(super) async fn revoke(call: Call) -> Result<Response<Body>, Refused> {
    let mut known = myself(call).await?;
    let all = known.parameter("removeAll").as_deref() == Some("true");
    let asked: Revoked = match all {
        true => Revoked::default(),
        false => known.read().await?,
    };
    let ids: Vec<String> = asked.token_ids.iter().map(|id| token_id(id)).collect();
    let (management, asker) = (known.management()?, known.asker());
    for token in tokens(&known).await? {
        if all || ids.contains(&token.id) {
            let revoked = management.revoke_of_user(&token, asker).await;
            revoked.map_err(|error| not_done(&error, &known.id))?;
        }
    }
    let left = tokens(&known).await?;
    answer(&known, &left)
}

async fn myself(call: Call) -> Result<Known, Refused> {
    let known = call.known(false).await?;
    match known.principal.backend.as_str() {
        BOT => Err(super::answer::wrong(
            "Bots cannot have a Personal Access Token.",
        )),
        _ => Ok(known),
    }
}

/// Those of whoever asks, or of `?username=`.
async fn tokens(known: &Known) -> Result<Vec<Lasting>, Refused> {
    let management = known.management()?;
    let found = match known.parameter("username") {
        Some(name) if name != known.principal.user.username => {
            if !known.serving.may_manage(&known.principal) {
                let text = "Only who manages may look at others' tokens";
                return Err(refuse(StatusCode::FORBIDDEN, text));
            }
            management.tokens_of_username(&name).await
        }
        _ => management.own_tokens(&known.principal).await,
    };
    let mut found = found.map_err(|error| not_done(&error, &known.id))?;
    let now = clock::unix_now();
    found.retain(|token| token.is_live(now));
    Ok(found)
}

fn answer(known: &Known, tokens: &[Lasting]) -> Result<Response<Body>, Refused> {
    let owner = |token: &Lasting| owner_id(token.principal.as_ref().unwrap_or(&known.principal));
    let told = tokens
        .iter()
        .map(|it| shapes::personal(it, &owner(it), None));
    let told: Vec<_> = told.collect();
    Ok(ok(
        &json!({ "paging": { "total": told.len() }, "data": told }),
    ))
}
