//! Who asks: the owner of a token of ours for our own API, or whoever the chain knows by a
//! password (`Basic`) or another bearer token. Tokens of ours for other audiences say who
//! somebody is, and open nothing: whoever receives them could use them here.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, Request as HttpRequest, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use countersign_abi::User;
use countersign_verify::Unverified;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::answer::{Refused, not_let_in, refuse, wrong};
use crate::accounts::lasting::Owner;
use crate::accounts::store::Store;
use crate::accounts::{Principal, opaque};
use crate::clock;
use crate::http::observe::Caller;
use crate::http::{Face, Serving, body};
use crate::live::Entered;
use crate::token::audience::OURS;
use crate::token::lasting::{self, BOT};
use crate::token::management::{Asker, Management};
use crate::token::{Lifetime, Request};

/// As the audit log names this face.
const PATH: &str = "/api/v1";

/// A request, before it is known who asks.
pub(super) struct Call {
    face: Face,
    id: String,
    address: Option<IpAddr>,
    headers: HeaderMap,
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

/// How somebody has shown who he is.
pub(super) enum Proof {
    /// As at a login.
    Login,
    /// By an opaque token.
    Opaque,
    /// By a signed token of ours, with this id.
    Signed(Option<String>),
}

/// Who asks, as he has shown it.
struct Shown {
    principal: Principal,
    trusted: bool,
    proof: Proof,
}

impl Call {
    pub(super) fn of(face: Face, http: HttpRequest<Body>) -> Self {
        let (mut head, body) = http.into_parts();
        let caller = head.extensions.remove::<Caller>().unwrap_or_default();
        Call {
            face,
            id: caller.id,
            address: caller.address,
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
        let address = self.address.map_or_else(String::new, |it| it.to_string());
        let shown = self.shown(&serving, &address, any).await?;
        Ok(Known {
            serving,
            principal: shown.principal,
            trusted: shown.trusted,
            proof: shown.proof,
            id: self.id,
            address,
            query: self.query,
            headers: self.headers,
            body: self.body,
        })
    }

    async fn shown(&self, serving: &Serving, address: &str, any: bool) -> Result<Shown, Refused> {
        let missing = || {
            refuse(
                StatusCode::UNAUTHORIZED,
                "Not Authorized! Token not present",
            )
        };
        let header = self.headers.get(AUTHORIZATION).ok_or_else(missing)?;
        let header = header.to_str().map_err(|_| missing())?;
        let (scheme, shown) = header.split_once(' ').ok_or_else(missing)?;
        let shown = shown.trim();
        if scheme.eq_ignore_ascii_case("basic") {
            let words = password(shown).ok_or_else(missing)?;
            return self.log_in(serving, address, words).await;
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(missing());
        }
        if opaque::is_ours(shown) {
            let request = self.request(address, json!({}));
            let users = serving.bots.personal_tokens;
            let redeemed = serving.tokens.redeem_for(&request, shown, users).await;
            let redeemed = redeemed.map_err(|refusal| not_let_in(&refusal, &self.id))?;
            let trusted = redeemed.lasting.audience.as_deref() == Some(OURS);
            return match trusted || any {
                true => Ok(Shown {
                    principal: redeemed.principal,
                    trusted,
                    proof: Proof::Opaque,
                }),
                false => Err(elsewhere()),
            };
        }
        match Unverified::read(shown) {
            Ok(read) if read.claims().get("iss") == Some(&serving.tokens.issuer.name().into()) => {
                own(serving, shown, any).await
            }
            _ => self.log_in(serving, address, json!({})).await,
        }
    }

    /// Along the chain, as every login: throttled, and told to the audit log.
    async fn log_in(
        &self,
        serving: &Serving,
        address: &str,
        words: Value,
    ) -> Result<Shown, Refused> {
        let request = self.request(address, words);
        let admitted = serving.tokens.authenticate(&request).await;
        let admitted = admitted.map_err(|refusal| not_let_in(&refusal, &self.id))?;
        Ok(Shown {
            principal: admitted.signed_in(),
            trusted: true,
            proof: Proof::Login,
        })
    }

    fn request(&self, address: &str, words: Value) -> Request {
        let by_password = words["password"].is_string();
        let told = |name: &&str| {
            let of_the_body = ["content-type", "content-length", "cookie"];
            !(of_the_body.contains(name) || by_password && *name == "authorization")
        };
        let headers = self.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
        let headers = headers.filter(|(name, _)| told(name));
        let json: (&str, &[u8]) = ("content-type", b"application/json");
        Request {
            inner: countersign_abi::Request {
                headers: headers.chain([json]).collect(),
                peer: address.to_owned(),
                request_id: self.id.clone(),
                body: words.to_string().into_bytes(),
                ..countersign_abi::Request::default()
            },
            body: words,
            only: None,
            lifetime: Lifetime::Api,
            path: PATH,
            address: self.address,
        }
    }
}

impl Known {
    /// What may be done.
    pub(super) fn management(&self) -> Result<Management<'_>, Refused> {
        let management = self.serving.management();
        management.map_err(|error| super::answer::not_done(&error, &self.id))
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
        match (&self.proof, store) {
            (Proof::Login, _) | (Proof::Signed(None), _) => Ok(false),
            (Proof::Opaque, _) => Ok(true),
            (Proof::Signed(Some(_)), None) => Ok(false),
            (Proof::Signed(Some(id)), Some(store)) => {
                let given = store.was_given_for_token(id).await;
                given.map_err(|error| super::answer::not_done(&error.into(), &self.id))
            }
        }
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

/// Who a token of ours is about.
async fn own(serving: &Serving, token: &str, any: bool) -> Result<Shown, Refused> {
    let (tokens, now) = (&serving.tokens, clock::unix_now());
    let verified = match any {
        true => tokens.verify_any(token, now),
        false => tokens.verify_own(token, Some(OURS), now),
    };
    let own = verified.map_err(|error| {
        let text = format!("Not Authorized! Invalid token: {error}");
        refuse(StatusCode::UNAUTHORIZED, &text)
    })?;
    let trusted = own.audience.as_deref() == Some(OURS);
    tokens.used(&own.verified, now);
    // Templates may say of a bot what they say of users: the store knows better.
    if !trusted
        && let (Some(store), Some(id)) = (tokens.accounts.store(), &own.verified.id)
        && let Some(bot) = bot_of(store, id).await
    {
        return Ok(Shown {
            principal: bot,
            trusted,
            proof: Proof::Signed(own.verified.id),
        });
    }
    Ok(Shown {
        principal: principal(serving, &own.verified.claims, &own.verified.subject),
        trusted,
        proof: Proof::Signed(own.verified.id),
    })
}

/// The bot whose token this is, by its id.
async fn bot_of(store: &Store, id: &str) -> Option<Principal> {
    match store.token(id).await.ok()??.owner {
        Owner::Bot(id) => Some(lasting::principal(&store.bot_by_id(&id).await.ok()?)),
        Owner::User(_) => None,
    }
}

/// Who a token's claims name. One for another audience may say little more than `sub`.
fn principal(serving: &Serving, claims: &Map<String, Value>, sub: &str) -> Principal {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let list = |name: &str| -> Vec<String> {
        let list = claims.get(name).and_then(Value::as_array);
        let texts = list.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let bot = sub
        .strip_prefix(BOT)
        .and_then(|rest| rest.strip_prefix(':'));
    let (backend, home, id) = match bot {
        Some(name) => (BOT, BOT, name),
        None => {
            let id = text("uid").unwrap_or(sub);
            // A bare id is one of the subject backend's.
            let home = sub.strip_suffix(id).and_then(|rest| rest.strip_suffix(':'));
            let bare = || serving.tokens.issuer.subject_backend();
            let home = home.or_else(bare).unwrap_or_default();
            (text("backend").unwrap_or_default(), home, id)
        }
    };
    Principal {
        backend: backend.to_owned(),
        home: home.to_owned(),
        user: User {
            id: id.to_owned(),
            username: bot.or(text("preferred_username")).unwrap_or(sub).to_owned(),
            email: text("email").unwrap_or_default().to_owned(),
            first_name: text("given_name").unwrap_or_default().to_owned(),
            last_name: text("family_name").unwrap_or_default().to_owned(),
            roles: list("roles"),
            groups: list("groups"),
            ..User::default()
        },
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

fn elsewhere() -> Refused {
    let text = "Not Authorized! The token is for another audience: ask /oauth2/token for one of audience countersign";
    refuse(StatusCode::UNAUTHORIZED, text)
}

/// Name and password (RFC 7617), in the shape of `/auth/token`.
fn password(shown: &str) -> Option<Value> {
    let bytes = Zeroizing::new(BASE64_STANDARD.decode(shown).ok()?);
    let (username, password) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some(json!({ "username": username, "password": password }))
}
