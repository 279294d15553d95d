//! A token that is nearly over is renewed without its user (RFC 6749 section 6), and one that
//! is forgotten here is no good at the server either (RFC 7009).

use super::ask::{Client, form};
use super::held::Held;
use super::server::Server;
use crate::cli::failure::Failure;
use crate::http::oauth2::native::CLIENT as CLI_CLIENT;
use crate::http::oauth2::{TOKEN, refresh, revoke};

/// The next token; none = the user has to sign in anew.
pub(super) async fn renew(
    client: &Client,
    server: &Server,
    held: &Held,
) -> Result<Option<Held>, Failure> {
    let Some(token) = &held.refresh else {
        return Ok(None);
    };
    let form = form(&[
        ("grant_type", refresh::GRANT),
        ("client_id", CLI_CLIENT),
        ("refresh_token", token),
    ]);
    let answer = client.form(server.at(TOKEN), &form).await?;
    let error = answer.text("error");
    match (answer.status, error) {
        (200, _) => answer.token().map(Some),
        // It has ended, or the server gives none any more.
        (400 | 401, Some(_)) => Ok(None),
        _ => Err(answer.refused(server)),
    }
}

/// Ends all that came of a sign-in; false = there is nothing to end it by.
pub(super) async fn end(client: &Client, server: &Server, held: &Held) -> Result<bool, Failure> {
    let Some(token) = &held.refresh else {
        return Ok(false);
    };
    let form = form(&[("client_id", CLI_CLIENT), ("token", token)]);
    let answer = client.form(server.at(revoke::REVOKE), &form).await?;
    match answer.status {
        200 => Ok(true),
        _ => Err(answer.refused(server)),
    }
}
