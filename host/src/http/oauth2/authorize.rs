//! The authorization endpoint (RFC 6749 section 3.1), for [`native`] alone: whoever is signed in
//! in the browser confirms that the terminal on his computer gets a token, and the browser
//! takes the code there.
//!
//! Nothing is sent to an address that was not checked: before that, mistakes are told on a page.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Method, Request as HttpRequest, Response};
use axum::routing::any;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::code::{self, Code};
use super::exchange::audience;
use super::form::{self, Form};
use super::native::{self, Loopback};
use super::{Serving, page};
use crate::clock;
use crate::http::login::guard::{self, Guard};
use crate::http::login::page::{Frame, see_other};
use crate::http::observe::Caller;
use crate::http::session::Session;
use crate::http::{Face, error};
use crate::token::Issuer;

/// The authorization endpoint.
pub const AUTHORIZE: &str = "/oauth2/authorize";

/// What the confirmation's form is sealed for: whoever has not seen the page cannot send it.
const PURPOSE: &str = "confirm";

/// Seconds in which to confirm.
const PATIENCE: u64 = 600;

/// A longer query is none of ours: it goes through the login and back.
const LONGEST: usize = 1_400;

/// A longer state is none of ours.
const LONGEST_STATE: usize = 512;

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new().route(AUTHORIZE, any(authorize))
}

/// What is asked for, checked.
#[derive(Debug, PartialEq, Eq)]
struct Asked<'a> {
    to: Loopback<'a>,
    state: &'a str,
    challenge: &'a str,
    audience: Option<&'a str>,
    /// Sign in with this one.
    backend: Option<&'a str>,
}

/// Why there will be no code.
#[derive(Debug, PartialEq, Eq)]
enum Wrong<'a> {
    /// There is nobody to tell but the user.
    Page(&'static str),
    /// The client is told (RFC 6749 section 4.1.2.1).
    Client {
        to: Loopback<'a>,
        state: Option<&'a str>,
        error: &'static str,
        description: String,
    },
}

/// What the user confirms, sealed into the form.
#[derive(Serialize, Deserialize)]
struct Confirmation {
    /// The id of the session whose user saw the page.
    session: String,
    redirect_uri: String,
    state: String,
    challenge: String,
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
        let asked = match asked(&form, &tokens.issuer) {
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
        let known = |id: &&str| self.serving.tokens.registry.get(id).is_some();
        let page = match asked.backend.filter(known) {
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
            return self.refused("The form is not of a page that this browser has open.");
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
            challenge: confirmation.challenge,
            redirect_uri: confirmation.redirect_uri.clone(),
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

/// Checks what is asked: first by whom, then what.
fn asked<'a>(form: &'a Form, issuer: &'a Issuer) -> Result<Asked<'a>, Wrong<'a>> {
    if form.get("client_id") != Some(native::CLIENT) {
        return Err(Wrong::Page("No such application is known here."));
    }
    let to = form.get("redirect_uri").and_then(Loopback::parse);
    let to = to.ok_or(Wrong::Page(
        "The application wants the answer at an address that is not on your computer.",
    ))?;
    let state = form.get("state");
    let state = state.filter(|state| state.len() <= LONGEST_STATE);
    let wrong = |error, description: &str| Wrong::Client {
        to: to.clone(),
        state,
        error,
        description: description.to_owned(),
    };
    let invalid = |description| wrong("invalid_request", description);
    match form.get("response_type") {
        Some("code") => {}
        None => return Err(invalid("response_type is missing")),
        Some(_) => {
            let description = "response_type must be code";
            return Err(wrong("unsupported_response_type", description));
        }
    }
    let state = state.ok_or_else(|| invalid("state is missing or too long"))?;
    if form.get("code_challenge_method") != Some("S256") {
        return Err(invalid("code_challenge_method must be S256"));
    }
    let challenge = form.get("code_challenge");
    let challenge = challenge.filter(|challenge| code::is_challenge(challenge));
    let challenge = challenge.ok_or_else(|| invalid("code_challenge is no S256 challenge"))?;
    if form
        .get("response_mode")
        .is_some_and(|mode| mode != "query")
    {
        return Err(invalid("response_mode must be query"));
    }
    let audience = audience(issuer, form);
    Ok(Asked {
        state,
        challenge,
        audience: audience.map_err(|error| wrong(error.name, &error.description))?,
        backend: form.get("backend"),
        to,
    })
}

impl Asked<'_> {
    /// Did he sign in with the backend that is asked for?
    fn suits(&self, session: &Session) -> bool {
        let backend = self.backend;
        backend.is_none_or(|backend| session.principal.backend == backend)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::http::StatusCode;
    use axum::http::header::{CACHE_CONTROL, LOCATION};
    use http_body_util::BodyExt;

    use super::*;
    use crate::http::admin::tests::serving;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    const TO: &str = "http://127.0.0.1:4711/callback";

    /// A good request with changes: an empty value leaves a parameter out.
    fn query(changes: &[(&str, &str)]) -> String {
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", native::CLIENT),
            ("redirect_uri", TO),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "s t"),
        ];
        for (name, value) in changes {
            parameters.retain(|(known, _)| known != name);
            parameters.push((name, value));
        }
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(parameters);
        query.finish()
    }

    async fn get(query: &str) -> (StatusCode, String, String) {
        let request = HttpRequest::get(format!("{AUTHORIZE}?{query}"));
        let (head, ()) = request.body(()).unwrap().into_parts();
        let visit = Visit {
            serving: &serving(),
            head: &head,
            id: String::new(),
            now: clock::unix_now(),
        };
        let response = visit.ask();
        let (head, body) = response.into_parts();
        assert_eq!(head.headers[CACHE_CONTROL], "no-store");
        let to = head.headers.get(LOCATION);
        let to = to.map_or("", |to| to.to_str().unwrap()).to_owned();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status, to, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn without_a_session_the_browser_is_sent_to_the_login_and_back() {
        let query = query(&[]);
        let (status, to, _) = get(&query).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let back = to.strip_prefix("/login?return_to=").unwrap();
        let back = form_urlencoded::parse(back.as_bytes()).next().unwrap().0;
        assert_eq!(back, format!("{AUTHORIZE}?{query}"));
    }

    #[tokio::test]
    async fn backend_that_nobody_knows_is_not_put_into_the_address() {
        let (_, to, _) = get(&query(&[("backend", "../x")])).await;
        assert!(to.starts_with("/login?return_to="), "{to}");
    }

    #[tokio::test]
    async fn o06_wrong_client_or_redirect_is_told_on_a_page_and_never_redirected() {
        let twice = format!("{}&state=x", query(&[]));
        let long = query(&[("scope", &"x".repeat(LONGEST))]);
        for query in [
            query(&[("client_id", "")]),
            query(&[("client_id", "other")]),
            query(&[("redirect_uri", "")]),
            query(&[("redirect_uri", "http://localhost:4711/callback")]),
            query(&[("redirect_uri", "https://evil.example/callback")]),
            // Whatever else is wrong: nothing is sent to an address that was not checked.
            query(&[("redirect_uri", "https://evil.example/"), ("state", "")]),
            twice,
            long,
            String::new(),
        ] {
            let (status, to, body) = get(&query).await;
            assert_eq!(
                (status, to.as_str()),
                (StatusCode::BAD_REQUEST, ""),
                "{query}"
            );
            assert!(body.contains("No token was given"), "{body}");
            assert!(!body.contains("evil"), "{body}");
        }
    }

    #[tokio::test]
    async fn other_mistakes_are_told_to_the_client_with_state_and_issuer() {
        for (name, value, error) in [
            ("response_type", "", "invalid_request"),
            ("response_type", "token", "unsupported_response_type"),
            ("code_challenge", "", "invalid_request"),
            ("code_challenge", "short", "invalid_request"),
            ("code_challenge_method", "", "invalid_request"),
            ("code_challenge_method", "plain", "invalid_request"),
            ("response_mode", "fragment", "invalid_request"),
            ("audience", "nobody", "invalid_target"),
            ("resource", "https://nobody.example", "invalid_target"),
            ("state", "", "invalid_request"),
        ] {
            let (status, to, _) = get(&query(&[(name, value)])).await;
            assert_eq!(status, StatusCode::SEE_OTHER);
            let told = to.strip_prefix(TO).unwrap().strip_prefix('?').unwrap();
            let told: Vec<(String, String)> = form_urlencoded::parse(told.as_bytes())
                .into_owned()
                .collect();
            let find = |name: &str| {
                let found = told.iter().find(|(known, _)| known == name);
                found.map(|(_, value)| value.as_str())
            };
            assert_eq!(find("error"), Some(error), "{name}={value}");
            let state = (name != "state").then_some("s t");
            assert_eq!(find("state"), state);
            assert_eq!(find("iss"), Some("http://127.0.0.1:8090"));
            assert_eq!(find("code"), None);
        }
    }

    #[test]
    fn audience_is_meant_by_its_name_or_its_aud_and_scopes_have_no_say() {
        let serving = serving();
        let issuer = &serving.tokens.issuer;
        for (name, value) in [
            ("audience", "apache-airflow"),
            ("resource", "apache-airflow"),
            ("scope", "openid everything"),
            ("audience", ""),
        ] {
            let form = Form::parse(query(&[(name, value)]).as_bytes()).unwrap();
            assert_eq!(asked(&form, issuer).unwrap().audience, None, "{name}");
        }
    }
}
