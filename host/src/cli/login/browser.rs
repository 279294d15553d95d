//! Signing in with the browser: authorization code with PKCE for a native application (RFC
//! 8252, RFC 7636), and the server has to say who it is (RFC 9207).

use std::time::Duration;

use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::ask::{Client, form};
use super::held::Held;
use super::listener::{Callback, Listener};
use super::server::Server;
use super::{open, pkce, tell};
use crate::audit::clean;
use crate::cli::failure::{Failure, REFUSED};
use crate::http::oauth2::native::CLIENT as CLI_CLIENT;

/// The user gets this long.
const PATIENCE: Duration = Duration::from_secs(300);

/// Where a server says who it is (RFC 8414).
const METADATA: &str = "/.well-known/oauth-authorization-server";

/// The endpoints (RFC 6749 section 3).
const AUTHORIZE: &str = "/oauth2/authorize";
const TOKEN: &str = "/oauth2/token";

/// What is asked for.
pub(super) struct Wish<'a> {
    /// Sign in with this backend.
    pub(super) backend: Option<&'a str>,
    /// Whom the token is for.
    pub(super) audience: Option<&'a str>,
    /// The browsers to try; none = open none.
    pub(super) browser: Option<Vec<String>>,
}

/// A token for whoever signs in with the browser.
pub(super) async fn sign_in(
    client: &Client,
    server: &Server,
    wish: Wish<'_>,
) -> Result<Held, Failure> {
    let issuer = issuer(client, server).await?;
    let listener = Listener::bind().await?;
    let (state, verifier) = (pkce::random()?, pkce::random()?);
    let redirect_uri = listener.redirect_uri();
    let url = address(
        server,
        &wish,
        &redirect_uri,
        &state,
        &pkce::challenge(&verifier),
    );
    let opened = wish
        .browser
        .is_some_and(|candidates| open::open(&candidates, url.as_str()));
    tell(match opened {
        true => {
            "Sign in with the browser that opens now, or by opening this address on this computer:"
        }
        false => "To sign in, open this address in a browser on this computer:",
    });
    tell(&format!("\n  {url}\n"));
    if !opened {
        tell("Where the browser is on another computer: countersign login --device");
    }
    tell("Waiting for up to 5 minutes (Ctrl-C ends it) …");
    let callback = listener.wait(state, PATIENCE).await?;
    let code = accepted(callback, issuer.as_deref())?;
    let held = redeem(client, server, &code, &verifier, &redirect_uri).await?;
    match issuer {
        Some(issuer) if issuer != held.issuer => Err(another(&held.issuer)),
        _ => Ok(held),
    }
}

/// Who the server says it is, if browsers can sign in there. One whose issuer is no URL
/// publishes nothing, but has a token endpoint as all have.
async fn issuer(client: &Client, server: &Server) -> Result<Option<String>, Failure> {
    let answer = client.get(server.at(METADATA)).await?;
    let issuer = answer.json.get("issuer").and_then(Value::as_str);
    match (answer.status, issuer) {
        (200, Some(_)) if answer.json.get("authorization_endpoint").is_none() => Err(Failure::new(
            REFUSED,
            format!("nobody signs in to {server} with a browser"),
            "sign in with a name and a password: --username NAME",
        )),
        (200, Some(issuer)) => Ok(Some(issuer.to_owned())),
        (404, _) if client.get(server.at(TOKEN)).await?.status == 405 => Ok(None),
        _ => Err(answer.unexpected(server)),
    }
}

fn address(
    server: &Server,
    wish: &Wish<'_>,
    redirect_uri: &str,
    state: &str,
    challenge: &str,
) -> Url {
    let mut url = server.at(AUTHORIZE);
    let mut query = url.query_pairs_mut();
    query
        .append_pair("response_type", "code")
        .append_pair("client_id", CLI_CLIENT)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("code_challenge", challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("state", state);
    for (name, value) in [("audience", wish.audience), ("backend", wish.backend)] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    drop(query);
    url
}

/// The code, if it comes from the server that was asked.
fn accepted(callback: Callback, issuer: Option<&str>) -> Result<Zeroizing<String>, Failure> {
    let told = callback.issuer.unwrap_or_default();
    if told.is_empty() || issuer.is_some_and(|issuer| issuer != told) {
        return Err(another(&told));
    }
    callback.result.map_err(|(error, description)| {
        let (error, description) = (clean(&error, 100), clean(&description, 300));
        let text = match description.is_empty() {
            true => error.clone(),
            false => format!("{description} ({error})"),
        };
        let help = match error.as_str() {
            "invalid_target" => "name an audience of the server's tokens.audiences, or none",
            "invalid_request" => "check --backend, or leave it out",
            "access_denied" => "start again, and confirm in the browser",
            _ => "start again; the server's log says more",
        };
        Failure::new(REFUSED, format!("the server refused: {text}"), help)
    })
}

async fn redeem(
    client: &Client,
    server: &Server,
    code: &str,
    verifier: &str,
    redirect_uri: &str,
) -> Result<Held, Failure> {
    let form = form(&[
        ("grant_type", "authorization_code"),
        ("client_id", CLI_CLIENT),
        ("redirect_uri", redirect_uri),
        ("code", code),
        ("code_verifier", verifier),
    ]);
    let answer = client.form(server.at(TOKEN), &form).await?;
    match answer.status {
        200 => answer.token(),
        _ => Err(answer.refused(server)),
    }
}

fn another(told: &str) -> Failure {
    Failure::new(
        REFUSED,
        format!(
            "the answer is not from the server that was asked, but from {:?}",
            clean(told, 200)
        ),
        "start again; if it happens again, somebody may be in the way: tell the operators",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn callback(issuer: Option<&str>) -> Callback {
        Callback {
            result: Ok(Zeroizing::new("the-code".to_owned())),
            issuer: issuer.map(str::to_owned),
        }
    }

    #[test]
    fn code_of_another_issuer_or_of_none_is_not_taken() {
        let me = Some("https://me");
        assert!(accepted(callback(me), me).is_ok());
        assert!(accepted(callback(Some("open-metadata.org")), None).is_ok());
        for (told, issuer) in [
            (None, me),
            (Some(""), me),
            (Some("https://me/"), me),
            (Some("https://other"), me),
            (None, None),
        ] {
            let failure = accepted(callback(told), issuer).unwrap_err();
            assert!(!failure.to_string().contains("the-code"), "{failure}");
        }
    }

    #[test]
    fn error_of_another_issuer_is_not_believed() {
        let callback = Callback {
            result: Err(("access_denied".into(), "\u{1b}[31mno".into())),
            issuer: Some("https://me".into()),
        };
        let failure = accepted(callback, Some("https://me")).unwrap_err();
        let text = failure.to_string();
        assert!(text.contains("no (access_denied)"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }
}
