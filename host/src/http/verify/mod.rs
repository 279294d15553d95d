//! Forward-auth: `GET /auth/verify`, asked by nginx (`auth_request`), Traefik (`forwardAuth`)
//! and Envoy (`ext_authz`) about each request before it goes on. May it pass, and who is it?
//!
//! The only thing of the client's that counts is its `Authorization: Bearer`. What a proxy, or a
//! client in its name, says of the original request (`X-Forwarded-*`, `X-Original-*`, Envoy's
//! method and path) decides nothing, so that nobody talks it into another one. What is asked
//! for is in the query that the operator wrote ([`asked`]).
//!
//! The answer has all identity headers, always, empty where nothing is known: whoever copies
//! them over the client's own leaves nothing of those ([`identity`]).

mod asked;
mod identity;
mod kept;

use std::borrow::Cow;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use axum::routing::any;

use super::observe::Caller;
use super::{Face, Serving, error};
use crate::audit::{self, Line};
use crate::token::accepted::Accepted;
use crate::{clock, metering};
use asked::Asked;
use kept::Kept;

pub use identity::Identity;

const VERIFY: &str = "/auth/verify";

/// Envoy asks with the method of the original request.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// The route of this face.
pub fn routes() -> Router<Face> {
    Router::new().route(VERIFY, any(verify))
}

async fn verify(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    let (head, _) = http.into_parts();
    if !METHODS.split(", ").any(|known| known == head.method) {
        return error::method_not_allowed(METHODS);
    }
    let serving = face.latest();
    let asked = match Asked::of(&serving.tokens.issuer, head.uri.query()) {
        Ok(asked) => asked,
        Err(mistake) => {
            tracing::warn!("{VERIFY}, as a proxy asks it: {mistake}");
            return error::detail(StatusCode::BAD_REQUEST, &mistake.to_string());
        }
    };
    match decide(&serving, &asked, &head.headers).await {
        Ok(accepted) => {
            metering::verified(accepted.trusted(), asked.name(), "accepted");
            if serving.identity.is_audited() {
                let told = Told::of(&head, Some(&accepted));
                audit::let_through(&told.line(&asked));
            }
            serving.identity.answer(&accepted)
        }
        Err(kept) => {
            let who = kept.who();
            let whose = who.map_or("", Accepted::trusted);
            metering::verified(whose, asked.name(), kept.label());
            audit::kept_out(&Line {
                outcome: kept.outcome(),
                reason: &kept.reason(),
                ..Told::of(&head, who).line(&asked)
            });
            kept.answer()
        }
    }
}

async fn decide(serving: &Serving, asked: &Asked<'_>, sent: &HeaderMap) -> Result<Accepted, Kept> {
    let token = bearer(sent).ok_or_else(|| match has_proof(sent) {
        true => Kept::Proof,
        false => Kept::NoToken,
    })?;
    let accepted = serving
        .tokens
        .accept(token, asked.audience, clock::unix_now());
    let accepted = accepted.await.map_err(Kept::Refused)?;
    match asked.lets_in(accepted.roles()) {
        true => Ok(accepted),
        false => Err(Kept::Forbidden(Box::new(accepted))),
    }
}

/// The token, if there is exactly one: of two, nobody knows which one the service would read.
fn bearer(sent: &HeaderMap) -> Option<&str> {
    let mut lines = sent.get_all(AUTHORIZATION).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else {
        return None;
    };
    let (scheme, token) = line.to_str().ok()?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| token.trim_start_matches(' '))
}

/// Is there a token of the kind that comes with a proof?
fn has_proof(sent: &HeaderMap) -> bool {
    let lines = sent.get_all(AUTHORIZATION).iter();
    let mut schemes = lines.filter_map(|line| line.as_bytes().split_at_checked(5));
    schemes.any(|(scheme, _)| scheme.eq_ignore_ascii_case(b"dpop "))
}

/// What the audit log is told of a request.
struct Told<'a> {
    request: &'a str,
    address: String,
    agent: &'a str,
    subject: Cow<'a, str>,
    who: Option<&'a Accepted>,
}

impl<'a> Told<'a> {
    fn of(head: &'a Parts, who: Option<&'a Accepted>) -> Self {
        let caller = head.extensions.get::<Caller>();
        let address = caller.and_then(|caller| caller.address);
        let agent = head.headers.get(USER_AGENT);
        Told {
            request: caller.map_or("", |caller| &caller.id),
            address: address.map_or_else(String::new, |address| address.to_string()),
            agent: agent.and_then(|it| it.to_str().ok()).unwrap_or_default(),
            subject: who.map(Accepted::subject).unwrap_or_default(),
            who,
        }
    }

    fn line(&'a self, asked: &Asked<'a>) -> Line<'a> {
        Line {
            request: self.request,
            path: VERIFY,
            outcome: "accepted",
            backend: self.who.map_or("", Accepted::backend),
            user: self.who.map_or("", Accepted::username),
            address: &self.address,
            agent: self.agent,
            sub: &self.subject,
            jti: self
                .who
                .and_then(|who| who.verified.id.as_deref())
                .unwrap_or_default(),
            audience: asked.name(),
            ..Line::default()
        }
    }
}
