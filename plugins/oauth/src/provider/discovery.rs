//! What the provider says of itself: OpenID Connect Discovery 1.0 section 3, or RFC 8414.
//! A document that names another issuer than the configured one is not used at all: that
//! is how one provider passes itself off as another (mix-up; RFC 8414 section 3.3).

use std::sync::Arc;

use countersign_sdk::prelude::*;
use http::StatusCode;
use serde_json::{Map, Value};
use url::Url;

use super::http::{self as web, Http};
use super::metrics::Metrics;
use super::renewed::Renewed;
use super::{Metadata, configured};
use crate::settings::Settings;
use crate::trouble::Trouble;

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// The document, cached.
pub(super) struct Discovery {
    url: Url,
    settings: Arc<Settings>,
    http: Http,
    metrics: Metrics,
    cx: Cx,
    known: Renewed<Metadata>,
}

impl Discovery {
    /// None where nothing is discovered.
    pub(super) fn new(settings: &Arc<Settings>, http: &Http, cx: &Cx) -> Option<Self> {
        Some(Discovery {
            url: settings.endpoints.discovery.clone()?,
            settings: Arc::clone(settings),
            http: http.clone(),
            metrics: Metrics::new(cx),
            cx: cx.clone(),
            known: Renewed::new(&settings.cache),
        })
    }

    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, Trouble> {
        let fetch = || {
            let (url, settings) = (self.url.clone(), Arc::clone(&self.settings));
            let (http, metrics) = (self.http.clone(), self.metrics.clone());
            async move {
                let fetched = fetch(&url, &settings, &http).await;
                metrics.fetched("metadata", fetched.is_ok());
                fetched
            }
        };
        self.known.get(&self.cx, fetch).await
    }

    /// What it named does not answer.
    pub(super) fn doubt(&self) {
        self.known.doubt();
    }
}

async fn fetch(url: &Url, settings: &Settings, http: &Http) -> Result<Metadata, Trouble> {
    let mut answer = http.get(url).await?;
    let mut place = url.clone();
    if answer.status() == StatusCode::NOT_FOUND
        && let Some(other) = of_rfc8414(url)
    {
        let second = http.get(&other).await?;
        if second.status() == StatusCode::OK {
            (answer, place) = (second, other);
        }
    }
    let document = web::object(&place, &answer)?;
    read(&document, settings, &|url| http.allows(url))
        .map_err(|what| Trouble::new(format!("{} {what}", web::place(&place))))
}

/// Where a server without OpenID has its document: RFC 8414 section 3.1 puts the well-known
/// part before the issuer's path, OpenID after it.
fn of_rfc8414(url: &Url) -> Option<Url> {
    let path = url.path().strip_suffix(OPENID)?;
    let mut other = url.clone();
    other.set_path(&format!("{OAUTH}{path}"));
    Some(other)
}

/// Reads the document; what is configured is not looked for in it.
pub(super) fn read(
    document: &Map<String, Value>,
    settings: &Settings,
    allowed: &dyn Fn(&Url) -> bool,
) -> Result<Metadata, String> {
    let expected = &settings.issuer;
    match document.get("issuer").and_then(Value::as_str) {
        Some(issuer) if issuer == expected => {}
        Some(other) => {
            let other: String = other.chars().take(200).collect();
            return Err(format!(
                "names the issuer {other:?}, but {expected:?} is configured: they must be identical, to the last slash"
            ));
        }
        None => return Err("names no issuer".into()),
    }
    let url = |name: &str| match document.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => match text.parse() {
            Ok(url) if allowed(&url) => Ok(Some(url)),
            Ok(_) => Err(format!("names a {name} that is not https://")),
            Err(_) => Err(format!("names a {name} that is no URL")),
        },
        Some(_) => Err(format!("names a {name} that is no text")),
    };
    let mut metadata = configured(settings);
    for (place, name) in [
        (&mut metadata.jwks, "jwks_uri"),
        (&mut metadata.authorization, "authorization_endpoint"),
        (&mut metadata.token, "token_endpoint"),
        (&mut metadata.userinfo, "userinfo_endpoint"),
        (&mut metadata.introspection, "introspection_endpoint"),
        (&mut metadata.end_session, "end_session_endpoint"),
    ] {
        if place.is_none() {
            *place = url(name)?;
        }
    }
    let says_iss = document.get("authorization_response_iss_parameter_supported");
    metadata.says_iss = says_iss == Some(&Value::Bool(true));
    Ok(metadata)
}
