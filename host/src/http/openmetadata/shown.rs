//! What somebody shows to be let in: a token of ours for our own API (one that is bound to a key
//! comes with a proof of that key: `Authorization: DPoP`), a password (`Basic`), or another bearer
//! token, by one of which the chain knows him. Tokens of ours for other audiences say who somebody
//! is, and open nothing: whoever receives them could use them here.

use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use countersign_abi::User;
use countersign_verify::Unverified;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::answer::{Refused, not_done, not_let_in, not_proved, refuse};
use super::asker::Call;
use crate::accounts::lasting::Owner;
use crate::accounts::store::{Store, StoreError};
use crate::accounts::{Principal, opaque};
use crate::clock;
use crate::http::{Serving, chain, dpop};
use crate::token::Request;
use crate::token::audience::OURS;
use crate::token::dpop::NotProved;
use crate::token::lasting::{self, BOT};
use crate::token::own::Beside;

/// As the audit log names this face.
const PATH: &str = "/api/v1";

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
pub(super) struct Shown {
    pub(super) principal: Principal,
    /// Is it for our own API? What is for others only tells him who he is.
    pub(super) trusted: bool,
    pub(super) proof: Proof,
}

impl Shown {
    /// What stands in `Authorization`; with `any` it may be a token of ours for another audience.
    pub(super) async fn of(call: &Call, serving: &Serving, any: bool) -> Result<Self, Refused> {
        let missing = || {
            refuse(
                StatusCode::UNAUTHORIZED,
                "Not Authorized! Token not present",
            )
        };
        let header = call.headers.get(AUTHORIZATION).ok_or_else(missing)?;
        let header = header.to_str().map_err(|_| missing())?;
        let (scheme, shown) = header.split_once(' ').ok_or_else(missing)?;
        let shown = shown.trim();
        if scheme.eq_ignore_ascii_case("basic") {
            let words = password(shown).ok_or_else(missing)?;
            return Shown::logged_in(call, serving, words).await;
        }
        if scheme.eq_ignore_ascii_case("dpop") {
            return Shown::proved(call, serving, shown, any).await;
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(missing());
        }
        if opaque::is_ours(shown) {
            let request = request(call, json!({}));
            let users = serving.bots.personal_tokens;
            let redeemed = serving.tokens.redeem_for(&request, shown, users).await;
            let redeemed = redeemed.map_err(|refusal| not_let_in(&refusal, &call.id))?;
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
                own(serving, shown, any, Beside::Nothing).await
            }
            _ => Shown::logged_in(call, serving, json!({})).await,
        }
    }

    /// A token of ours that is bound to a key, with a proof of that key for this request (RFC 9449
    /// section 7).
    async fn proved(
        call: &Call,
        serving: &Serving,
        token: &str,
        any: bool,
    ) -> Result<Self, Refused> {
        let now = clock::unix_now();
        let asked = dpop::Asked {
            method: call.method.as_str(),
            path: &call.path,
            token: Some(token),
            now,
        };
        let refused = |why| not_proved(&why, dpop::nonce(serving, now));
        let proof = dpop::proof(serving, &call.headers, &asked);
        let proof = proof.and_then(|proof| proof.ok_or(NotProved::Missing));
        let proof = proof.map_err(refused)?;
        let shown = own(serving, token, any, Beside::Key(&proof.key)).await?;
        // Only now: whoever has no token fills no store.
        match dpop::use_up(serving, &proof, now).await {
            Ok(true) => Ok(shown),
            Ok(false) => Err(refused(NotProved::Again)),
            Err(error) => Err(not_done(&error.into(), &call.id)),
        }
    }

    /// Along the chain, as every login: throttled, and told to the audit log.
    async fn logged_in(call: &Call, serving: &Serving, words: Value) -> Result<Self, Refused> {
        let request = request(call, words);
        let admitted = serving.tokens.authenticate(&request).await;
        let admitted = admitted.map_err(|refusal| not_let_in(&refusal, &call.id))?;
        Ok(Shown {
            principal: admitted.signed_in(),
            trusted: true,
            proof: Proof::Login,
        })
    }
}

impl Proof {
    /// Is it a personal token, or what one was exchanged for?
    pub(super) async fn is_personal_token(
        &self,
        store: Option<&Store>,
    ) -> Result<bool, StoreError> {
        match (self, store) {
            (Proof::Opaque, _) => Ok(true),
            (Proof::Signed(Some(id)), Some(store)) => store.was_given_for_token(id).await,
            (Proof::Login | Proof::Signed(_), _) => Ok(false),
        }
    }
}

/// What the chain is asked.
fn request(call: &Call, words: Value) -> Request {
    let by_password = words["password"].is_string();
    let kept: &[&str] = if by_password { &["authorization"] } else { &[] };
    let headers = chain::headers(&call.headers, kept);
    let request = Request::new(PATH, headers, call.id.clone(), call.address);
    chain::with_body(request, words)
}

/// Who a token of ours is about.
async fn own(
    serving: &Serving,
    token: &str,
    any: bool,
    beside: Beside<'_>,
) -> Result<Shown, Refused> {
    let (tokens, now) = (&serving.tokens, clock::unix_now());
    let verified = match any {
        true => tokens.verify_any(token, beside, now),
        false => tokens.verify_own(token, Some(OURS), beside, now),
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
