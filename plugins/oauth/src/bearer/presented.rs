//! What the client says its token is: `subject_token_type` of a token exchange (RFC 8693
//! section 3), which reaches a plugin in the JSON body.

use countersign_sdk::TokenRequest;
use serde_json::{Map, Value};

const TYPES: &str = "urn:ietf:params:oauth:token-type:";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presented {
    /// Nothing is said: an access token, or an ID token for this server.
    Bearer,
    AccessToken,
    IdToken,
    Jwt,
}

impl Presented {
    /// None: another type, of which this plugin has none.
    pub(super) fn of(request: &TokenRequest) -> Option<Presented> {
        let body: Option<Value> = serde_json::from_slice(request.body()).ok();
        let Some(typ) = body
            .as_ref()
            .and_then(|body| body.get("subject_token_type"))
        else {
            return Some(Presented::Bearer);
        };
        match typ.as_str()?.strip_prefix(TYPES)? {
            "access_token" => Some(Presented::AccessToken),
            "id_token" => Some(Presented::IdToken),
            "jwt" => Some(Presented::Jwt),
            _ => None,
        }
    }

    /// ID tokens are JWTs, always.
    pub(super) fn may_be_opaque(self) -> bool {
        matches!(self, Presented::Bearer | Presented::AccessToken)
    }

    /// What is wrong with a verified token as what it is presented as (RFC 8725 section 3.12).
    pub(super) fn mismatch(
        self,
        header_typ: Option<&str>,
        claims: &Map<String, Value>,
    ) -> Option<&'static str> {
        let made = Made::of(header_typ, claims);
        match (self, made) {
            (_, Made::Other) => Some("it is neither an access token nor an ID token (claim typ)"),
            (Presented::AccessToken, Made::IdToken) => {
                Some("it is an ID token, presented as an access token")
            }
            (Presented::IdToken, Made::AccessToken) => {
                Some("it is an access token, presented as an ID token")
            }
            _ => None,
        }
    }
}

/// What a token was made as, where that can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    AccessToken,
    IdToken,
    /// Such as Keycloak's refresh, action and logout tokens, which the same key may sign.
    Other,
    Unknown,
}

impl Made {
    fn of(header_typ: Option<&str>, claims: &Map<String, Value>) -> Made {
        let typ = header_typ.unwrap_or_default().to_ascii_lowercase();
        if typ.trim_start_matches("application/") == "at+jwt" {
            return Made::AccessToken;
        }
        // Keycloak and Cognito say it in a claim.
        let said = |name| claims.get(name).and_then(Value::as_str);
        match said("typ").or(said("token_use")) {
            Some("Bearer" | "access") => return Made::AccessToken,
            Some("ID" | "id") => return Made::IdToken,
            Some("JWT") | None => {}
            Some(_) => return Made::Other,
        }
        // OpenID Connect Core section 2: these are of ID tokens alone.
        if ["nonce", "at_hash", "c_hash"]
            .iter()
            .any(|name| claims.contains_key(*name))
        {
            Made::IdToken
        } else {
            Made::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use countersign_sdk::testing;
    use serde_json::json;

    use super::*;

    #[test]
    fn type_is_read_from_the_body_and_others_are_not_ours() {
        let of = |body: Value| Presented::of(&testing::request(&[], body.to_string()));
        let urn = |name: &str| json!({ "subject_token_type": format!("{TYPES}{name}") });
        assert_eq!(of(json!({})), Some(Presented::Bearer));
        assert_eq!(
            Presented::of(&testing::request(&[], "")),
            Some(Presented::Bearer)
        );
        assert_eq!(of(urn("access_token")), Some(Presented::AccessToken));
        assert_eq!(of(urn("id_token")), Some(Presented::IdToken));
        assert_eq!(of(urn("jwt")), Some(Presented::Jwt));
        for other in [
            urn("saml2"),
            urn("refresh_token"),
            json!({ "subject_token_type": 1 }),
        ] {
            assert_eq!(of(other), None);
        }
    }

    #[test]
    fn t48_kinds_are_told_apart_where_they_say_what_they_are() {
        let id = json!({ "at_hash": "x" });
        let keycloak = |typ: &str| json!({ "typ": typ, "nonce": "n" });
        let cases = [
            (Presented::AccessToken, None, id.clone(), false),
            (Presented::AccessToken, Some("at+jwt"), id.clone(), true),
            (Presented::AccessToken, None, keycloak("ID"), false),
            (Presented::AccessToken, None, keycloak("Bearer"), true),
            (Presented::AccessToken, None, json!({}), true),
            (
                Presented::IdToken,
                Some("application/AT+JWT"),
                json!({}),
                false,
            ),
            (Presented::IdToken, None, keycloak("Bearer"), false),
            (
                Presented::IdToken,
                None,
                json!({ "token_use": "access" }),
                false,
            ),
            (Presented::IdToken, None, keycloak("ID"), true),
            (Presented::IdToken, Some("JWT"), id.clone(), true),
            (Presented::Bearer, None, id, true),
            (Presented::Bearer, None, keycloak("Refresh"), false),
            (Presented::Jwt, None, keycloak("Logout"), false),
        ];
        for (presented, typ, claims, good) in cases {
            let mismatch = presented.mismatch(typ, claims.as_object().unwrap());
            assert_eq!(mismatch.is_none(), good, "{presented:?} {typ:?} {claims}");
        }
    }
}
