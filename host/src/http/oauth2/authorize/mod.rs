//! The authorization endpoint (RFC 6749 section 3.1), for [`native`](super::native) alone:
//! whoever is signed in in the browser confirms that the terminal on his computer gets a token,
//! and the browser takes the code there.
//!
//! Nothing is sent to an address that was not checked: before that, mistakes are told on a page.

mod asked;
mod page;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Method, Request as HttpRequest, Response};
use axum::routing::any;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::Serving;
use super::code::Code;
use super::form::{self, Form};
use super::native::Loopback;
use crate::clock;
use crate::http::login::guard::{self, Guard};
use crate::http::login::page::{Frame, see_other};
use crate::http::observe::Caller;
use crate::http::session::Session;
use crate::http::{Face, error};
use asked::{Asked, Wrong, asked};

/// The authorization endpoint.
pub const AUTHORIZE: &str = "/oauth2/authorize";

/// What the confirmation's form is sealed for: whoever has not seen the page cannot send it.
const PURPOSE: &str = "confirm";

/// Seconds in which to confirm.
const PATIENCE: u64 = 600;

/// A longer query is none of ours: it goes through the login and back.
const LONGEST: usize = 1_400;

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new().route(AUTHORIZE, any(authorize))
}

/// What the user confirms, sealed into the form.
#[derive(Serialize, Deserialize)]
struct Confirmation {
    /// The id of the session whose user saw the page.
    session: String,
    redirect_uri: String,
    state: String,
    challenge: String,
    #[serde(default)]
    key: Option<String>,
    audience: Option<String>,
}

/// One request, taken apart.
struct Visit<'a> {
    serving: &'a Serving,
    head: &'a Parts,
    /// The request's id.
    id: String,
    now: u64,
}

async fn authorize(State(face): State<Face>, http: HttpRequest<Body>) -> Response<Body> {
    let (mut head, body) = http.into_parts();
    let caller = head.extensions.remove::<Caller>().unwrap_or_default();
    let visit = Visit {
        serving: &face.latest(),
        head: &head,
        id: caller.id,
        now: clock::unix_now(),
    };
    match head.method {
        Method::GET | Method::HEAD => visit.ask(),
        Method::POST => visit.confirmed(body).await,
        _ => error::method_not_allowed("GET, HEAD, POST"),
    }
}

impl Visit<'_> {
    /// The question, once it is known who is asked.
    fn ask(&self) -> Response<Body> {
        let query = self.head.uri.query().unwrap_or_default();
        let form = match Form::parse(query.as_bytes()) {
            Ok(form) if query.len() <= LONGEST => form,
            _ => return self.refused("The address is malformed, or has a parameter twice."),
        };
        let tokens = &self.serving.tokens;
        let asked = match asked(&form, self.serving) {
            Ok(asked) => asked,
            Err(wrong) => return self.wrong(&wrong),
        };
        let session = Session::of(&self.serving.browser, &self.head.headers, self.now);
        let session = session.filter(|session| tokens.takes(&session.principal));
        match session.filter(|session| asked.suits(session)) {
            Some(session) => self.question(&asked, session),
            None => self.login(&asked, query),
        }
    }

    fn question(&self, asked: &Asked<'_>, session: Session) -> Response<Body> {
        let browser = &self.serving.browser;
        let confirmation = Confirmation {
            session: session.id,
            redirect_uri: asked.to.uri().to_owned(),
            state: asked.state.to_owned(),
            challenge: asked.challenge.to_owned(),
            key: asked.key.map(str::to_owned),
            audience: asked.audience.map(str::to_owned),
        };
        let until = self.now.saturating_add(PATIENCE);
        let sealed = browser.sealer.seal(PURPOSE, until, &confirmation);
        let guard = Guard::new(browser, &self.head.headers, self.now);
        let audience = self.serving.tokens.issuer.audience(asked.audience);
        let (Some(sealed), Some(guard), Some(audience)) = (sealed, guard, audience) else {
            return page::broken(browser, &self.id);
        };
        let question = page::Confirm {
            frame: Frame::of(browser),
            username: &session.principal.user.username,
            audience: &audience.aud,
            action: &browser.path(AUTHORIZE),
            token: &guard.token,
            request: &sealed,
        };
        page::confirm(&question, &guard, asked.to.source())
    }

    /// To the login and back here.
    fn login(&self, asked: &Asked<'_>, query: &str) -> Response<Body> {
        let browser = &self.serving.browser;
        let page = match asked.backend {
            Some(backend) => format!("/login/{backend}"),
            None => "/login".to_owned(),
        };
        let back = format!("{}?{query}", browser.path(AUTHORIZE));
        let back: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
        see_other(&format!("{}?return_to={back}", browser.path(&page)))
    }

    /// The answer: a code for the terminal, or word that there is none.
    async fn confirmed(&self, body: Body) -> Response<Body> {
        let Ok(form) = form::read(self.head, body).await else {
            return self.refused("The form is malformed.");
        };
        let (browser, headers) = (&self.serving.browser, &self.head.headers);
        if !guard::is_ours(browser, headers, form.get("token"), self.now) {
            return self
                .refused("The page had been open for too long, or your browser refuses cookies.");
        }
        let sealed = form.get("request").unwrap_or_default();
        let confirmation = browser.sealer.unseal(PURPOSE, sealed, self.now);
        let session = Session::of(browser, headers, self.now);
        let (Some(confirmation), Some(session)) = (confirmation, session) else {
            return self.refused("The page is too old, or you signed out since.");
        };
        let confirmation: Confirmation = confirmation;
        let to = Loopback::parse(&confirmation.redirect_uri);
        let Some(to) = to.filter(|_| confirmation.session == session.id) else {
            return self.refused("You signed in anew since the page was shown.");
        };
        let state = confirmation.state.as_str();
        if form.get("answer") != Some("allow") {
            return self.wrong(&Wrong::Client {
                to,
                state: Some(state),
                error: "access_denied",
                description: "the user said no".to_owned(),
            });
        }
        let code = Code {
            principal: session.principal,
            session: session.id,
            challenge: confirmation.challenge,
            redirect_uri: confirmation.redirect_uri.clone(),
            key: confirmation.key,
            audience: confirmation.audience,
        };
        match code.seal(browser, self.now) {
            Some(code) => self.back(&to, &[("code", &code)], Some(state)),
            None => page::broken(browser, &self.id),
        }
    }

    fn wrong(&self, wrong: &Wrong<'_>) -> Response<Body> {
        match wrong {
            Wrong::Page(text) => self.refused(text),
            Wrong::Client {
                to,
                state,
                error,
                description,
            } => {
                let told = [("error", *error), ("error_description", description)];
                self.back(to, &told, *state)
            }
        }
    }

    /// To the terminal, with word from whom (RFC 9207).
    fn back(
        &self,
        to: &Loopback<'_>,
        told: &[(&str, &str)],
        state: Option<&str>,
    ) -> Response<Body> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(told);
        query.extend_pairs(state.map(|state| ("state", state)));
        query.append_pair("iss", self.serving.tokens.issuer.name());
        see_other(&format!("{}?{}", to.uri(), query.finish()))
    }

    fn refused(&self, text: &str) -> Response<Body> {
        page::refused(&self.serving.browser, &self.id, text)
    }
}

#[cfg(test)]
mod tests;
