//! Where claims come from: the ID token, the access token if it is a JWT (Keycloak keeps roles
//! only there), the userinfo endpoint. The next is asked only while something that is
//! configured to be read was not found; what was found first stays.

use countersign_sdk::prelude::*;
use countersign_verify::Verified;
use serde_json::{Map, Value};

use super::asking;
use super::exchange::Tokens;
use crate::people::Identity;
use crate::provider::http::place;
use crate::provider::{Kind, Metadata, Provider};
use crate::settings::Settings;

/// The identity of a verified ID token, with the claims of all sources that are needed.
///
/// # Errors
/// Unavailable: a source that is needed does not answer. Denied: userinfo is somebody else's.
pub(super) async fn identity(
    settings: &Settings,
    provider: &Provider,
    id_token: Verified,
    tokens: &Tokens,
    metadata: &Metadata,
) -> Result<Identity> {
    let mut identity = Identity {
        issuer: id_token.issuer,
        subject: id_token.subject,
        claims: id_token.claims,
    };
    let reading = &settings.reading;
    if reading.lacks(&identity.claims)
        && let Some(claims) = access_token(provider, &tokens.access, &identity.subject).await?
    {
        fill(&mut identity.claims, claims);
    }
    if reading.lacks(&identity.claims)
        && let Some(claims) = userinfo(provider, metadata, tokens, &identity.subject).await?
    {
        fill(&mut identity.claims, claims);
    }
    Ok(identity)
}

/// The claims of the access token, if it is a JWT of this provider about the same user.
async fn access_token(
    provider: &Provider,
    token: &Secret,
    subject: &str,
) -> Result<Option<Map<String, Value>>> {
    if token.expose().split('.').count() != 3 {
        return Ok(None);
    }
    match provider.verify(token.expose(), Kind::IssuedToUs).await {
        Ok(verified) if verified.subject == subject => Ok(Some(verified.claims)),
        Ok(_) => {
            tracing::debug!("the access token has another sub than the ID token: not read");
            Ok(None)
        }
        Err(refusal) if refusal.is_outage() => Err(AuthError::unavailable(refusal.to_string())),
        Err(refusal) => {
            tracing::debug!("the access token is not read: {refusal}");
            Ok(None)
        }
    }
}

/// The claims of the userinfo endpoint (OpenID Connect Core section 5.3).
async fn userinfo(
    provider: &Provider,
    metadata: &Metadata,
    tokens: &Tokens,
    subject: &str,
) -> Result<Option<Map<String, Value>>> {
    let Some(url) = &metadata.userinfo else {
        return Ok(None);
    };
    let claims = match asking::get(provider, url, &tokens.access).await? {
        Value::Object(claims) => claims,
        _ => {
            let endpoint = place(url);
            return Err(AuthError::unavailable(format!(
                "{endpoint} answered with something else than a JSON object"
            )));
        }
    };
    // Section 5.3.2: else they must not be used, since they may be anybody's.
    match claims.get("sub").and_then(Value::as_str) == Some(subject) {
        true => Ok(Some(claims)),
        false => Err(AuthError::denied(
            "the userinfo endpoint speaks of another sub than the ID token",
        )
        .subject(subject)),
    }
}

/// Adds what is not there, in objects within objects, too. An address is verified together with
/// its own `email_verified` alone.
fn fill(claims: &mut Map<String, Value>, mut more: Map<String, Value>) {
    let address = claims.get("email");
    if address.is_some() && address != more.get("email") {
        more.remove("email_verified");
    }
    for (name, value) in more {
        match (claims.get_mut(&name), value) {
            (None | Some(Value::Null), value) => {
                claims.insert(name, value);
            }
            (Some(Value::Object(within)), Value::Object(value)) => fill(within, value),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn filled(claims: Value, more: Value) -> Value {
        let (Value::Object(mut claims), Value::Object(more)) = (claims, more) else {
            return Value::Null;
        };
        fill(&mut claims, more);
        claims.into()
    }

    #[test]
    fn what_was_found_first_stays_and_objects_are_filled() {
        let claims = json!({ "sub": "1", "groups": ["a"], "name": null,
            "resource_access": { "account": { "roles": ["view"] } } });
        let more = json!({ "sub": "2", "groups": ["b"], "name": "Ada", "aud": "account",
            "resource_access": { "account": { "roles": [] }, "airflow": { "roles": ["Admin"] } } });
        let expected = json!({ "sub": "1", "groups": ["a"], "name": "Ada", "aud": "account",
            "resource_access": { "account": { "roles": ["view"] }, "airflow": { "roles": ["Admin"] } } });
        assert_eq!(filled(claims, more), expected);
    }

    #[test]
    fn another_source_verifies_only_the_address_that_it_names() {
        let claims = json!({ "email": "ada@example.test" });
        for (address, expected) in [
            (json!("eve@evil.test"), None),
            (Value::Null, None),
            (json!("ada@example.test"), Some(&json!(true))),
        ] {
            let more = json!({ "email": address, "email_verified": true });
            let claims = filled(claims.clone(), more);
            assert_eq!(claims["email"], "ada@example.test");
            assert_eq!(claims.get("email_verified"), expected);
        }
    }
}
