//! Token exchange (RFC 8693): somebody else's token in, one of ours out. The token is asked
//! about as if it had come in `Authorization: Bearer`, along the same chain. An opaque token of
//! ours, a bot's or a user's, is known by itself and shown to nobody: it is exchanged for a
//! signed token for its own audience.
//!
//! Without delegation: an actor's token is refused. Without scopes: none is known, so whoever
//! asks for one is refused, rather than given a token that lacks it.

use countersign_abi::Headers;
use countersign_verify::Unverified;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::error::Error;
use super::form::Form;
use super::{Answer, Call, Serving};
use crate::accounts::opaque;
use crate::http::dpop;
use crate::token::dpop::NotProved;
use crate::token::{Issuer, Lifetime, Request};

/// As `grant_type` names it.
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// Parameters that backends see, in a JSON body, so that `match.body` knows an exchange.
const SHOWN: [&str; 4] = [
    "grant_type",
    "subject_token_type",
    "requested_token_type",
    "client_id",
];

/// Are there tokens of our own, or does any backend of the chain take other people's?
pub fn is_enabled(serving: &Serving) -> bool {
    serving.tokens.accounts.store().is_some() || takes_others(serving)
}

fn takes_others(serving: &Serving) -> bool {
    let mut backends = serving.tokens.registry.iter();
    backends.any(|backend| backend.settings.login && backend.capabilities.bearer)
}

/// The token for a token.
///
/// # Errors
/// RFC 8693 section 2.2.2: `invalid_request` for a token that is invalid for any reason,
/// `invalid_target` for an audience that nobody knows.
pub async fn answer(call: &mut Call) -> Result<Answer, Error> {
    let (serving, form) = (&*call.serving, &call.form);
    let tokens = &serving.tokens;
    let subject = form.require("subject_token")?;
    if !is_token(subject) {
        return Err(Error::invalid_request("subject_token is no bearer token"));
    }
    if is_bound(subject) {
        let text = "subject_token is bound to a key (cnf), and no bearer token";
        return Err(Error::invalid_request(text));
    }
    let own = opaque::is_ours(subject);
    let kinds: &[_] = match own {
        true => &[ACCESS_TOKEN],
        false => &[ACCESS_TOKEN, ID_TOKEN, JWT],
    };
    let given = form.require("subject_token_type")?;
    kind(given, "subject_token_type", kinds)?;
    let asked = form.get("requested_token_type").unwrap_or(ACCESS_TOKEN);
    let issued = kind(asked, "requested_token_type", &[ACCESS_TOKEN, JWT])?;
    if ["actor_token", "actor_token_type"]
        .iter()
        .any(|name| form.get(name).is_some())
    {
        return Err(Error::invalid_request("an actor_token is not supported"));
    }
    if form.get("scope").is_some() {
        return Err(Error::invalid_scope("no scope is known here"));
    }
    call.request.lifetime = lifetime(form)?;
    let audience = audience(&tokens.issuer, form)?;
    if own {
        let subject = Zeroizing::new(subject.to_owned());
        return exchange_own(call, &subject, issued).await;
    }
    if !takes_others(serving) {
        let text = "subject_token must be a token of this server: nobody here takes others";
        return Err(Error::invalid_request(text));
    }
    show(&mut call.request, form, subject);
    let (client, request) = (call.client.id(), &call.request);

    let denied = || Error::invalid_request("subject_token is not accepted");
    let refused = |refusal| Error::refused(refusal, denied());
    let admitted = tokens.authenticate(request).await.map_err(refused)?;
    let used = match &call.proof {
        Some(proof) => dpop::use_up(serving, proof, call.now).await,
        None => Ok(true),
    };
    match used {
        Ok(true) => {}
        Ok(false) => {
            admitted.denied(&NotProved::Again);
            return Err(call.proved_before().told());
        }
        Err(error) => return Err(refused(admitted.unavailable(&error))),
    }
    let admitted = admitted.for_client(client).bound_to(call.key());
    let minted = admitted.token(audience, request.lifetime).await;
    Ok(Answer {
        issued_token_type: Some(issued),
        ..minted.map_err(refused)?.into()
    })
}

/// The token for an opaque one of ours: for the audience that it was made for, and no other.
async fn exchange_own(
    call: &mut Call,
    subject: &str,
    issued: &'static str,
) -> Result<Answer, Error> {
    let denied = || Error::invalid_request("subject_token is not accepted");
    let refused = |refusal| Error::refused(refusal, denied());
    let (tokens, users) = (&call.serving.tokens, call.serving.bots.personal_tokens);
    let redeemed = tokens.redeem_for(&call.request, subject, users).await;
    let redeemed = redeemed.map_err(refused)?;
    let form = &call.form;
    let named = !form.all("audience").is_empty() || !form.all("resource").is_empty();
    if named && audience(&tokens.issuer, form)? != redeemed.lasting.audience.as_deref() {
        return Err(Error::invalid_target("the token is for another audience"));
    }
    call.bind().await?;
    let tokens = &call.serving.tokens;
    let minted = tokens
        .exchange(&call.request, &redeemed, call.client.id())
        .await;
    Ok(Answer {
        issued_token_type: Some(issued),
        ..minted.map_err(refused)?.into()
    })
}

/// The one of `known` that it is.
fn kind(given: &str, parameter: &str, known: &[&'static str]) -> Result<&'static str, Error> {
    let found = known.iter().find(|kind| **kind == given);
    found.copied().ok_or_else(|| {
        Error::invalid_request(format!("{parameter} must be one of {}", known.join(", ")))
    })
}

/// `expires_in` is ours: seconds that the token shall live, cut to what the audience allows.
pub(super) fn lifetime(form: &Form) -> Result<Lifetime, Error> {
    let Some(text) = form.get("expires_in") else {
        return Ok(Lifetime::Api);
    };
    let seconds: Value = text.parse::<u64>().map_or(Value::Null, Value::from);
    Lifetime::requested(&seconds)
        .map_err(|_| Error::invalid_request("expires_in must be whole seconds, from 1"))
}

/// The one audience that all of `audience` and `resource` mean; none = the default one.
pub(super) fn audience<'a>(issuer: &'a Issuer, form: &Form) -> Result<Option<&'a str>, Error> {
    let mut wanted = form.all("audience").iter().chain(form.all("resource"));
    let Some(first) = wanted.next() else {
        return Ok(None);
    };
    let find = |said: &String| {
        let found = issuer.find(said);
        found.ok_or_else(|| Error::invalid_target("there is no such audience"))
    };
    let first = find(first)?;
    for other in wanted {
        if !std::ptr::eq(find(other)?, first) {
            return Err(Error::invalid_target("a token is for one audience"));
        }
    }
    Ok(first.name.as_deref())
}

/// RFC 6750 section 2.1.
fn is_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !body.is_empty() && body.bytes().all(fits)
}

/// Does it say that it is bound to a key? Whoever is asked about it cannot see who has that (RFC
/// 9449 section 7.2), and an exchange shows no proof of the key of another token.
fn is_bound(text: &str) -> bool {
    let read = Unverified::read(text);
    read.is_ok_and(|token| token.is_bound())
}

/// Makes it what backends understand; of the parameters they see those that say what is asked.
fn show(request: &mut Request, form: &Form, subject: &str) {
    let bearer = Zeroizing::new(format!("Bearer {subject}"));
    let about_the_form = ["authorization", "content-type", "content-length"];
    let sent = request.inner.headers.iter();
    let sent = sent.filter(|(name, _)| !about_the_form.contains(name));
    // The token last: a buffer that grows leaves a copy behind.
    let told = [
        ("content-type", b"application/json".as_slice()),
        ("authorization", bearer.as_bytes()),
    ];
    let headers: Headers = sent.chain(told).collect();

    let mut body = json!({});
    for name in SHOWN {
        if let Some(value) = form.get(name) {
            body[name] = value.into();
        }
    }
    for name in ["audience", "resource"] {
        match form.all(name) {
            [] => {}
            [one] => body[name] = one.as_str().into(),
            several => body[name] = several.into(),
        }
    }
    request.inner.headers = headers;
    request.inner.body = body.to_string().into();
    request.body = body;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_tokens_are_tokens() {
        for good in ["a", "a.b-c_d~e+f/g==", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"] {
            assert!(is_token(good), "{good}");
        }
        for bad in ["", "=", "a b", "a\r\nb", "a=b", "é", "a,b", "\"a\""] {
            assert!(!is_token(bad), "{bad}");
        }
    }
}
