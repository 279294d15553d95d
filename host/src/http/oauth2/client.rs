//! Who asks: a bot that shows who it is, or a public client that says how it is called.
//!
//! A bot's name is its `client_id`; its secret is any live opaque token of it
//! (`client_secret_basic`, `client_secret_post`), or it signs with its own key
//! (`private_key_jwt`). Whoever shows a credential is refused alike, whichever it is and
//! whatever is wrong with it, so that nobody learns which clients there are.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::assertion::{self, Failed};
use super::error::Error;
use super::form::Form;
use crate::accounts::bots::{Bot, BotError};
use crate::accounts::lasting::{Lasting, Owner};
use crate::accounts::opaque;
use crate::accounts::store::{Revocable, Store, StoreError};
use crate::clock;
use crate::config::shapes::TokenForm;
use crate::config::values::Secret;
use crate::http::Serving;
use crate::token::Request;
use crate::token::guess::Guess;

/// The ways that bots show who they are, as metadata name them (RFC 8414 section 2).
pub const METHODS_OF_BOTS: [&str; 3] = [
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
];

/// The same, and that of a public client.
pub const METHODS: [&str; 4] = [
    METHODS_OF_BOTS[0],
    METHODS_OF_BOTS[1],
    METHODS_OF_BOTS[2],
    "none",
];

/// `client_assertion_type` (RFC 7523 section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// By which a client authenticates in the form (RFC 6749 section 2.3.1, RFC 7521 section 4.2).
const CREDENTIALS: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// A client's name in a token is at most this long.
const LONGEST_CLIENT: usize = 255;

/// What a client shows, not checked yet.
enum Shown {
    /// Nothing but, perhaps, its name.
    Nothing,
    /// A secret.
    Secret(String, Secret),
    /// An assertion.
    Assertion(Secret),
    /// Something that is no credential here.
    Other,
}

/// Who asks.
#[derive(Debug)]
pub enum Client {
    /// Whoever it is: it says so, and nobody has checked that.
    Public(Option<String>),
    /// This bot.
    Bot(Box<Bot>, Shows),
}

/// What a bot has shown.
#[derive(Debug)]
pub enum Shows {
    /// This token of its own.
    Token(Box<Lasting>),
    /// That it has its own key.
    Key,
}

impl Client {
    /// Its name.
    pub fn id(&self) -> Option<&str> {
        match self {
            Client::Public(id) => id.as_deref(),
            Client::Bot(bot, _) => Some(&bot.name),
        }
    }

    /// The name of a client that must have one.
    ///
    /// # Errors
    /// `invalid_request`.
    pub fn require_id(&self) -> Result<&str, Error> {
        let missing = || Error::invalid_request("client_id is missing");
        self.id().ok_or_else(missing)
    }

    /// The bot of a client that must have shown who it is.
    ///
    /// # Errors
    /// `invalid_client`.
    pub fn require_bot(&self) -> Result<(&Bot, &Shows), Error> {
        match self {
            Client::Bot(bot, shows) => Ok((bot, shows)),
            Client::Public(_) => Err(Error::invalid_client(true)),
        }
    }
}

/// Finds out who asks. `request` says where it comes from.
///
/// # Errors
/// `invalid_request` for a client that shows two credentials, or names itself twice;
/// `invalid_client` for one that is not who it says it is.
pub async fn authenticate(
    serving: &Serving,
    headers: &HeaderMap,
    form: &Form,
    request: &Request,
) -> Result<Client, Error> {
    let challenged = headers.contains_key(AUTHORIZATION);
    let shown = shown(headers, form)?;
    let named = named(form)?;
    let id = match &shown {
        Shown::Nothing => return Ok(Client::Public(named.map(str::to_owned))),
        Shown::Secret(id, _) => Some(id.as_str()),
        Shown::Assertion(_) | Shown::Other => named,
    };
    let id = id.unwrap_or_default();
    if named.is_some_and(|named| named != id) {
        return Err(Error::invalid_request("the client names itself twice"));
    }
    let tokens = &serving.tokens;
    let denied = || Error::invalid_client(challenged);
    let refused = |refusal| Error::refused(refusal, denied());
    tokens
        .may_guess(request, Guess::Client(id))
        .map_err(refused)?;
    let deny = |reason: &str| refused(tokens.misguessed(request, Guess::Client(id), reason));
    let Some(store) = tokens.accounts.store() else {
        return Err(deny("there is no store that knows clients"));
    };
    let now = clock::unix_now();
    let found = match &shown {
        Shown::Secret(id, secret) => by_secret(store, id, secret, now).await,
        Shown::Assertion(assertion) => {
            let found = assertion::by_bot(serving, store, assertion.expose(), now).await;
            found.map(|bot| (bot, Shows::Key))
        }
        Shown::Nothing | Shown::Other => {
            Err(Failed::refused("it shows no credential that is known here"))
        }
    };
    match found {
        Ok((bot, _)) if named.is_some_and(|named| named != bot.name) => {
            Err(deny("the assertion is another client's"))
        }
        Ok((bot, shows)) => {
            tokens.guessed(request, Guess::Client(id));
            if let Shows::Token(token) = &shows {
                store.touch(&token.id, now);
            }
            Ok(Client::Bot(bot.into(), shows))
        }
        Err(Failed::Refused(reason)) => Err(deny(&reason)),
        Err(Failed::Outage(error)) => Err(refused(tokens.postpone(request, None, &*error))),
    }
}

/// A bot that has an opaque token. Whether it is the bot or the token that nobody knows, the
/// same is asked.
async fn by_secret(
    store: &Store,
    id: &str,
    secret: &Secret,
    now: u64,
) -> Result<(Bot, Shows), Failed> {
    let outage = |error: StoreError| Failed::Outage(Box::new(error));
    let bot = store.bot(id).await;
    let token = store.token_by_hash(&opaque::hash(secret.expose())).await;
    let token = token.map_err(outage)?;
    let bot = match bot {
        Ok(bot) if bot.name == id => bot,
        Ok(_) | Err(BotError::NoSuchBot(_)) => return Err(Failed::refused("no bot has this name")),
        Err(error) => return Err(Failed::Outage(Box::new(error))),
    };
    let token = token.ok_or_else(|| Failed::refused("the secret is no token"))?;
    match () {
        () if token.owner != Owner::Bot(bot.id.clone()) => {
            Err(Failed::refused("the secret is another's token"))
        }
        () if token.form != TokenForm::Opaque => Err(Failed::refused(
            "the secret is a signed token, and no opaque one",
        )),
        () if !token.is_live(now) || store.is_revoked(Revocable::Token(&token.id)) => {
            Err(Failed::refused("the secret was revoked, or has expired"))
        }
        () => Ok((bot, Shows::Token(token.into()))),
    }
}

/// What a client shows: one thing at most.
fn shown(headers: &HeaderMap, form: &Form) -> Result<Shown, Error> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let header = values.next();
    let fields = CREDENTIALS.iter().any(|name| form.get(name).is_some());
    let [secret, assertion, kind] = CREDENTIALS.map(|name| form.get(name));
    let twice = values.next().is_some() || (secret.is_some() && (assertion.or(kind)).is_some());
    if twice || (header.is_some() && fields) {
        let text = "the client authenticates in more than one way";
        return Err(Error::invalid_request(text));
    }
    if let Some(header) = header {
        return Ok(basic(header.as_bytes()).unwrap_or(Shown::Other));
    }
    Ok(match (secret, assertion, kind) {
        (None, None, None) => Shown::Nothing,
        (Some(secret), ..) => match form.get("client_id") {
            Some(id) => Shown::Secret(id.to_owned(), Secret::from(secret.to_owned())),
            None => Shown::Other,
        },
        (None, Some(assertion), Some(JWT_BEARER)) => {
            Shown::Assertion(Secret::from(assertion.to_owned()))
        }
        _ => Shown::Other,
    })
}

/// `Basic`, both halves escaped as in a form (RFC 6749 section 2.3.1).
fn basic(header: &[u8]) -> Option<Shown> {
    let (scheme, rest) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let decoded = Zeroizing::new(BASE64_STANDARD.decode(rest.trim_ascii()).ok()?);
    let text = std::str::from_utf8(&decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    let id = unescaped(id)?;
    (!id.is_empty()).then_some(())?;
    Some(Shown::Secret(id, Secret::from(unescaped(secret)?)))
}

/// One value of a form.
fn unescaped(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    let line = Zeroizing::new(format!("={text}"));
    let (_, value) = form_urlencoded::parse(line.as_bytes()).next()?;
    (!value.contains(['\0', char::REPLACEMENT_CHARACTER])).then(|| value.into_owned())
}

/// Who the client says it is.
///
/// # Errors
/// It is no client's name (RFC 6749 appendix A.1), or longer than 255 characters.
fn named(form: &Form) -> Result<Option<&str>, Error> {
    let Some(client) = form.get("client_id") else {
        return Ok(None);
    };
    let fits = client.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
    match fits && client.len() <= LONGEST_CLIENT {
        true => Ok(Some(client)),
        false => Err(Error::invalid_request(
            "client_id must be printable ASCII of at most 255 characters",
        )),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn secret(header: &str) -> Option<(String, String)> {
        match basic(header.as_bytes())? {
            Shown::Secret(id, secret) => Some((id, secret.expose().to_owned())),
            _ => None,
        }
    }

    #[test]
    fn basic_credentials_are_escaped_as_in_a_form() {
        let of = |text: &str| secret(&format!("basic {}", BASE64_STANDARD.encode(text)));
        for (text, id, password) in [
            ("reports:cst_bot_x", "reports", "cst_bot_x"),
            ("a%3Ab:c%25d", "a:b", "c%d"),
            ("a+b:", "a b", ""),
            ("a:b:c", "a", "b:c"),
            ("a:é", "a", "é"),
        ] {
            assert_eq!(of(text), Some((id.into(), password.into())), "{text}");
        }
        for text in ["", "a", ":", ":x", "a:b&c=d", "a:%ff", "a:%00"] {
            assert_eq!(of(text), None, "{text}");
        }
        for header in [
            "Basic",
            "Basic !!",
            "Bearer YTpi",
            "BasicYTpi",
            "Basic /w==",
            "\u{e9}asic ",
        ] {
            assert_eq!(secret(header), None, "{header}");
        }
    }

    #[test]
    fn s03_two_ways_at_once_are_refused() {
        let shows = |header: &[&'static str], form: &str| {
            let headers = header
                .iter()
                .map(|value| (AUTHORIZATION, axum::http::HeaderValue::from_static(value)));
            let headers: HeaderMap = headers.fold(HeaderMap::new(), |mut all, (name, value)| {
                all.append(name, value);
                all
            });
            shown(&headers, &Form::parse(form.as_bytes()).unwrap())
        };
        for (header, form) in [
            (&["Basic YTpi"][..], "client_secret=x"),
            (&["Basic YTpi"], "client_assertion=x"),
            (&["Basic YTpi", "Basic YTpi"], ""),
            (&[], "client_secret=x&client_assertion=y"),
            (&[], "client_secret=x&client_assertion_type=y"),
        ] {
            assert_eq!(shows(header, form).err().unwrap().name, "invalid_request");
        }
        assert!(matches!(shows(&[], "client_id=x"), Ok(Shown::Nothing)));
        assert!(matches!(
            shows(&["Basic YTpi"], "client_id=a"),
            Ok(Shown::Secret(..))
        ));
        assert!(matches!(shows(&[], "client_secret=x"), Ok(Shown::Other)));
        assert!(matches!(shows(&[], "client_assertion=x"), Ok(Shown::Other)));
    }
}
