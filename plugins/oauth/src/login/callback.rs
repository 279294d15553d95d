//! What the browser brought back: a code, or the provider's reason why there is none.

use std::collections::BTreeMap;

use countersign_sdk::prelude::*;

use super::text::quoted;

/// The code of a callback.
///
/// `iss` is compared first (RFC 9207 section 2.4): what another provider sent back, its error
/// too, says nothing of this login.
///
/// # Errors
/// Denied: the provider refused, or it is another provider. Unavailable: it says that it is.
/// Invalid: there is no code.
pub(super) fn code(
    parameters: &BTreeMap<String, String>,
    issuer: &str,
    says_iss: bool,
) -> Result<Secret> {
    match parameters.get("iss") {
        Some(iss) if iss != issuer => {
            let iss = quoted(iss, &[]);
            return Err(AuthError::denied(format!(
                "the callback is of another provider: its iss is {iss}, not {issuer} (RFC 9207)"
            )));
        }
        None if says_iss => {
            return Err(AuthError::denied(
                "the callback has no iss, which this provider always sends along (RFC 9207)",
            ));
        }
        _ => {}
    }
    if let Some(error) = parameters.get("error") {
        return Err(refused(error, parameters.get("error_description")));
    }
    match parameters.get("code") {
        Some(code) if !code.is_empty() => Ok(Secret::from(code.clone())),
        _ => Err(AuthError::invalid(
            "The callback has no code. Begin the login again.",
        )),
    }
}

/// What an `error` of the authorization endpoint means (RFC 6749 section 4.1.2.1, OpenID Connect
/// Core section 3.1.2.6).
fn refused(error: &str, description: Option<&String>) -> AuthError {
    let mut detail = format!(
        "the provider sent the browser back with {}",
        quoted(error, &[])
    );
    if let Some(description) = description {
        detail += &format!(": {}", quoted(description, &[]));
    }
    match error {
        "temporarily_unavailable" | "server_error" => AuthError::unavailable(detail),
        "invalid_request"
        | "invalid_scope"
        | "invalid_target"
        | "unauthorized_client"
        | "unsupported_response_type" => {
            tracing::warn!(
                "{detail}; see this client's registration at the provider: redirect URIs, \
                 scopes, grant types"
            );
            AuthError::denied(detail)
        }
        _ => AuthError::denied(detail),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use countersign_sdk::Kind;

    use super::*;

    const ISSUER: &str = "https://idp.example";

    fn back(parameters: &[(&str, &str)], says_iss: bool) -> Result<Secret> {
        let parameters = parameters.iter();
        let parameters = parameters
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        code(&parameters, ISSUER, says_iss)
    }

    #[test]
    fn code_is_taken_with_iss_exact_or_where_none_is_promised() {
        for (parameters, says_iss) in [
            (&[("code", "c1")][..], false),
            (&[("code", "c1"), ("iss", ISSUER)], false),
            (&[("code", "c1"), ("iss", ISSUER)], true),
        ] {
            assert_eq!(back(parameters, says_iss).unwrap().expose(), "c1");
        }
    }

    #[test]
    fn iss_of_another_or_missing_where_promised_is_denied_before_anything_else() {
        for (parameters, says_iss) in [
            (
                &[("code", "c1"), ("iss", "https://idp.example/")][..],
                false,
            ),
            (&[("code", "c1"), ("iss", "https://evil.example")], true),
            (&[("code", "c1"), ("iss", "")], false),
            (&[("code", "c1")], true),
            (&[("error", "server_error")], true),
            (
                &[("error", "server_error"), ("iss", "https://evil.example")],
                false,
            ),
        ] {
            let refused = back(parameters, says_iss).err().unwrap();
            assert_eq!(refused.kind(), Kind::Denied, "{parameters:?}");
            assert!(!refused.detail().contains("c1"));
        }
    }

    #[test]
    fn error_of_the_provider_is_a_refusal_or_its_outage() {
        for (error, kind) in [
            ("access_denied", Kind::Denied),
            ("login_required", Kind::Denied),
            ("consent_required", Kind::Denied),
            ("invalid_scope", Kind::Denied),
            ("something_new", Kind::Denied),
            ("temporarily_unavailable", Kind::Unavailable),
            ("server_error", Kind::Unavailable),
        ] {
            let refused = back(&[("error", error), ("code", "c1")], false)
                .err()
                .unwrap();
            assert_eq!(refused.kind(), kind, "{error}");
            assert!(refused.detail().contains(error));
        }
    }

    #[test]
    fn description_is_cleaned_for_the_log() {
        let description = format!("no\n2026 INFO all is well {}", "x".repeat(1000));
        let parameters = [
            ("error", "access_denied"),
            ("error_description", description.as_str()),
        ];
        let refused = back(&parameters, false).err().unwrap();
        assert!(!refused.detail().contains('\n'));
        assert!(refused.detail().chars().count() < 300);
    }

    #[test]
    fn callback_without_code_is_invalid() {
        for parameters in [&[][..], &[("code", "")], &[("state", "s")]] {
            assert_eq!(back(parameters, false).err().unwrap().kind(), Kind::Invalid);
        }
    }
}
