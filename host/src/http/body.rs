//! Bodies of token requests: bounded, and refused in FastAPI's words.
//!
//! Never echoes what was sent, as Airflow does: a form body holds the password.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::error::{answer_text, detail};

/// Larger bodies are refused. A bearer token may stand in the body: 64 KiB is ample.
pub const LIMIT: usize = 64 * 1024;

/// A client gets this long to send its body.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A refusal of the body, ready to be sent; boxed, since it is large and rare.
pub type Refused = Box<Response<Body>>;

/// What is read of a body: the bytes for the plugins, the object for the host.
pub struct Parsed {
    /// As received.
    pub raw: Vec<u8>,
    /// A JSON object.
    pub json: Value,
}

/// Reads a JSON object; an empty body counts as `{}` where a bearer token came along.
pub async fn read(headers: &HeaderMap, body: Body, bearer: bool) -> Result<Parsed, Refused> {
    let raw = bytes(body).await.map_err(unread)?;
    if raw.is_empty() {
        return if bearer {
            Ok(Parsed {
                raw,
                json: json!({}),
            })
        } else {
            Err(missing())
        };
    }
    match kind(headers) {
        Kind::Json => {}
        Kind::Form => {
            return Err(refused(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Send the body as application/json",
            ));
        }
        Kind::Other => return Err(not_an_object()),
    }
    match object(&raw)? {
        Value::Null => Err(missing()),
        json @ Value::Object(_) => Ok(Parsed { raw, json }),
        _ => Err(not_an_object()),
    }
}

/// Why there are no bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// More than [`LIMIT`].
    TooLarge,
    /// They did not arrive in time.
    Late,
    /// The client went away, or did not keep to HTTP.
    Broken,
}

/// The bytes of a body, whatever they are: bounded in number and in time.
///
/// # Errors
/// [`Unread`].
pub async fn bytes(body: Body) -> Result<Vec<u8>, Unread> {
    match timeout(TIMEOUT, Limited::new(body, LIMIT).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes().to_vec()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Unread::TooLarge),
        Ok(Err(_)) => Err(Unread::Broken),
        Err(_) => Err(Unread::Late),
    }
}

fn unread(reason: Unread) -> Refused {
    match reason {
        Unread::TooLarge => refused(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The body is larger than 65536 bytes",
        ),
        Unread::Late => refused(
            StatusCode::REQUEST_TIMEOUT,
            "The body did not arrive in time",
        ),
        Unread::Broken => unreadable(),
    }
}

enum Kind {
    Json,
    Form,
    Other,
}

/// `application/json` and `application/*+json`, as FastAPI takes them.
fn kind(headers: &HeaderMap) -> Kind {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match essence.split_once('/') {
        Some(("application", subtype)) if subtype == "json" || subtype.ends_with("+json") => {
            Kind::Json
        }
        Some(("application", "x-www-form-urlencoded") | ("multipart", _)) => Kind::Form,
        _ => Kind::Other,
    }
}

fn object(raw: &[u8]) -> Result<Value, Refused> {
    let Ok(text) = std::str::from_utf8(raw) else {
        return Err(unreadable());
    };
    serde_json::from_str(text).map_err(|error| {
        let words = error.to_string();
        // What Python's parser takes and its encoder, or stack, then does not.
        if words.starts_with("recursion limit") || words.contains("surrogate") || words.contains("hex escape") {
            return unreadable();
        }
        let (at, reason) = (offset(text, error.line(), error.column()), reason(&words));
        unprocessable(format!(
            r#"{{"detail":[{{"type":"json_invalid","loc":["body",{at}],"msg":"JSON decode error","input":{{}},"ctx":{{"error":{}}}}}]}}"#,
            json!(reason)
        ))
    })
}

/// Characters before the place of the error.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(|line| line.chars().count())
        .sum();
    before + column.saturating_sub(1)
}

/// serde_json's words without its place.
fn reason(words: &str) -> &str {
    words.split(" at line ").next().unwrap_or_default()
}

fn refused(status: StatusCode, text: &str) -> Refused {
    Box::new(detail(status, text))
}

fn unreadable() -> Refused {
    refused(
        StatusCode::BAD_REQUEST,
        "There was an error parsing the body",
    )
}

fn missing() -> Refused {
    unprocessable(
        r#"{"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]}"#
            .into(),
    )
}

fn not_an_object() -> Refused {
    unprocessable(r#"{"detail":[{"type":"dict_type","loc":["body"],"msg":"Input should be a valid dictionary"}]}"#.into())
}

/// 422; the text is JSON, its members in the order in which pydantic writes them.
fn unprocessable(body: String) -> Refused {
    Box::new(answer_text(StatusCode::UNPROCESSABLE_ENTITY, body))
}
