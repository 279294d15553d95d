//! Signing in with a name and a password: FAB's token API.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::ask::{Answer, Client};
use super::held::Held;
use super::server::Server;
use crate::cli::failure::{Failure, REFUSED};

/// A token for a name and a password; `backend` = that one alone is asked.
pub(super) async fn sign_in(
    client: &Client,
    server: &Server,
    backend: Option<&str>,
    username: &str,
    password: &str,
) -> Result<Held, Failure> {
    let path = match backend {
        None => "/auth/token/cli".to_owned(),
        Some(backend) => format!("/auth/{backend}/token"),
    };
    let body = json!({ "username": username, "password": password });
    let body = Zeroizing::new(body.to_string());
    let answer = client
        .post(server.at(&path), "application/json", &body)
        .await?;
    match answer.status {
        201 => answer.token(),
        404 => Err(match backend {
            Some(backend) => Failure::new(
                REFUSED,
                format!("{server} has no backend {backend} that takes a password by itself"),
                "leave --backend out: then all are asked in their order",
            ),
            None => answer.unexpected(server),
        }),
        _ => Err(refused(&answer, server)),
    }
}

/// In the server's words (`detail`), where they are words.
fn refused(answer: &Answer, server: &Server) -> Failure {
    let detail = answer.json.get("detail").and_then(Value::as_str);
    let Some(detail) = detail else {
        return answer.unexpected(server);
    };
    let help = match answer.status {
        401 => "check the name and the password".to_owned(),
        429 | 503 => match &answer.retry_after {
            Some(seconds) => format!("try again in {seconds} s"),
            None => "try again later".to_owned(),
        },
        _ => "see the server's log".to_owned(),
    };
    let detail = crate::audit::clean(detail, 300);
    Failure::new(REFUSED, format!("{server} refused: {detail}"), help)
}
