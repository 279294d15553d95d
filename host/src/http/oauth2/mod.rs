//! `POST /oauth2/token` (RFC 6749 section 3.2): one file for each grant, and what they share:
//! the [`form`] that is read strictly, the [`error`] that is answered.
//!
//! Clients are public: none is registered, so none can authenticate. A grant that is not
//! enabled is an unsupported one, and the metadata does not name it.

pub mod authorize;
pub mod code;
pub mod error;
pub mod exchange;
pub mod form;
pub mod native;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Method, Request as HttpRequest, Response, StatusCode};
use axum::routing::any;
use serde_json::json;

use super::observe::Caller;
use super::{Face, Serving, fab};
use crate::token::attempt::turned_away;
use crate::token::{Lifetime, Minted, Request};
use error::Error;
use form::Form;

/// The token endpoint.
pub const TOKEN: &str = "/oauth2/token";

/// A client's name in a token is at most this long.
const LONGEST_CLIENT: usize = 255;

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new()
        .route(TOKEN, any(token))
        .merge(authorize::routes())
}

/// The grants that are enabled, as `grant_type` names them.
pub fn grants(serving: &Serving) -> Vec<&'static str> {
    let all = [
        (code::GRANT, code::is_enabled(serving)),
        (exchange::GRANT, exchange::is_enabled(serving)),
    ];
    let enabled = all.into_iter().filter(|(_, enabled)| *enabled);
    enabled.map(|(name, _)| name).collect()
}

/// What a client gets (RFC 6749 section 5.1).
pub struct Answer {
    /// The token.
    pub minted: Minted,
    /// `issued_token_type`, where the grant has it (RFC 8693 section 2.2.1).
    pub issued_token_type: Option<&'static str>,
}

async fn token(State(face): State<Face>, http: HttpRequest<Body>) -> Response<Body> {
    if http.method() != Method::POST {
        return error::method_not_allowed("POST");
    }
    let (mut head, body) = http.into_parts();
    let mut request = request(&mut head);
    let answered = match form::read(&head, body).await {
        Ok(form) => {
            // Entered only now: a client that sends its form slowly must not hold up a reload.
            let serving = face.enter().await;
            granted(&serving, &form, &mut request).await
        }
        Err(error) => Err(error),
    };
    match answered {
        Ok(answer) => answer.response(),
        Err(error) => {
            if let Some(reason) = error.untold() {
                turned_away(&request, &reason);
            }
            error.response(&request.inner.request_id)
        }
    }
}

/// What the grant makes of it. `request` is what the token service will be asked: each grant
/// puts in what backends may see; so far it is the client's headers.
async fn granted(serving: &Serving, form: &Form, request: &mut Request) -> Result<Answer, Error> {
    let grant = form.require("grant_type")?;
    if !grants(serving).contains(&grant) {
        return Err(Error::unsupported_grant_type(
            "this grant is not enabled here",
        ));
    }
    match grant {
        code::GRANT => code::answer(serving, form, request).await,
        _ => exchange::answer(serving, form, request).await,
    }
}

fn request(head: &mut Parts) -> Request {
    let caller = head.extensions.remove::<Caller>().unwrap_or_default();
    Request {
        inner: countersign_abi::Request {
            headers: fab::plain(&head.headers),
            peer: caller
                .address
                .map_or_else(String::new, |address| address.to_string()),
            request_id: caller.id,
            ..countersign_abi::Request::default()
        },
        body: json!({}),
        only: None,
        lifetime: Lifetime::Api,
        path: TOKEN,
        address: caller.address,
    }
}

/// Who the client says it is. Nobody has checked that: it is a public client.
///
/// # Errors
/// It is no client's name (RFC 6749 appendix A.1), or longer than 255 characters.
pub fn client(form: &Form) -> Result<Option<&str>, Error> {
    let Some(client) = form.get("client_id") else {
        return Ok(None);
    };
    let fits = client.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
    match fits && client.len() <= LONGEST_CLIENT {
        true => Ok(Some(client)),
        false => Err(Error::invalid_request(
            "client_id must be printable ASCII of at most 255 characters",
        )),
    }
}

impl Answer {
    fn response(&self) -> Response<Body> {
        let mut body = json!({
            "access_token": self.minted.token,
            "token_type": "Bearer",
            "expires_in": self.minted.claims.seconds,
        });
        if let Some(kind) = self.issued_token_type {
            body["issued_token_type"] = kind.into();
        }
        error::answer(StatusCode::OK, &body)
    }
}
