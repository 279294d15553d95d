//! One fetch over HTTP, bounded in time and size.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::{ACCEPT, CACHE_CONTROL, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, StatusCode, Url};

use super::cache::Fetched;
use super::{JwksError, JwksOptions};
use crate::key_set::SET_LIMIT;
use crate::{KeySet, KeySetError};

/// Nobody is believed who says to come again later than this.
const LONGEST_PAUSE: u64 = 300;

/// A client for one URL.
pub(super) fn client(url: &Url, options: &JwksOptions) -> Result<Client, JwksError> {
    let host = url.host_str().ok_or(JwksError::Url)?;
    let loopback = is_loopback(host);
    match url.scheme() {
        "https" => {}
        "http" if loopback || options.plain_http => {}
        "http" => return Err(JwksError::PlainHttp),
        _ => return Err(JwksError::Url),
    }
    let redirects = options.redirects;
    let mut builder = Client::builder()
        .timeout(options.timeout)
        .redirect(Policy::custom(move |attempt| {
            if attempt.url().scheme() == "https" && attempt.previous().len() <= redirects {
                attempt.follow()
            } else {
                attempt.error("not followed")
            }
        }))
        .user_agent(concat!("countersign-verify/", env!("CARGO_PKG_VERSION")));
    if loopback {
        builder = builder.no_proxy();
    }
    if let Some(pem) = &options.authorities {
        let authorities = Certificate::from_pem_bundle(pem);
        let authorities = authorities.map_err(|_| JwksError::Authorities)?;
        if authorities.is_empty() {
            return Err(JwksError::Authorities);
        }
        builder = builder.tls_certs_only(authorities);
    }
    let client = builder.build();
    client.map_err(|error| JwksError::Client(innermost(&error)))
}

/// Fetches and parses the set.
pub(super) async fn fetch(client: &Client, url: Url) -> Result<Fetched, JwksError> {
    let request = client.get(url).header(ACCEPT, "application/json");
    let mut response = request.send().await.map_err(failure)?;
    if response.status() != StatusCode::OK {
        return Err(refused(&response));
    }
    let max_age = max_age(response.headers());
    let mut document = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if document.len() + chunk.len() > SET_LIMIT {
            return Err(KeySetError::Size.into());
        }
        document.extend_from_slice(&chunk);
    }
    let set = KeySet::parse(&document)?;
    for key in set.refused() {
        tracing::warn!("a key set has a key that is not used: {key}");
    }
    Ok(Fetched { set, max_age })
}

/// An answer that is none. Only a pause in seconds is understood (RFC 9110 section 10.2.3).
fn refused(response: &Response) -> JwksError {
    let status = response.status().as_u16();
    let pause = response.headers().get(RETRY_AFTER);
    let pause = pause.and_then(|seconds| seconds.to_str().ok()?.trim().parse().ok());
    match pause {
        Some(seconds) if matches!(status, 429 | 503) => JwksError::Busy {
            status,
            retry_after: Duration::from_secs(LONGEST_PAUSE.min(seconds)),
        },
        _ => JwksError::Status(status),
    }
}

fn failure(error: reqwest::Error) -> JwksError {
    if error.is_timeout() {
        JwksError::Timeout
    } else if error.is_redirect() {
        JwksError::Redirect
    } else {
        JwksError::Unreachable(innermost(&error))
    }
}

/// The outer texts hold the URL.
fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn max_age(headers: &HeaderMap) -> Option<u64> {
    let control = headers.get(CACHE_CONTROL)?.to_str().ok()?;
    let mut directives = control.split(',').map(str::trim);
    directives.find_map(|directive| match directive.split_once('=') {
        Some((name, seconds)) if name.eq_ignore_ascii_case("max-age") => {
            seconds.trim_matches('"').parse().ok()
        }
        None if directive.eq_ignore_ascii_case("no-store") => Some(0),
        None if directive.eq_ignore_ascii_case("no-cache") => Some(0),
        _ => None,
    })
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
