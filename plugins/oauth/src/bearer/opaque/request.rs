//! Requests to the provider, and who is asking.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use countersign_sdk::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::request::Builder;
use http::{HeaderValue, Request};
use url::Url;
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::settings::Client;
use crate::trouble::Trouble;

/// A request with the token as its credential.
pub(super) fn as_bearer(url: &Url, token: &str) -> Result<Request<Vec<u8>>, Trouble> {
    let request = Request::get(url.as_str()).header(ACCEPT, "application/json");
    finish(
        request.header(AUTHORIZATION, credential(format!("Bearer {token}"))?),
        Vec::new(),
    )
}

/// A form, from this server as a client (RFC 6749 section 2.3.1).
pub(super) fn form(
    url: &Url,
    fields: &[(&str, &str)],
    client: Option<&Client>,
) -> Result<Request<Vec<u8>>, Trouble> {
    let mut request = Request::post(url.as_str())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let mut body = Serializer::new(String::new());
    body.extend_pairs(fields);
    if let Some(client) = client {
        let secret = client.secret.as_ref().map(Secret::expose);
        match secret {
            Some(secret) if !client.secret_in_body => {
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", encoded(&client.id), encoded(secret));
                request = request.header(AUTHORIZATION, basic(&pair)?);
            }
            _ => {
                body.append_pair("client_id", &client.id);
                body.extend_pairs(secret.map(|secret| ("client_secret", secret)));
            }
        }
    }
    finish(request, body.finish().into_bytes())
}

/// `Authorization: Basic` of a pair as it is.
pub(super) fn basic(pair: &str) -> Result<HeaderValue, Trouble> {
    credential(format!("Basic {}", STANDARD.encode(pair)))
}

fn credential(text: String) -> Result<HeaderValue, Trouble> {
    let value = HeaderValue::from_str(&text);
    let mut value = value.map_err(|_| Trouble::new("a credential has characters of no header"))?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) fn finish(request: Builder, body: Vec<u8>) -> Result<Request<Vec<u8>>, Trouble> {
    let request = request.body(body);
    request.map_err(|_| Trouble::new("a request to the provider cannot be made"))
}
