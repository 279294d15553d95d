//! The way to the provider: the authorization request, and what must be known when the browser
//! is back.

use std::time::{SystemTime, UNIX_EPOCH};

use countersign_sdk::prelude::*;
use countersign_sdk::{BeginLogin, LoginStart};
use openidconnect::core::CoreResponseType;
use openidconnect::{AuthenticationFlow, CsrfToken, Nonce, PkceCodeChallenge, Scope};
use serde_json::{Value, json};

use crate::login::client::OidcClient;
use crate::settings::Client;

/// A login that is under way: what the host keeps out of the browser.
#[derive(Deserialize)]
pub(super) struct Started {
    /// PKCE's (RFC 7636 section 4.1).
    pub(super) verifier: Secret,
    /// What the ID token must repeat.
    pub(super) nonce: Secret,
    /// Where the browser was told to come back to.
    pub(super) redirect_uri: String,
    /// Whom the login began with.
    issuer: String,
    /// When, in seconds since 1970.
    pub(super) begun: f64,
}

/// The authorization request (OpenID Connect Core section 3.1.2.1): always a code, always
/// PKCE with S256.
pub(super) fn begin(
    issuer: &str,
    client: &Client,
    oidc: &OidcClient,
    login: BeginLogin,
) -> LoginStart {
    let BeginLogin {
        redirect_uri,
        state,
        nonce,
        ..
    } = login;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let private = json!({
        "verifier": verifier.secret(),
        "nonce": &nonce,
        "redirect_uri": redirect_uri,
        "issuer": issuer,
        "begun": now(),
    });
    let mut request = oidc
        .authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            move || CsrfToken::new(state),
            move || Nonce::new(nonce),
        )
        .set_pkce_challenge(challenge)
        .add_scopes(client.scopes.iter().cloned().map(Scope::new));
    for (name, value) in &client.parameters {
        request = request.add_extra_param(name, value);
    }
    let (url, ..) = request.url();
    LoginStart::new(url, private)
}

impl Started {
    /// What the host kept of a login.
    ///
    /// # Errors
    /// Invalid: it is none of this backend, as it is configured now.
    pub(super) fn of(private: Value, issuer: &str) -> Result<Self> {
        let again = || AuthError::invalid("This login was not begun here. Begin it again.");
        let started: Started = serde_json::from_value(private).map_err(|_| again())?;
        match started.issuer == issuer && !started.nonce.expose().is_empty() {
            true => Ok(started),
            false => Err(again()),
        }
    }
}

fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0.0, |now| now.as_secs_f64())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeMap;

    use openidconnect::PkceCodeVerifier;
    use url::Url;

    use super::*;
    use crate::login::client;
    use crate::provider::Metadata;

    const ISSUER: &str = "https://idp.example";

    fn client() -> Client {
        Client {
            id: "airflow".into(),
            secret: None,
            secret_in_body: false,
            scopes: vec!["openid".into(), "email".into()],
            parameters: vec![("prompt".into(), "login".into())],
        }
    }

    fn begun() -> (BTreeMap<String, String>, Value) {
        let metadata = Metadata {
            authorization: Url::parse("https://idp.example/auth?tenant=a").ok(),
            token: Url::parse("https://idp.example/token").ok(),
            ..Metadata::default()
        };
        let mut login = BeginLogin::default();
        login.redirect_uri = "https://sign.example/callback/sso".into();
        login.state = "a state&more".into();
        login.nonce = "n1".into();
        let redirect = client::redirect(&login.redirect_uri).unwrap();
        let oidc = client::of(ISSUER, &client(), &metadata).unwrap();
        let start = begin(ISSUER, &client(), &oidc.set_redirect_uri(redirect), login);
        let url = Url::parse(&start.url).unwrap();
        let count = url.query_pairs().count();
        let parameters: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(parameters.len(), count, "no parameter is there twice");
        (parameters, start.private)
    }

    #[test]
    fn request_has_every_parameter_once_and_the_redirect_to_the_letter() {
        let (mut parameters, private) = begun();
        let challenge = parameters.remove("code_challenge").unwrap();
        let verifier = private["verifier"].as_str().unwrap().to_owned();
        let verifier = PkceCodeVerifier::new(verifier);
        let expected = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        assert_eq!(challenge, expected.as_str());
        let expected = [
            ("client_id", "airflow"),
            ("code_challenge_method", "S256"),
            ("nonce", "n1"),
            ("prompt", "login"),
            ("redirect_uri", "https://sign.example/callback/sso"),
            ("response_type", "code"),
            ("scope", "openid email"),
            ("state", "a state&more"),
            ("tenant", "a"),
        ];
        let expected: BTreeMap<_, _> = expected
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        assert_eq!(parameters, expected);
    }

    #[test]
    fn o02_verifier_is_of_pkce_s256_and_new_each_time() {
        let vector = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"; // RFC 7636 appendix B
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(vector.into()));
        assert_eq!(
            challenge.as_str(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        let unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..50 {
            let (_, private) = begun();
            let verifier = private["verifier"].as_str().unwrap().to_owned();
            assert!((43..=128).contains(&verifier.len()));
            assert!(verifier.chars().all(unreserved));
            assert!(seen.insert(verifier));
        }
    }

    #[test]
    fn login_of_another_issuer_or_of_nobody_is_invalid() {
        let (_, private) = begun();
        assert!(Started::of(private.clone(), ISSUER).is_ok());
        for (private, issuer) in [
            (private.clone(), "https://idp.example/"),
            (Value::Null, ISSUER),
            (json!({ "verifier": "v" }), ISSUER),
        ] {
            let refused = Started::of(private, issuer).err().unwrap();
            assert_eq!(refused.kind(), countersign_sdk::Kind::Invalid);
        }
    }
}
