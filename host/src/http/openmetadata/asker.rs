//! A call of this face: before it is known who asks, and after. How he shows that is in
//! [`shown`](super::shown).

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request as HttpRequest, StatusCode};
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::answer::{Refused, not_done, refuse, wrong};
use super::shown::{Proof, Shown};
use crate::accounts::Principal;
use crate::http::observe::Caller;
use crate::http::{Face, Serving, body};
use crate::live::Entered;
use crate::token::management::{Asker, Management};

/// A request, before it is known who asks.
pub(super) struct Call {
    face: Face,
    pub(super) id: String,
    pub(super) address: Option<IpAddr>,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    query: String,
    /// Only so that tasks may share the rest.
    body: Mutex<Body>,
}

/// A request of somebody who is known.
pub(super) struct Known {
    pub(super) serving: Entered<Serving>,
    pub(super) principal: Principal,
    /// Did he show what is for our own API? What is for others only tells him who he is.
    pub(super) trusted: bool,
    proof: Proof,
    pub(super) id: String,
    address: String,
    query: String,
    headers: HeaderMap,
    body: Mutex<Body>,
}

impl Call {
    pub(super) fn of(face: Face, http: HttpRequest<Body>) -> Self {
        let (mut head, body) = http.into_parts();
        let caller = head.extensions.remove::<Caller>().unwrap_or_default();
        Call {
            face,
            id: caller.id,
            address: caller.address,
            method: head.method,
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head.headers,
            body: Mutex::new(body),
        }
    }

    /// Somebody who may manage.
    pub(super) async fn manager(self) -> Result<Known, Refused> {
        let known = self.known(false).await?;
        match known.serving.may_manage(&known.principal) {
            true => Ok(known),
            false => {
                let name = &known.principal.user.username;
                let text = format!("Principal: CatalogPrincipal{{name='{name}'}} is not admin");
                Err(refuse(StatusCode::FORBIDDEN, &text))
            }
        }
    }

    /// Anybody; with `any` also by a token of ours for another audience, which only tells him
    /// who he is.
    pub(super) async fn known(self, any: bool) -> Result<Known, Refused> {
        let serving = self.face.enter().await;
        let shown = Shown::of(&self, &serving, any).await?;
        Ok(Known {
            serving,
            principal: shown.principal,
            trusted: shown.trusted,
            proof: shown.proof,
            id: self.id,
            address: self.address.map_or_else(String::new, |it| it.to_string()),
            query: self.query,
            headers: self.headers,
            body: self.body,
        })
    }
}

impl Known {
    /// What may be done.
    pub(super) fn management(&self) -> Result<Management<'_>, Refused> {
        let management = self.serving.management();
        management.map_err(|error| not_done(&error, &self.id))
    }

    /// As who it is done.
    pub(super) fn asker(&self) -> Asker<'_> {
        Asker {
            name: &self.principal.user.username,
            roles: Some(&self.principal.user.roles),
            request: &self.id,
            address: &self.address,
        }
    }

    /// Did he show a personal token, or what it was exchanged for?
    pub(super) async fn by_personal_token(&self) -> Result<bool, Refused> {
        let store = self.serving.tokens.accounts.store();
        let is = self.proof.is_personal_token(store.map(AsRef::as_ref)).await;
        is.map_err(|error| not_done(&error.into(), &self.id))
    }

    /// A parameter of the address; the first of several.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        let found = pairs.find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned())
    }

    /// What was sent: to be taken once.
    pub(super) fn sent(&mut self) -> (&HeaderMap, Body) {
        let body = self.body.get_mut().unwrap_or_else(PoisonError::into_inner);
        (&self.headers, std::mem::take(body))
    }

    /// The body's JSON object.
    pub(super) async fn read<T: DeserializeOwned>(&mut self) -> Result<T, Refused> {
        let (headers, body) = self.sent();
        let parsed = body::read(headers, body, false).await;
        let parsed = parsed.map_err(|refused| {
            refuse(
                refused.status(),
                "The body is no JSON object, or not application/json",
            )
        })?;
        serde_json::from_value(parsed.json).map_err(|error| wrong(&in_our_words(&error)))
    }

    /// The audience that OpenMetadata's tokens are for: `?audience=`, else the one of that
    /// name, else the default one.
    pub(super) fn audience(&self) -> Option<String> {
        const NAME: &str = "openmetadata";
        let known = self.serving.tokens.issuer.audience(Some(NAME));
        let usual = known.and_then(|audience| audience.name.clone());
        self.parameter("audience").or(usual)
    }
}

/// What serde says of a body, without what it quotes of it, which may be a secret.
fn in_our_words(error: &serde_json::Error) -> String {
    let told = error.to_string();
    match (
        told.starts_with("missing field"),
        told.split_once(", expected "),
    ) {
        (true, _) => format!("The body has a {told}"),
        (false, Some((_, expected))) => {
            format!("The body has a member that cannot be understood: expected {expected}")
        }
        (false, None) => "The body has a member that cannot be understood".to_owned(),
    }
}
