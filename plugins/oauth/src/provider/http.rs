//! How the provider is asked: over TLS, bounded in time and size, and nowhere else than
//! where it was told to. No redirect is followed: a provider that answers with one is
//! either misconfigured or not the provider.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use countersign_sdk::prelude::*;
use http::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder};
use serde_json::{Map, Value};
use url::Url;

use crate::settings::Settings;
use crate::trouble::Trouble;

/// An answer may be this long. The client has no decompression built in: what comes is what
/// there is.
const LIMIT: usize = 1 << 20;
/// Nobody is believed who says to come again later than this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The client of one provider.
#[derive(Clone)]
pub(crate) struct Http {
    outward: Client,
    /// For this machine's own loopback, which no proxy can reach.
    loopback: Client,
    plain_http: bool,
}

impl Http {
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        Ok(Http {
            outward: build(settings, Client::builder())?,
            loopback: build(settings, Client::builder().no_proxy())?,
            plain_http: settings.plain_http,
        })
    }

    /// May this URL be asked at all?
    pub(super) fn allows(&self, url: &Url) -> bool {
        let scheme = url.scheme();
        url.has_host() && (scheme == "https" || scheme == "http" && self.plain_http)
    }

    /// One request. Any status is an answer.
    pub(super) async fn ask(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, Trouble> {
        let request = reqwest::Request::try_from(request);
        let request = request.map_err(|_| Trouble::new("the provider's address is no URL"))?;
        let place = Place::of(&request);
        if !self.allows(request.url()) {
            return Err(place.trouble("is not https://, so that anybody on the way could answer"));
        }
        let client = if is_loopback(request.url()) {
            &self.loopback
        } else {
            &self.outward
        };
        let answer = client.execute(request).await;
        let mut answer = answer.map_err(|error| place.failure(&error))?;
        let mut response = http::Response::new(Vec::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|error| place.failure(&error))?
        {
            if response.body().len() + chunk.len() > LIMIT {
                return Err(place.trouble("answers with more than 1 MiB"));
            }
            response.body_mut().extend_from_slice(&chunk);
        }
        Ok(response)
    }

    /// A document at a URL.
    pub(super) async fn get(&self, url: &Url) -> Result<http::Response<Vec<u8>>, Trouble> {
        let request = http::Request::get(url.as_str()).header(ACCEPT, "application/json");
        let request = request.body(Vec::new());
        let request = request.map_err(|_| Trouble::new("the provider's address is no URL"))?;
        self.ask(request).await
    }
}

fn build(settings: &Settings, builder: ClientBuilder) -> Result<Client> {
    let mut builder = builder
        .timeout(settings.timeout)
        .connect_timeout(settings.timeout.min(Duration::from_secs(5)))
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .user_agent(concat!("countersign-oauth/", env!("CARGO_PKG_VERSION")));
    if let Some(pem) = &settings.authorities {
        let authorities = Certificate::from_pem_bundle(pem).ok();
        let authorities = authorities.filter(|authorities| !authorities.is_empty());
        let none = || AuthError::invalid("tls.ca: no certificates in PEM");
        builder = builder.tls_certs_only(authorities.ok_or_else(none)?);
    }
    let fault = |error: reqwest::Error| AuthError::fault(innermost(&error));
    builder.build().map_err(fault)
}

/// The JSON object of an answer with status 200.
///
/// # Errors
/// Another status, something other than JSON, a name that occurs twice.
pub(crate) fn object(
    url: &Url,
    response: &http::Response<Vec<u8>>,
) -> Result<Map<String, Value>, Trouble> {
    let place = Place::at(url);
    if response.status() != StatusCode::OK {
        return Err(status(url, response));
    }
    if let Some(found) = other_type(response.headers()) {
        return Err(place.trouble(format!("answers with {found:?}, not application/json")));
    }
    let object = countersign_verify::strict_object(response.body());
    object.map_err(|fault| place.trouble(format!("answers with {fault}")))
}

/// An answer with a status that is no answer.
pub(crate) fn status(url: &Url, response: &http::Response<Vec<u8>>) -> Trouble {
    let found = response.status();
    let hint = if found.is_redirection() {
        " (redirects are not followed: configure the address that it leads to)"
    } else {
        ""
    };
    Trouble {
        retry_after: retry_after(response),
        ..Place::at(url).trouble(format!("answers with status {}{hint}", found.as_u16()))
    }
}

/// The pause that 429 and 503 ask for, in seconds (RFC 9110 section 10.2.3); dates are not read.
fn retry_after(response: &http::Response<Vec<u8>>) -> Option<Duration> {
    let busy = matches!(response.status().as_u16(), 429 | 503);
    let pause = response.headers().get(RETRY_AFTER).filter(|_| busy)?;
    let seconds = pause.to_str().ok()?.trim().parse().ok()?;
    Some(LONGEST_PAUSE.min(Duration::from_secs(seconds)))
}

/// The media type, if it is one that is no JSON.
fn other_type(headers: &HeaderMap) -> Option<String> {
    let found = String::from_utf8_lossy(headers.get(CONTENT_TYPE)?.as_bytes()).into_owned();
    let media = found.split(';').next().unwrap_or_default().trim();
    let media = media.to_ascii_lowercase();
    let json = media == "application/json" || media.ends_with("+json");
    (!json).then(|| media.chars().take(64).collect())
}

/// An endpoint as errors name it: without user, query and fragment, which may be secret.
pub(crate) fn place(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

struct Place(String);

impl Place {
    fn of(request: &reqwest::Request) -> Self {
        Place::at(request.url())
    }

    fn at(url: &Url) -> Self {
        Place(place(url))
    }

    fn trouble(&self, what: impl AsRef<str>) -> Trouble {
        Trouble::new(format!("{} {}", self.0, what.as_ref()))
    }

    fn failure(&self, error: &reqwest::Error) -> Trouble {
        if error.is_timeout() {
            self.trouble("does not answer in time")
        } else {
            self.trouble(format!("cannot be asked: {}", innermost(error)))
        }
    }
}

/// The outer texts hold the URL with its query.
fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(url::Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}
