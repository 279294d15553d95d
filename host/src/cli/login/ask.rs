//! Requests to the server: bounded in time and size, and no redirect is followed, since what
//! is sent are credentials.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Certificate, RequestBuilder, Url, redirect};
use serde_json::Value;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::held::Held;
use super::server::Server;
use crate::audit::clean;
use crate::cli::failure::{Failure, INTERNAL, KEYS, REFUSED};

/// A backend's own deadline, and some.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A larger answer is none of ours.
const LIMIT: usize = 1 << 20;

/// What asks.
pub(super) struct Client(reqwest::Client);

/// What came back.
pub(super) struct Answer {
    pub(super) status: u16,
    /// Whole seconds, as the server says them.
    pub(super) retry_after: Option<String>,
    /// Null where the body is no JSON.
    pub(super) json: Value,
}

impl Client {
    /// `ca`: certificates to trust beside the system's.
    pub(super) fn new(ca: Option<&Path>, loopback: bool) -> Result<Client, Failure> {
        let mut builder = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("countersign/", env!("CARGO_PKG_VERSION")));
        if loopback {
            builder = builder.no_proxy();
        }
        if let Some(file) = ca {
            builder = builder.tls_certs_merge(certificates(file)?);
        }
        builder.build().map(Client).map_err(|error| {
            Failure::chain(
                INTERNAL,
                &error,
                "check the system's certificates, or name --ca",
            )
        })
    }

    pub(super) async fn get(&self, url: Url) -> Result<Answer, Failure> {
        ask(self.0.get(url)).await
    }

    pub(super) async fn post(
        &self,
        url: Url,
        content_type: &'static str,
        body: &str,
    ) -> Result<Answer, Failure> {
        let request = self.0.post(url).header(CONTENT_TYPE, content_type);
        ask(request.body(body.to_owned())).await
    }

    pub(super) async fn form(&self, url: Url, form: &str) -> Result<Answer, Failure> {
        self.post(url, "application/x-www-form-urlencoded", form)
            .await
    }
}

impl Answer {
    /// The token of a good answer, and what renews it.
    pub(super) fn token(&self) -> Result<Held, Failure> {
        let held = self.text("access_token").and_then(Held::of);
        let held = held.map(|held| held.renewed_by(self.text("refresh_token")));
        held.ok_or_else(|| {
            Failure::new(
                REFUSED,
                "the server's answer holds no token that tells when it ends",
                "is it a Countersign server, of this version or a later one?",
            )
        })
    }

    /// A member that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.json.get(name).and_then(Value::as_str)
    }

    /// What the token endpoint and its like refuse, in the words of RFC 6749 section 5.2.
    pub(super) fn refused(&self, server: &Server) -> Failure {
        let Some(error) = self.text("error") else {
            return self.unexpected(server);
        };
        let words = self.text("error_description").unwrap_or(error);
        let help = match error {
            "invalid_target" => "name an audience of the server's tokens.audiences, or none".into(),
            "unauthorized_client" => "sign in with a name and a password: --username NAME".into(),
            "temporarily_unavailable" => match &self.retry_after {
                Some(seconds) => format!("try again in {seconds} s"),
                None => "try again later".to_owned(),
            },
            _ => "start again; the server's log says more".to_owned(),
        };
        let text = format!("{server} gave no token: {}", clean(words, 300));
        Failure::new(REFUSED, text, help)
    }

    /// No answer that a Countersign server gives.
    pub(super) fn unexpected(&self, server: &Server) -> Failure {
        Failure::new(
            REFUSED,
            format!("{server} answered with status {}", self.status),
            "check the URL: is it a Countersign server's, of this version or a later one?",
        )
    }
}

/// Parameters that have a value.
pub(super) fn form(parameters: &[(&str, &str)]) -> Zeroizing<String> {
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    let mut form = form_urlencoded::Serializer::new(String::new());
    Zeroizing::new(form.extend_pairs(given).finish())
}

async fn ask(request: RequestBuilder) -> Result<Answer, Failure> {
    let sent = request.header(ACCEPT, "application/json").send().await;
    let mut response = sent.map_err(|error| unreachable(&error))?;
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| unreachable(&error))?
    {
        if body.len() + chunk.len() > LIMIT {
            return Err(Failure::new(
                REFUSED,
                "the server's answer is larger than 1 MiB",
                "check the URL: is it a Countersign server's?",
            ));
        }
        body.extend_from_slice(&chunk);
    }
    let seconds = |text: &&str| text.len() < 7 && text.bytes().all(|it| it.is_ascii_digit());
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok());
    Ok(Answer {
        status: response.status().as_u16(),
        retry_after: retry_after.filter(seconds).map(str::to_owned),
        json: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

/// The error names the URL, which holds no credential, and its causes say why.
fn unreachable(error: &dyn Error) -> Failure {
    Failure::chain(
        REFUSED,
        error,
        "check the address (--server), that the server runs, and who issued its certificate (--ca)",
    )
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, Failure> {
    let unusable = |error: &dyn std::fmt::Display| {
        Failure::new(
            KEYS,
            format!("--ca {}: {error}", file.display()),
            "name a file of certificates in PEM form (-----BEGIN CERTIFICATE-----)",
        )
    };
    let bytes = fs::read(file).map_err(|error| unusable(&error))?;
    match Certificate::from_pem_bundle(&bytes) {
        Ok(found) if found.is_empty() => Err(unusable(&"there is no certificate in it")),
        found => found.map_err(|error| unusable(&error)),
    }
}
