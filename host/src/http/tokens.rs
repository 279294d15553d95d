//! `/tokens`: the tokens that a user who signed in has made for himself, where
//! `bots.personal_tokens` allows it. Pages without a script, as those of the login.
//!
//! A new token stands in the one answer that makes it, and nowhere else.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Method, Request, Response, StatusCode};
use axum::routing::any;
use serde_json::json;

use super::login::fields::Fields;
use super::login::guard::{self, Guard};
use super::login::moment::Moment;
use super::login::page::{self, Frame};
use super::login::trouble::{self, Trouble};
use super::login::visit::Visit;
use super::login::{LOGIN, LOGOUT, choices, form};
use super::session::Session;
use super::{Face, Serving};
use crate::accounts::lasting::Lasting;
use crate::config::shapes::{Expiry, TokenForm};
use crate::token::attempt::turned_away;
use crate::token::audience::OURS;
use crate::token::lasting::{Ask, Issued};
use crate::token::management::{Asker, Kind, Management, ManagementError};

/// The page.
pub const TOKENS: &str = "/tokens";

/// The routes of this face.
pub fn routes() -> Router<Face> {
    Router::new().route(TOKENS, any(tokens))
}

/// An answer instead of the page; boxed, since it is large and rare.
type Refused = Box<Response<Body>>;

#[derive(Template)]
#[template(path = "tokens.html")]
struct Page<'a> {
    frame: Frame,
    alert: String,
    request: &'a str,
    username: &'a str,
    tokens: Vec<Row>,
    name: &'a str,
    expiries: Vec<(&'static str, &'static str)>,
    audiences: Vec<(String, String)>,
    action: String,
    account: String,
    logout: String,
    guard: &'a str,
}

#[derive(Template)]
#[template(path = "token.html")]
struct NewToken<'a> {
    frame: Frame,
    name: &'a str,
    token: &'a str,
    is_opaque: bool,
    end: Option<Moment>,
    back: String,
}

/// A token in the list.
struct Row {
    id: String,
    name: String,
    kind: String,
    made: Moment,
    end: Option<Moment>,
    used: Option<Moment>,
}

/// A user with a session, on his visit.
struct Inside {
    serving: Arc<Serving>,
    visit: Visit,
    session: Session,
    address: String,
}

async fn tokens(State(face): State<Face>, http: Request<Body>) -> Response<Body> {
    let (visit, method, body) = Visit::of(http, TOKENS);
    let answered = match Inside::of(&face, visit, &method) {
        Ok(inside) if method == Method::POST => inside.submit(body).await,
        Ok(inside) => inside.show(StatusCode::OK, "", "").await,
        Err(refused) => Err(refused),
    };
    answered.unwrap_or_else(|refused| *refused)
}

impl Inside {
    fn of(face: &Face, visit: Visit, method: &Method) -> Result<Self, Refused> {
        let serving = face.latest();
        if ![Method::GET, Method::HEAD, Method::POST].contains(method) {
            let allowed = "GET, HEAD, POST";
            return Err(trouble::method_not_allowed(&serving, &visit, allowed).into());
        }
        let browser = &serving.browser;
        let session = Session::of(browser, &visit.headers, visit.now);
        // As at the login: whose backend takes no logins any more is to sign in anew.
        let session = session.filter(|session| serving.tokens.takes(&session.principal));
        let Some(session) = session else {
            let place = browser.path(TOKENS);
            let login = choices::link(browser, LOGIN, Some(&place));
            return Err(page::see_other(&login).into());
        };
        if !serving.bots.personal_tokens {
            return Err(trouble::not_found(&serving, &visit).into());
        }
        let address = visit.address.map(|it| it.to_string());
        Ok(Inside {
            address: address.unwrap_or_default(),
            serving,
            visit,
            session,
        })
    }

    /// The list, and the form for another one.
    async fn show(
        &self,
        status: StatusCode,
        alert: &str,
        name: &str,
    ) -> Result<Response<Body>, Refused> {
        let (browser, now) = (&self.serving.browser, self.visit.now);
        let principal = &self.session.principal;
        let found = self.management()?.own_tokens(principal).await;
        let mut found = found.map_err(|error| self.not_done(&error))?;
        found.retain(|token| token.is_live(now));
        let guard = Guard::new(browser, &self.visit.headers, now);
        let guard = guard.ok_or_else(|| trouble::fault(&self.serving, &self.visit))?;
        let page = Page {
            frame: Frame::of(browser),
            alert: alert.to_owned(),
            request: &self.visit.id,
            username: &principal.user.username,
            tokens: found.iter().map(row).collect(),
            name,
            expiries: EXPIRIES.map(|(expiry, text)| (expiry.name(), text)).into(),
            audiences: self.audiences(),
            action: browser.path(TOKENS),
            account: browser.path(LOGIN),
            logout: browser.path(LOGOUT),
            guard: &guard.token,
        };
        let page = page::html(status, &page, &[]);
        Ok(page::with_cookies(page, [guard.cookie]))
    }

    async fn submit(&self, body: Body) -> Result<Response<Body>, Refused> {
        let (serving, visit) = (&self.serving, &self.visit);
        let fields = form::read(&visit.headers, body).await;
        let fields = fields.map_err(|status| form::unreadable(serving, visit, status))?;
        let token = fields.get("token");
        if !guard::is_ours(&serving.browser, &visit.headers, token, visit.now) {
            turned_away(
                &visit.request(json!({}), None),
                "the form is not of a page of this server that this browser has open",
            );
            let alert = "This page had been open for too long. Please try again. If you see this again, allow cookies for this site.";
            return self.show(StatusCode::FORBIDDEN, alert, "").await;
        }
        match fields.get("revoke") {
            Some(id) => self.revoke(id).await,
            None => self.make(&fields).await,
        }
    }

    async fn revoke(&self, id: &str) -> Result<Response<Body>, Refused> {
        let principal = &self.session.principal;
        let management = self.management()?;
        match management.revoke_own(principal, id, self.asker()).await {
            // One that is gone is as he wants it.
            Ok(_) | Err(ManagementError::NoSuchToken(_)) => {
                Ok(page::see_other(&self.serving.browser.path(TOKENS)))
            }
            Err(error) => Err(self.not_done(&error)),
        }
    }

    async fn make(&self, fields: &Fields) -> Result<Response<Body>, Refused> {
        let name = fields.get("name").unwrap_or_default();
        let expiry = fields.get("expiry").unwrap_or_default();
        let expiry = EXPIRIES.iter().find(|(known, _)| known.name() == expiry);
        let Some((expiry, _)) = expiry else {
            let alert = "Choose how long the token shall be good.";
            return self.show(StatusCode::BAD_REQUEST, alert, name).await;
        };
        let audience = fields.get("audience").filter(|name| !name.is_empty());
        let opaque = fields.get("form") == Some("opaque") || audience == Some(OURS);
        let ask = Ask {
            name: name.to_owned(),
            form: if opaque {
                TokenForm::Opaque
            } else {
                TokenForm::Jwt
            },
            expiry: *expiry,
            audience: audience.map(str::to_owned),
            allow_unlimited: false,
        };
        let principal = &self.session.principal;
        let management = self.management()?;
        if !self.is_first(fields).await? {
            let alert = "This form was sent before, and its token was shown then; nothing was made now. If you have lost the token, make another and revoke that one.";
            return self.show(StatusCode::CONFLICT, alert, name).await;
        }
        let principal = management.as_he_is(principal, self.asker()).await;
        let principal = &principal.map_err(|error| self.not_done(&error))?;
        match management.generate_own(principal, &ask, self.asker()).await {
            Ok(issued) => Ok(self.made(&issued)),
            Err(error) if error.kind() == Kind::Wrong => {
                let alert = format!("No token was made: {error}.");
                self.show(StatusCode::BAD_REQUEST, &alert, name).await
            }
            Err(error) => Err(self.not_done(&error)),
        }
    }

    async fn is_first(&self, fields: &Fields) -> Result<bool, Refused> {
        let store = self.serving.tokens.accounts.store();
        let store = store.ok_or_else(|| self.not_done(&ManagementError::NoStore))?;
        let is_first = guard::is_first(store, fields.get("token"), self.visit.now).await;
        is_first.map_err(|error| self.not_done(&error.into()))
    }

    fn made(&self, issued: &Issued) -> Response<Body> {
        let browser = &self.serving.browser;
        let page = NewToken {
            frame: Frame::of(browser),
            name: &issued.lasting.name,
            token: issued.token.expose(),
            is_opaque: issued.lasting.form == TokenForm::Opaque,
            end: issued.lasting.end().map(Moment::of),
            back: browser.path(TOKENS),
        };
        page::html(StatusCode::OK, &page, &[])
    }

    /// Whom a token may be for, by name and in words. Our own API is for who manages.
    fn audiences(&self) -> Vec<(String, String)> {
        let issuer = &self.serving.tokens.issuer;
        let named = issuer.audience_names();
        let named = named.map(|name| (name.to_owned(), name.to_owned()));
        let usual = issuer.audience(None).map(|it| it.aud.clone());
        let mut all = vec![(String::new(), usual.unwrap_or_default())];
        all.extend(named);
        if self.serving.may_manage(&self.session.principal) {
            all.push((OURS.to_owned(), "this server's own API".to_owned()));
        }
        all
    }

    fn management(&self) -> Result<Management<'_>, Refused> {
        let management = self.serving.management();
        management.map_err(|error| self.not_done(&error))
    }

    fn asker(&self) -> Asker<'_> {
        let user = &self.session.principal.user;
        Asker {
            name: &user.username,
            roles: Some(&user.roles),
            request: &self.visit.id,
            address: &self.address,
        }
    }

    fn not_done(&self, error: &ManagementError) -> Refused {
        let (serving, visit) = (&self.serving, &self.visit);
        tracing::warn!(target: "http", request = visit.id, %error, "a user's own tokens: not done");
        let page = match error.kind() {
            Kind::Unavailable => trouble::not_now(serving, visit),
            Kind::Fault => trouble::fault(serving, visit),
            _ => trouble::page(
                serving,
                visit,
                &Trouble {
                    status: StatusCode::FORBIDDEN,
                    heading: "Nothing was changed",
                    text: format!("It was refused: {error}."),
                    way_on: "Back to your tokens",
                    href: serving.browser.path(TOKENS),
                },
            ),
        };
        page.into()
    }
}

/// What may be chosen, and how the page calls it: never for ever.
const EXPIRIES: [(Expiry, &str); 6] = [
    (Expiry::Thirty, "30 days"),
    (Expiry::OneHour, "an hour"),
    (Expiry::One, "a day"),
    (Expiry::Seven, "7 days"),
    (Expiry::Sixty, "60 days"),
    (Expiry::Ninety, "90 days"),
];

fn row(token: &Lasting) -> Row {
    let form = match token.form {
        TokenForm::Jwt => "signed",
        TokenForm::Opaque => "opaque",
    };
    Row {
        id: token.id.clone(),
        name: token.name.clone(),
        kind: match &token.audience {
            Some(audience) => format!("{form}, for {audience}"),
            None => form.to_owned(),
        },
        made: Moment::of(token.created_at),
        end: token.end().map(Moment::of),
        used: token.last_used_at.map(Moment::of),
    }
}
