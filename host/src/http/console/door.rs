//! Who may be in the console: whoever signed in and has one of `admin.roles`. Whoever did not
//! sign in is led to the login, and back; whoever has no such role, or lost it since, is told which
//! he needs.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use serde_json::json;
use tokio::time::timeout;

use super::shell::{self, Shell};
use crate::accounts::Principal;
use crate::http::login::fields::Fields;
use crate::http::login::guard::{self, Guard};
use crate::http::login::trouble::{self, Trouble};
use crate::http::login::visit::Visit;
use crate::http::login::{LOGIN, LOGOUT, choices, form, page};
use crate::http::session::Session;
use crate::http::{Face, Serving};
use crate::token::again::NotAgain;
use crate::token::attempt::turned_away;
use crate::token::management::Asker;

/// Whoever only looks does not wait longer for his backend to say who he is now.
const PATIENCE: Duration = Duration::from_secs(2);

/// An answer instead of the page; boxed, since it is large and rare.
pub(super) type Refused = Box<Response<Body>>;

/// One who was let in, on his visit.
pub(super) struct Inside {
    pub serving: Arc<Serving>,
    pub visit: Visit,
    pub session: Session,
    address: String,
}

impl Inside {
    /// Lets him in, for a request by one of the `allowed` methods.
    pub(super) async fn of(
        face: &Face,
        http: Request<Body>,
        path: &'static str,
        allowed: &'static str,
    ) -> Result<(Self, Method, Body), Refused> {
        let place = http.uri().path_and_query().map(ToString::to_string);
        let (visit, method, body) = Visit::of(http, path);
        let serving = face.latest();
        if !allowed.split(", ").any(|name| method.as_str() == name) {
            return Err(trouble::method_not_allowed(&serving, &visit, allowed).into());
        }
        let session = Session::of(&serving.browser, &visit.headers, visit.now);
        // As at the login: whose backend takes no logins any more is to sign in anew.
        let session = session.filter(|session| serving.tokens.takes(&session.principal));
        let Some(mut session) = session else {
            let place = place.filter(|_| method != Method::POST);
            return Err(to_login(&serving, &visit, place.as_deref()).into());
        };
        let changes = method == Method::POST;
        session.principal = as_he_is(&serving, &visit, session.principal, changes).await?;
        if !serving.may_manage(&session.principal) {
            return Err(forbidden(&serving, &visit, &session).into());
        }
        let address = visit.address.map(|it| it.to_string());
        let inside = Inside {
            address: address.unwrap_or_default(),
            serving,
            visit,
            session,
        };
        Ok((inside, method, body))
    }

    /// One of our own pages, as browsers reach it.
    pub(super) fn path(&self, path: &str) -> String {
        self.serving.browser.path(path)
    }

    /// What stands around a page of the console; `here` is the page's section.
    pub(super) fn shell(&self, here: &'static str) -> Shell<'_> {
        Shell::of(
            &self.serving.browser,
            &self.session.principal.user.username,
            here,
        )
    }

    /// The page.
    pub(super) fn page(&self, status: StatusCode, page: &impl Template) -> Response<Body> {
        page::dressed(&shell::SHEET, status, page, &[])
    }

    /// For a page with forms.
    pub(super) fn guard(&self) -> Result<Guard, Refused> {
        let guard = Guard::new(&self.serving.browser, &self.visit.headers, self.visit.now);
        guard.ok_or_else(|| trouble::fault(&self.serving, &self.visit).into())
    }

    /// What a form of ours sent, to the page at this path.
    pub(super) async fn sent(&self, body: Body, path: &str) -> Result<Fields, Refused> {
        let (serving, visit) = (&self.serving, &self.visit);
        let fields = form::read(&visit.headers, body).await;
        let fields = fields.map_err(|status| form::unreadable(serving, visit, status))?;
        let token = fields.get("token");
        if guard::is_ours(&serving.browser, &visit.headers, token, visit.now) {
            return Ok(fields);
        }
        turned_away(
            &visit.request(json!({}), None),
            "the form is not of a page of this server that this browser has open",
        );
        let trouble = Trouble {
            status: StatusCode::FORBIDDEN,
            heading: "Nothing was changed",
            text: "The page had been open for too long. Please try again. If you see this again, allow cookies for this site.".into(),
            way_on: "Back to the page",
            href: path.to_owned(),
        };
        Err(trouble::page(serving, visit, &trouble).into())
    }

    /// Who asks.
    pub(super) fn asker(&self) -> Asker<'_> {
        let user = &self.session.principal.user;
        Asker {
            name: &user.username,
            roles: Some(&user.roles),
            request: &self.visit.id,
            address: &self.address,
        }
    }
}

/// Who signed in, as his backend knows him now: whoever lost the role since, or may not come in
/// any more, does not go on. While the backend cannot say, he may look, and change nothing.
async fn as_he_is(
    serving: &Serving,
    visit: &Visit,
    principal: Principal,
    changes: bool,
) -> Result<Principal, Refused> {
    let again = serving.tokens.look_again(&principal, &visit.id);
    let again = match changes {
        true => again.await,
        false => match timeout(PATIENCE, again).await {
            Ok(again) => again,
            Err(_) => return Ok(principal),
        },
    };
    match again {
        Ok(now) => Ok(now),
        Err(NotAgain::Outage(_)) if !changes => Ok(principal),
        Err(outage @ NotAgain::Outage(_)) => {
            tracing::warn!(target: "http", request = visit.id, error = %outage, "the console changes nothing now");
            Err(trouble::not_now(serving, visit).into())
        }
        Err(gone) => {
            let request = visit.request(json!({}), None);
            let _ = serving
                .tokens
                .withhold(&request, Some(&principal), &gone.to_string());
            let trouble = Trouble {
                status: StatusCode::FORBIDDEN,
                heading: "You may not use the console",
                text: "Your account does not let you in any more.".into(),
                way_on: "Sign out",
                href: serving.browser.path(LOGOUT),
            };
            Err(trouble::page(serving, visit, &trouble).into())
        }
    }
}

/// To the login, and from there to where he wanted to be; a form is not sent again.
fn to_login(serving: &Serving, visit: &Visit, place: Option<&str>) -> Response<Body> {
    let browser = &serving.browser;
    let place = browser.path(place.unwrap_or_else(|| shown(visit.path)));
    page::see_other(&choices::link(browser, LOGIN, Some(&place)))
}

/// The page that is there for everybody: of a bot's, all bots'.
fn shown(path: &'static str) -> &'static str {
    match path {
        super::BOT => super::BOTS,
        path => path,
    }
}

fn forbidden(serving: &Serving, visit: &Visit, session: &Session) -> Response<Body> {
    let (principal, managers) = (&session.principal, &serving.managers);
    let request = visit.request(json!({}), None);
    let reason = "none of his roles is one of admin.roles";
    let _ = serving.tokens.withhold(&request, Some(principal), reason);
    let needed = match &**managers {
        [] => "Nobody may use the console: admin.roles is empty.".to_owned(),
        [role] => format!("The console is for those who have the role {role}."),
        roles => format!(
            "The console is for those who have one of the roles {}.",
            roles.join(", ")
        ),
    };
    let trouble = Trouble {
        status: StatusCode::FORBIDDEN,
        heading: "You may not use the console",
        text: format!(
            "{needed} You are signed in as {}, {}. Once you were given a role, sign out and in again.",
            principal.user.username,
            match principal.user.roles.as_slice() {
                [] => "who has no role".to_owned(),
                roles => format!("who has {}", roles.join(", ")),
            }
        ),
        way_on: "Sign out",
        href: serving.browser.path(LOGOUT),
    };
    trouble::page(serving, visit, &trouble)
}
