//! The pages at `/device`: the code, the question, and what came of it.

use askama::Template;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::RETRY_AFTER;
use axum::http::request::Parts;
use axum::http::{Method, Request as HttpRequest, Response, StatusCode};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::{DEVICE, UserCode, is_enabled};
use crate::accounts::devices::Waiting;
use crate::accounts::store::{Store, StoreError};
use crate::clock;
use crate::http::login::guard::{self, Guard};
use crate::http::login::page::{self, Frame, see_other};
use crate::http::oauth2::form::{self, Form};
use crate::http::session::Session;
use crate::http::{Face, Serving, error};
use crate::token::guess::Guess;
use crate::token::{Refusal, Request};

/// What the confirmation's form is sealed for: whoever has not seen the page cannot send it.
const PURPOSE: &str = "device";

/// Seconds in which to confirm.
const PATIENCE: u64 = 600;

/// A longer query is none of ours: it goes through the login and back.
const LONGEST: usize = 200;

/// What the user confirms, sealed into the form.
#[derive(Serialize, Deserialize)]
struct Confirmation {
    /// The id of the session whose user saw the page.
    session: String,
    user_code: String,
}

/// One request, taken apart.
struct Visit<'a> {
    serving: &'a Serving,
    store: &'a Store,
    head: &'a Parts,
    request: &'a Request,
    now: u64,
}

#[derive(Template)]
#[template(path = "oauth2/device.html")]
struct Ask<'a> {
    frame: Frame,
    action: &'a str,
    /// Who is signed in.
    username: &'a str,
    /// As it was typed.
    typed: &'a str,
    /// What is wrong with it; empty = nothing yet.
    alert: &'a str,
    request: &'a str,
}

#[derive(Template)]
#[template(path = "oauth2/device_confirm.html")]
struct Confirm<'a> {
    frame: Frame,
    action: &'a str,
    user_code: &'a str,
    /// Who is signed in.
    username: &'a str,
    /// Whom the token is for.
    audience: &'a str,
    /// Where the device was started; empty = nobody knows.
    address: &'a str,
    /// How long ago.
    age: &'a str,
    /// That the form comes from our own page.
    token: &'a str,
    /// What is confirmed, sealed.
    sealed: &'a str,
}

#[derive(Template)]
#[template(path = "oauth2/device_said.html")]
struct Said<'a> {
    frame: Frame,
    heading: &'a str,
    text: &'a str,
    /// The request's id, where something went wrong.
    request: &'a str,
}

pub(super) async fn show(State(face): State<Face>, http: HttpRequest<Body>) -> Response<Body> {
    let (mut head, body) = http.into_parts();
    let request = crate::http::oauth2::request(&mut head, DEVICE);
    let serving = face.latest();
    let store = serving
        .tokens
        .accounts
        .store()
        .filter(|_| is_enabled(&serving));
    let Some(store) = store else {
        return said(
            &serving,
            StatusCode::NOT_FOUND,
            "There is no such page",
            "Nobody signs in here with a browser.",
            &request.inner.request_id,
        );
    };
    let visit = Visit {
        serving: &serving,
        store,
        head: &head,
        request: &request,
        now: clock::unix_now(),
    };
    match head.method {
        Method::GET | Method::HEAD => visit.ask().await,
        Method::POST => visit.confirmed(body).await,
        _ => error::method_not_allowed("GET, HEAD, POST"),
    }
}

impl Visit<'_> {
    /// The code; or the question, once there is one and it is known who is asked.
    async fn ask(&self) -> Response<Body> {
        let query = self.head.uri.query().unwrap_or_default();
        let form = match Form::parse(query.as_bytes()) {
            Ok(form) if query.len() <= LONGEST => form,
            _ => return self.wrong("The address is malformed, or has a parameter twice."),
        };
        let session = Session::of(&self.serving.browser, &self.head.headers, self.now);
        let session = session.filter(|session| self.serving.tokens.takes(&session.principal));
        let Some(session) = session else {
            return self.login(query);
        };
        let Some(typed) = form.get("user_code") else {
            return self.code(&session, "", "", StatusCode::OK);
        };
        let (tokens, name) = (&self.serving.tokens, &session.principal.user.username);
        let guess = Guess::UserCode(name);
        if let Err(refusal) = tokens.may_guess(self.request, guess) {
            return self.later(&refusal);
        }
        let Some(user_code) = UserCode::parse(typed) else {
            let alert = "A code has eight letters, such as BCDF-GHJK: no vowels and no digits.";
            return self.code(&session, typed, alert, StatusCode::BAD_REQUEST);
        };
        match self.store.waiting(user_code.plain(), self.now).await {
            Ok(Some(waiting)) => self.question(session, &user_code, &waiting),
            Ok(None) => {
                tokens.misguessed(self.request, guess, "no device waits with this code");
                let alert = "No device waits with this code. It may be mistyped, used, or too old.";
                self.code(&session, typed, alert, StatusCode::BAD_REQUEST)
            }
            Err(error) => self.unavailable(&error),
        }
    }

    fn code(
        &self,
        session: &Session,
        typed: &str,
        alert: &str,
        status: StatusCode,
    ) -> Response<Body> {
        let browser = &self.serving.browser;
        let ask = Ask {
            frame: Frame::of(browser),
            action: &browser.path(DEVICE),
            username: &session.principal.user.username,
            typed,
            alert,
            request: &self.request.inner.request_id,
        };
        page::html(status, &ask, &[])
    }

    fn question(
        &self,
        session: Session,
        user_code: &UserCode,
        waiting: &Waiting,
    ) -> Response<Body> {
        let browser = &self.serving.browser;
        let confirmation = Confirmation {
            session: session.id,
            user_code: user_code.plain().to_owned(),
        };
        let until = self.now.saturating_add(PATIENCE);
        let sealed = browser.sealer.seal(PURPOSE, until, &confirmation);
        let guard = Guard::new(browser, &self.head.headers, self.now);
        let audience = waiting.audience.as_deref();
        let audience = self.serving.tokens.issuer.audience(audience);
        let (Some(sealed), Some(guard), Some(audience)) = (sealed, guard, audience) else {
            return self.fault();
        };
        let confirm = Confirm {
            frame: Frame::of(browser),
            action: &browser.path(DEVICE),
            user_code: &user_code.shown(),
            username: &session.principal.user.username,
            audience: &audience.aud,
            address: &waiting.address,
            age: &age(self.now.saturating_sub(waiting.created_at)),
            token: &guard.token,
            sealed: &sealed,
        };
        let page = page::html(StatusCode::OK, &confirm, &[]);
        page::with_cookies(page, [guard.cookie])
    }

    /// To the login and back here.
    fn login(&self, query: &str) -> Response<Body> {
        let browser = &self.serving.browser;
        let mut back = browser.path(DEVICE);
        if !query.is_empty() {
            back += &format!("?{query}");
        }
        let back: String = form_urlencoded::byte_serialize(back.as_bytes()).collect();
        see_other(&format!("{}?return_to={back}", browser.path("/login")))
    }

    /// The user's answer.
    async fn confirmed(&self, body: Body) -> Response<Body> {
        let Ok(form) = form::read(self.head, body).await else {
            return self.wrong("The form is malformed.");
        };
        let (browser, headers) = (&self.serving.browser, &self.head.headers);
        if !guard::is_ours(browser, headers, form.get("token"), self.now) {
            return self
                .wrong("The page had been open for too long, or your browser refuses cookies.");
        }
        let sealed = form.get("request").unwrap_or_default();
        let confirmation: Option<Confirmation> = browser.sealer.unseal(PURPOSE, sealed, self.now);
        let session = Session::of(browser, headers, self.now);
        let session = session.filter(|session| self.serving.tokens.takes(&session.principal));
        let (Some(confirmation), Some(session)) = (confirmation, session) else {
            return self.wrong("The page is too old, or you signed out since.");
        };
        if confirmation.session != session.id {
            return self.wrong("You signed in anew since the page was shown.");
        }
        let yes = form.get("answer") == Some("allow");
        let principal = yes.then_some(&session.principal);
        let code = &confirmation.user_code;
        match self.store.answer_device(code, principal, self.now).await {
            Ok(true) if yes => said(
                self.serving,
                StatusCode::OK,
                "The device has its token",
                "You can close this window and go on there.",
                "",
            ),
            Ok(true) => said(
                self.serving,
                StatusCode::OK,
                "No token was given",
                "The device gets none. You can close this window.",
                "",
            ),
            Ok(false) => self.wrong("The device does not wait any more."),
            Err(error) => self.unavailable(&error),
        }
    }

    fn wrong(&self, text: &str) -> Response<Body> {
        let text = format!("{text} Start again on the device.");
        self.trouble(StatusCode::BAD_REQUEST, "No token was given", &text)
    }

    fn later(&self, refusal: &Refusal) -> Response<Body> {
        let (status, heading, text, pause) = match refusal {
            Refusal::Throttled(pause) => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too many codes were wrong",
                "Wait a minute, and try again.",
                *pause,
            ),
            Refusal::Unavailable(pause) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Not now",
                "The server cannot say now. Try again in a moment.",
                *pause,
            ),
            _ => return self.fault(),
        };
        let mut response = self.trouble(status, heading, text);
        let headers = response.headers_mut();
        headers.insert(RETRY_AFTER, error::seconds(pause));
        response
    }

    fn unavailable(&self, error: &StoreError) -> Response<Body> {
        let tokens = &self.serving.tokens;
        self.later(&tokens.postpone(self.request, None, error))
    }

    fn fault(&self) -> Response<Body> {
        let text = "Something went wrong here. The fault is not yours.";
        self.trouble(
            StatusCode::INTERNAL_SERVER_ERROR,
            "No token was given",
            text,
        )
    }

    fn trouble(&self, status: StatusCode, heading: &str, text: &str) -> Response<Body> {
        let id = &self.request.inner.request_id;
        said(self.serving, status, heading, text, id)
    }
}

fn said(
    serving: &Serving,
    status: StatusCode,
    heading: &str,
    text: &str,
    request: &str,
) -> Response<Body> {
    let frame = Frame::of(&serving.browser);
    let said = Said {
        frame,
        heading,
        text,
        request,
    };
    page::html(status, &said, &[])
}

/// How long ago something was, in words.
fn age(seconds: u64) -> String {
    match seconds {
        0..60 => "less than a minute ago".to_owned(),
        60..120 => "a minute ago".to_owned(),
        _ => format!("{} minutes ago", seconds / 60),
    }
}
