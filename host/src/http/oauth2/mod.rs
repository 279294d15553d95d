//! The endpoints of OAuth: tokens (RFC 6749 section 3.2), with one file for each grant,
//! [`introspect`], [`revoke`], and those that [`code`]s and [`device`]s begin at. What they
//! share: the [`form`] that is read strictly, the [`client`] that asks, the [`error`] that is
//! answered.
//!
//! Clients are bots, and one public client for users, [`native`]. A grant that is not enabled
//! is an unsupported one, and the metadata does not name it.

pub mod assertion;
pub mod authorize;
pub mod client;
pub mod code;
pub mod credentials;
pub mod device;
pub mod error;
pub mod exchange;
pub mod form;
pub mod introspect;
pub mod jwt_bearer;
pub mod native;
pub mod refresh;
pub mod revoke;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Request as HttpRequest, Response, StatusCode};
use axum::routing::any;
use serde_json::json;

use super::observe::Caller;
use super::{Face, Serving, dpop, fab};
use crate::accounts::Principal;
use crate::accounts::store::Store;
use crate::clock;
use crate::config::values::Secret;
use crate::live::Entered;
use crate::token::attempt::turned_away;
use crate::token::dpop::{NotProved, Proof};
use crate::token::own::{Beside, NotOwn, Own};
use crate::token::{Minted, Request};
use client::Client;
use error::Error;
use form::Form;

/// The token endpoint.
pub const TOKEN: &str = "/oauth2/token";

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new()
        .route(TOKEN, any(token))
        .merge(authorize::routes())
        .merge(device::routes())
        .merge(introspect::routes())
        .merge(revoke::routes())
}

/// The grants that are enabled, as `grant_type` names them.
pub fn grants(serving: &Serving) -> Vec<&'static str> {
    let all = [
        (code::GRANT, code::is_enabled(serving)),
        (refresh::GRANT, refresh::is_enabled(serving)),
        (device::GRANT, device::is_enabled(serving)),
        (exchange::GRANT, exchange::is_enabled(serving)),
        (credentials::GRANT, has_clients(serving)),
        (jwt_bearer::GRANT, has_clients(serving)),
    ];
    let enabled = all.into_iter().filter(|(_, enabled)| *enabled);
    enabled.map(|(name, _)| name).collect()
}

/// Can clients show who they are here? Where there is a store that knows them.
pub fn has_clients(serving: &Serving) -> bool {
    serving.tokens.accounts.store().is_some()
}

/// What a client gets (RFC 6749 section 5.1).
pub struct Answer {
    /// The token.
    pub minted: Minted,
    /// `issued_token_type`, where the grant has it (RFC 8693 section 2.2.1).
    pub issued_token_type: Option<&'static str>,
    /// `refresh_token`, where there is one.
    pub refresh_token: Option<Secret>,
}

impl From<Minted> for Answer {
    fn from(minted: Minted) -> Self {
        Answer {
            minted,
            issued_token_type: None,
            refresh_token: None,
        }
    }
}

/// One call of an endpoint.
pub struct Call {
    /// What serves.
    pub serving: Entered<Serving>,
    /// What was sent.
    pub form: Form,
    /// Who asks.
    pub client: Client,
    /// That it has a key, where it has shown so; not used up yet: see [`Call::bind`].
    pub proof: Option<Proof>,
    /// What the token service will be asked: each grant puts in what backends may see; so far
    /// it is the client's headers.
    pub request: Request,
    /// Seconds since 1970.
    pub now: u64,
}

impl Call {
    /// Reads the form, and finds out who asks; or the answer, where nothing comes of it.
    async fn open(
        face: &Face,
        http: HttpRequest<Body>,
        path: &'static str,
    ) -> Result<Self, Box<Response<Body>>> {
        if http.method() != Method::POST {
            return Err(error::method_not_allowed("POST").into());
        }
        let (mut head, body) = http.into_parts();
        let request = request(&mut head, path);
        let form = match form::read(&head, body).await {
            Ok(form) => form,
            Err(error) => return Err(refused(&request, &error).into()),
        };
        // Entered only now: a client that sends its form slowly must not hold up a reload.
        let serving = face.enter().await;
        let client = client::authenticate(&serving, &head.headers, &form, &request).await;
        let now = clock::unix_now();
        let proved = client.and_then(|client| {
            let proof = proof(&serving, &head.headers, path, now)?;
            Ok((client, proof))
        });
        match proved {
            Ok((client, proof)) => Ok(Call {
                serving,
                form,
                client,
                proof,
                request,
                now,
            }),
            Err(error) => Err(refused(&request, &error).into()),
        }
    }

    /// Uses the client's proof up, if it has shown one: the token is bound to its key. Each grant
    /// does so once it knows that there is something to give, so that nobody else fills the store.
    ///
    /// # Errors
    /// `invalid_dpop_proof`: the proof was used before.
    pub async fn bind(&mut self) -> Result<(), Error> {
        let Some(proof) = &self.proof else {
            return Ok(());
        };
        match dpop::use_up(&self.serving, proof, self.now).await {
            Ok(true) => {
                self.request.key = Some(proof.key.clone());
                Ok(())
            }
            Ok(false) => Err(self.proved_before()),
            Err(error) => Err(self.outage(&error)),
        }
    }

    /// The client's proof was used before.
    pub fn proved_before(&self) -> Error {
        let nonce = dpop::nonce(&self.serving, self.now);
        Error::not_proved(&NotProved::Again, nonce)
    }

    /// The key that the client has proved to have.
    pub fn key(&self) -> Option<&str> {
        self.proof.as_ref().map(|proof| proof.key.as_str())
    }

    /// The answer, once it is known what comes of it.
    fn answer(&self, answered: Result<Response<Body>, Error>) -> Response<Body> {
        answered.unwrap_or_else(|error| refused(&self.request, &error))
    }

    /// A denial: the audit log is told why, the client is not.
    pub fn deny(&self, principal: Option<&Principal>, reason: &str, told: Error) -> Error {
        let tokens = &self.serving.tokens;
        Error::refused(tokens.withhold(&self.request, principal, reason), told)
    }

    /// Nobody can say now.
    pub fn outage(&self, error: &dyn std::error::Error) -> Error {
        let refusal = self.serving.tokens.postpone(&self.request, None, error);
        Error::refused(refusal, Error::invalid_grant("try again later"))
    }

    /// A signed token of ours; none = it is none, or is good no more.
    ///
    /// # Errors
    /// Whether it was revoked is not known now.
    pub fn own(&self, token: &str) -> Result<Option<Own>, Error> {
        match self
            .serving
            .tokens
            .verify_any(token, Beside::Question, self.now)
        {
            Ok(own) => Ok(Some(own)),
            Err(lost @ NotOwn::StoreLost(_)) => Err(self.outage(&lost)),
            Err(_) => Ok(None),
        }
    }

    /// The store, which everything has that is enabled.
    ///
    /// # Errors
    /// There is none.
    pub fn store(&self) -> Result<&Store, Error> {
        let store = self.serving.tokens.accounts.store();
        let none = || Error::unsupported_grant_type("there is no store here");
        store.map(|store| &**store).ok_or_else(none)
    }
}

async fn token(State(face): State<Face>, http: HttpRequest<Body>) -> Response<Body> {
    let mut call = match Call::open(&face, http, TOKEN).await {
        Ok(call) => call,
        Err(answer) => return *answer,
    };
    let answered = granted(&mut call).await;
    let nonce = call.proof.as_ref();
    let nonce = nonce.and_then(|_| dpop::nonce(&call.serving, call.now));
    call.answer(answered.map(|answer| answer.response(nonce)))
}

/// The proof of a key, where tokens are given; elsewhere it says nothing.
fn proof(
    serving: &Serving,
    headers: &HeaderMap,
    path: &'static str,
    now: u64,
) -> Result<Option<Proof>, Error> {
    if path != TOKEN {
        return Ok(None);
    }
    let asked = dpop::Asked {
        method: Method::POST.as_str(),
        path,
        token: None,
        now,
    };
    let proof = dpop::proof(serving, headers, &asked);
    proof.map_err(|why| Error::not_proved(&why, dpop::nonce(serving, now)))
}

/// What kind of token it is: `Bearer`, or `DPoP` for one that is bound to a key.
fn token_type(bound: bool) -> &'static str {
    match bound {
        true => "DPoP",
        false => "Bearer",
    }
}

fn refused(request: &Request, error: &Error) -> Response<Body> {
    if let Some(reason) = error.untold() {
        turned_away(request, &reason);
    }
    error.response(&request.inner.request_id)
}

/// What the grant makes of it.
async fn granted(call: &mut Call) -> Result<Answer, Error> {
    let grant = call.form.require("grant_type")?;
    if !grants(&call.serving).contains(&grant) {
        return Err(Error::unsupported_grant_type(
            "this grant is not enabled here",
        ));
    }
    match grant {
        code::GRANT => code::answer(call).await,
        refresh::GRANT => refresh::answer(call).await,
        device::GRANT => device::answer(call).await,
        credentials::GRANT => credentials::answer(call).await,
        jwt_bearer::GRANT => jwt_bearer::answer(call).await,
        _ => exchange::answer(call).await,
    }
}

fn request(head: &mut Parts, path: &'static str) -> Request {
    let caller = head.extensions.remove::<Caller>().unwrap_or_default();
    let headers = fab::plain(&head.headers);
    Request::new(path, headers, caller.id, caller.address)
}

impl Answer {
    fn response(&self, nonce: Option<HeaderValue>) -> Response<Body> {
        let mut body = json!({
            "access_token": self.minted.token,
            "token_type": token_type(self.minted.claims.bound),
            "expires_in": self.minted.claims.seconds,
        });
        if let Some(kind) = self.issued_token_type {
            body["issued_token_type"] = kind.into();
        }
        if let Some(token) = &self.refresh_token {
            body["refresh_token"] = token.expose().into();
        }
        let mut response = error::answer(StatusCode::OK, &body);
        if let Some(nonce) = nonce {
            response.headers_mut().insert(dpop::NONCE, nonce);
        }
        response
    }
}
