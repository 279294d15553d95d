//! Whose login it was: the ID token (OpenID Connect Core section 3.1.3.7). Signature, issuer,
//! audience, `azp` and times are [`Provider::verify`]'s; here is what binds it to this login.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use countersign_sdk::prelude::*;
use countersign_verify::{Algorithm, Refusal, Verified};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::begin::Started;
use super::exchange::Tokens;
use crate::provider::{Kind, Provider};
use crate::settings::{Client, Settings};

/// The ID token of this login, verified.
///
/// # Errors
/// Denied: it is not of this login. Unavailable: there is none, or the provider's keys cannot
/// be had.
pub(super) async fn verified(
    provider: &Provider,
    settings: &Settings,
    client: &Client,
    tokens: &Tokens,
    started: &Started,
) -> Result<Verified> {
    let token = tokens.id_token.as_ref().ok_or_else(|| {
        AuthError::unavailable(
            "the token response has no id_token; is `openid` among the configured scopes?",
        )
    })?;
    let verified = provider.verify(token.expose(), Kind::IdToken).await;
    let verified = verified.map_err(refused)?;
    let leeway = settings.leeway.as_secs_f64();
    let broken = nonce(&verified.claims, &started.nonce)
        .and_then(|()| access_token_hash(&verified, &tokens.access))
        .and_then(|()| authenticated_lately(&verified.claims, client, started.begun, leeway));
    match broken {
        Ok(()) => Ok(verified),
        Err(rule) => {
            Err(AuthError::denied(format!("the ID token's {rule}")).subject(&verified.subject))
        }
    }
}

/// What a refusal of a token means for a login.
fn refused(refusal: Refusal) -> AuthError {
    match refusal.is_outage() {
        true => AuthError::unavailable(refusal.to_string()),
        false => AuthError::denied(format!("the ID token: {refusal}")),
    }
}

fn nonce(claims: &Map<String, Value>, sent: &Secret) -> Result<(), String> {
    let nonce = claims.get("nonce").and_then(Value::as_str);
    match nonce.map(|nonce| Secret::from(nonce.to_owned())) {
        None => Err("nonce is missing".to_owned()),
        Some(nonce) if nonce.matches(sent) => Ok(()),
        Some(_) => Err("nonce is of another login".to_owned()),
    }
}

/// `at_hash`, where there is one (section 3.1.3.6): the access token was issued with this ID token.
fn access_token_hash(id_token: &Verified, access: &Secret) -> Result<(), String> {
    let Some(claimed) = id_token.claims.get("at_hash") else {
        return Ok(());
    };
    let algorithm = id_token.header.alg.parse::<Algorithm>();
    let algorithm = algorithm.map_err(|unknown| format!("alg: {unknown}"))?;
    match claimed.as_str() == Some(half_hash(algorithm, access.expose()).as_str()) {
        true => Ok(()),
        false => Err("at_hash is of another access token".to_owned()),
    }
}

/// The left half of a text's hash: by the hash function of the algorithm. Ed25519's own is
/// SHA-512 (RFC 8032 section 5.1).
fn half_hash(algorithm: Algorithm, text: &str) -> String {
    let hash = match algorithm {
        Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 => Sha256::digest(text).to_vec(),
        Algorithm::RS384 | Algorithm::ES384 => Sha384::digest(text).to_vec(),
        Algorithm::RS512 | Algorithm::EdDSA => Sha512::digest(text).to_vec(),
    };
    BASE64_URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}

/// `auth_time`, where the login asked for `max_age` (section 3.1.2.1): the user had
/// authenticated at most so long before the login began.
fn authenticated_lately(
    claims: &Map<String, Value>,
    client: &Client,
    begun: f64,
    leeway: f64,
) -> Result<(), String> {
    let mut parameters = client.parameters.iter();
    let max_age = parameters.find(|(name, _)| name == "max_age");
    let Some(max_age) = max_age.and_then(|(_, seconds)| seconds.parse::<f64>().ok()) else {
        return Ok(());
    };
    match claims.get("auth_time").and_then(Value::as_f64) {
        None => Err("auth_time is missing, although the login asked for max_age".to_owned()),
        Some(at) if at + max_age + leeway < begun => {
            Err("auth_time is longer ago than max_age".to_owned())
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn o03_nonce_must_be_there_and_the_same() {
        let sent = Secret::from("n1".to_owned());
        assert!(nonce(&claims(json!({ "nonce": "n1" })), &sent).is_ok());
        for other in [
            json!({}),
            json!({ "nonce": "n2" }),
            json!({ "nonce": ["n1"] }),
            json!({ "nonce": "" }),
        ] {
            assert!(nonce(&claims(other.clone()), &sent).is_err(), "{other}");
        }
    }

    #[test]
    fn half_hash_is_of_the_algorithms_hash() {
        // The example of OpenID Connect Core appendix A.3: RS256.
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(half_hash(Algorithm::RS256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        for (algorithm, bytes) in [
            (Algorithm::ES256, 16),
            (Algorithm::ES384, 24),
            (Algorithm::RS512, 32),
            (Algorithm::EdDSA, 32),
        ] {
            let hash = BASE64_URL_SAFE_NO_PAD.decode(half_hash(algorithm, token));
            assert_eq!(hash.unwrap().len(), bytes, "{algorithm}");
        }
    }

    #[test]
    fn authentication_before_max_age_is_refused_and_so_is_none() {
        let client = |parameters: &[(&str, &str)]| Client {
            id: "us".into(),
            secret: None,
            secret_in_body: false,
            scopes: Vec::new(),
            parameters: parameters
                .iter()
                .map(|&(name, value)| (name.into(), value.into()))
                .collect(),
        };
        let lately = |auth_time: Value, parameters: &[(&str, &str)]| {
            let given = claims(json!({ "auth_time": auth_time }));
            authenticated_lately(&given, &client(parameters), 1_000_000.0, 10.0).is_ok()
        };
        let max_age = [("max_age", "300")];
        assert!(lately(json!(999_690), &max_age) && lately(json!(1_000_030), &max_age));
        assert!(!lately(json!(999_689), &max_age));
        assert!(!lately(Value::Null, &max_age) && !lately(json!("999999"), &max_age));
        assert!(lately(Value::Null, &[]) && lately(json!(1), &[("prompt", "login")]));
    }
}
