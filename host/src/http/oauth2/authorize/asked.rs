//! What an authorization request asks for, checked: first by whom, then what.

use super::Serving;
use crate::http::login;
use crate::http::oauth2::code;
use crate::http::oauth2::exchange::audience;
use crate::http::oauth2::form::Form;
use crate::http::oauth2::native::{self, Loopback};
use crate::http::session::Session;
use crate::token::dpop::is_thumbprint;

/// A longer state is none of ours.
const LONGEST_STATE: usize = 512;

/// What is asked for, checked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    pub(super) to: Loopback<'a>,
    pub(super) state: &'a str,
    pub(super) challenge: &'a str,
    pub(super) audience: Option<&'a str>,
    /// The thumbprint of the key that the code is bound to (RFC 9449 section 10).
    pub(super) key: Option<&'a str>,
    /// Sign in with this one.
    pub(super) backend: Option<&'a str>,
}

/// Why there will be no code.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong<'a> {
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

/// Checks it.
pub(super) fn asked<'a>(form: &'a Form, serving: &'a Serving) -> Result<Asked<'a>, Wrong<'a>> {
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
    let key = form.get("dpop_jkt");
    if !key.is_none_or(is_thumbprint) {
        return Err(invalid("dpop_jkt is no SHA-256 thumbprint of a key"));
    }
    let audience = audience(&serving.tokens.issuer, form);
    let backend = form.get("backend");
    // Else the login would lead back here, and from here to the login, for ever.
    if !backend.is_none_or(|id| login::is_offered(serving, Some(id))) {
        return Err(invalid("nobody signs in with that backend in a browser"));
    }
    Ok(Asked {
        state,
        challenge,
        audience: audience.map_err(|error| wrong(error.name, &error.description))?,
        key,
        backend,
        to,
    })
}

impl Asked<'_> {
    /// Did he sign in with the backend that is asked for?
    pub(super) fn suits(&self, session: &Session) -> bool {
        let backend = self.backend;
        backend.is_none_or(|backend| session.principal.backend == backend)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::tests::query;
    use super::*;
    use crate::http::admin::tests::serving;

    #[test]
    fn audience_is_meant_by_its_name_or_its_aud_and_scopes_have_no_say() {
        let serving = serving();
        for (name, value) in [
            ("audience", "apache-airflow"),
            ("resource", "apache-airflow"),
            ("scope", "openid everything"),
            ("audience", ""),
        ] {
            let form = Form::parse(query(&[(name, value)]).as_bytes()).unwrap();
            assert_eq!(asked(&form, &serving).unwrap().audience, None, "{name}");
        }
    }

    #[test]
    fn s12_key_of_a_code_is_a_thumbprint_or_the_client_is_told() {
        const KEY: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        let serving = serving();
        let form = |key| Form::parse(query(&[("dpop_jkt", key)]).as_bytes()).unwrap();
        let good = form(KEY);
        assert_eq!(asked(&good, &serving).unwrap().key, Some(KEY));
        let none = form("");
        assert_eq!(asked(&none, &serving).unwrap().key, None);
        for wrong in ["x", &KEY[1..]] {
            let form = form(wrong);
            let refused = asked(&form, &serving);
            assert!(
                matches!(
                    refused,
                    Err(Wrong::Client {
                        error: "invalid_request",
                        ..
                    })
                ),
                "{wrong}"
            );
        }
    }
}
