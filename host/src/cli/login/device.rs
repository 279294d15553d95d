//! Signing in with a browser on another device (RFC 8628): the code is shown here and typed
//! there, and meanwhile the server is asked again and again.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::ask::{Answer, Client, form};
use super::held::Held;
use super::server::Server;
use super::tell;
use crate::audit::clean;
use crate::cli::failure::{Failure, REFUSED};
use crate::http::oauth2::native::CLIENT as CLI_CLIENT;
use crate::http::oauth2::{TOKEN, device};

/// Asked no more often than this, whatever a server says.
const SOONEST: Duration = Duration::from_secs(1);

/// Waited no longer than this, whatever a server says.
const LONGEST: Duration = Duration::from_secs(3_600);

/// Slowed down by this much (RFC 8628 section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// What the server gave to wait with.
struct Waiting {
    device_code: Zeroizing<String>,
    pause: Duration,
    until: Instant,
}

/// A token for whoever signs in elsewhere.
pub(super) async fn sign_in(
    client: &Client,
    server: &Server,
    audience: Option<&str>,
) -> Result<Held, Failure> {
    let mut waiting = begin(client, server, audience).await?;
    loop {
        if Instant::now() + waiting.pause >= waiting.until {
            return Err(late());
        }
        sleep(waiting.pause).await;
        let answer = poll(client, server, &waiting.device_code).await;
        let answer = match answer {
            Ok(answer) => answer,
            // The way there may be broken for a moment.
            Err(_) if Instant::now() + 2 * waiting.pause < waiting.until => {
                waiting.pause *= 2;
                continue;
            }
            Err(failure) => return Err(failure),
        };
        match (answer.status, answer.text("error")) {
            (200, _) => return answer.token(),
            (400, Some("authorization_pending")) | (429 | 503, _) => {}
            (400, Some("slow_down")) => waiting.pause += SLOWER,
            (400, Some("expired_token")) => return Err(late()),
            (400, Some("access_denied")) => {
                return Err(Failure::new(
                    REFUSED,
                    "the user said no in the browser (access_denied)",
                    "start again, and confirm in the browser",
                ));
            }
            _ => return Err(answer.refused(server)),
        }
    }
}

/// Begins to wait, and tells the user where to go.
async fn begin(
    client: &Client,
    server: &Server,
    audience: Option<&str>,
) -> Result<Waiting, Failure> {
    let form = form(&[
        ("client_id", CLI_CLIENT),
        ("audience", audience.unwrap_or_default()),
    ]);
    let answer = client.form(server.at(device::AUTHORIZATION), &form).await?;
    if answer.status != 200 {
        return Err(answer.refused(server));
    }
    let shown = |name| answer.text(name).map(|text| clean(text, 300));
    let seconds = |name: &str| answer.json.get(name).and_then(Value::as_u64);
    let (Some(device_code), Some(user_code), Some(page)) = (
        answer.text("device_code"),
        shown("user_code"),
        shown("verification_uri"),
    ) else {
        return Err(answer.unexpected(server));
    };
    let patience = Duration::from_secs(seconds("expires_in").unwrap_or(600)).min(LONGEST);
    let pause = Duration::from_secs(seconds("interval").unwrap_or(5));
    tell("To sign in, open this address in a browser, on any device:");
    tell(&format!("\n  {page}\n\nand type the code  {user_code}\n"));
    if let Some(complete) = shown("verification_uri_complete") {
        tell(&format!("Or open  {complete}  and compare the code.\n"));
    }
    let minutes = patience.as_secs().div_ceil(60);
    tell(&format!(
        "Waiting for up to {minutes} minutes (Ctrl-C ends it) …"
    ));
    Ok(Waiting {
        device_code: Zeroizing::new(device_code.to_owned()),
        pause: pause.clamp(SOONEST, LONGEST),
        until: Instant::now() + patience,
    })
}

async fn poll(client: &Client, server: &Server, device_code: &str) -> Result<Answer, Failure> {
    let form = form(&[
        ("grant_type", device::GRANT),
        ("client_id", CLI_CLIENT),
        ("device_code", device_code),
    ]);
    client.form(server.at(TOKEN), &form).await
}

fn late() -> Failure {
    Failure::new(
        REFUSED,
        "nobody signed in in time",
        "start again, and confirm in the browser before the code is too old",
    )
}
