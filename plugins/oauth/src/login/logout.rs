//! The end at the provider: OpenID Connect RP-Initiated Logout 1.0, and what Auth0 and Cognito
//! have in its place.

use countersign_sdk::Logout;
use countersign_sdk::prelude::*;
use serde_json::{Value, json};
use url::Url;

use crate::provider::Metadata;
use crate::settings::{Client, LogoutBy};

/// What a logout will need: the ID token, as a hint whom it is about.
pub(super) fn keep(id_token: Option<&Secret>) -> Value {
    json!({ "id_token": id_token.map(Secret::expose) })
}

/// The provider's page that ends the session there, and leads back; none = it has none.
pub(super) fn url(
    by: LogoutBy,
    client: &Client,
    metadata: &Metadata,
    logout: &Logout,
) -> Option<Url> {
    let beside = |path: &str| metadata.authorization.as_ref()?.join(path).ok();
    let hint = logout.private.get("id_token").and_then(Value::as_str);
    let (mut url, back, hint) = match (&metadata.end_session, by) {
        (_, LogoutBy::Cognito) => (beside("/logout")?, "logout_uri", None),
        (Some(url), _) => (url.clone(), "post_logout_redirect_uri", hint),
        (None, LogoutBy::Auth0) => (beside("/v2/logout")?, "returnTo", None),
        (None, LogoutBy::EndSession) => return None,
    };
    let mut query = url.query_pairs_mut();
    if let Some(hint) = hint {
        query.append_pair("id_token_hint", hint);
    }
    query.append_pair("client_id", &client.id);
    if !logout.return_to.is_empty() {
        query.append_pair(back, &logout.return_to);
    }
    drop(query);
    Some(url)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The address, for a provider with or without an end-session endpoint.
    fn address(by: LogoutBy, end_session: Option<&str>, private: Value) -> Option<String> {
        let client = Client {
            id: "us".into(),
            secret: None,
            secret_in_body: false,
            scopes: Vec::new(),
            parameters: Vec::new(),
        };
        let metadata = Metadata {
            authorization: Url::parse("https://idp.example/oauth2/authorize").ok(),
            end_session: end_session.map(|url| Url::parse(url).unwrap()),
            ..Metadata::default()
        };
        let mut logout = Logout::default();
        logout.return_to = "https://us.example/".into();
        logout.private = private;
        url(by, &client, &metadata, &logout).map(String::from)
    }

    #[test]
    fn each_provider_has_its_own_parameters_and_some_have_no_page() {
        let kept = || keep(Some(&Secret::from("a.b.c".to_owned())));
        let end = Some("https://idp.example/end?tenant=1");
        let back = "https%3A%2F%2Fus.example%2F";
        assert_eq!(
            address(LogoutBy::EndSession, end, kept()).unwrap(),
            format!(
                "https://idp.example/end?tenant=1&id_token_hint=a.b.c&client_id=us&post_logout_redirect_uri={back}"
            )
        );
        let hintless = address(LogoutBy::Auth0, end, Value::Null).unwrap();
        assert!(!hintless.contains("id_token_hint"), "{hintless}");
        assert_eq!(
            address(LogoutBy::Auth0, None, kept()).unwrap(),
            format!("https://idp.example/v2/logout?client_id=us&returnTo={back}")
        );
        assert_eq!(
            address(LogoutBy::Cognito, end, kept()).unwrap(),
            format!("https://idp.example/logout?client_id=us&logout_uri={back}")
        );
        assert_eq!(address(LogoutBy::EndSession, None, kept()), None);
    }
}
