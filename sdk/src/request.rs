//! One request, as the host received it.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{AuthError, Result, Secret};

/// What a client sent. `Debug` shows neither headers nor body: both may hold credentials.
#[derive(Clone)]
pub struct TokenRequest {
    inner: countersign_abi::Request,
}

impl TokenRequest {
    /// The first value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.inner.headers.get(name)
    }

    /// All headers: lower-case names, values as received.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.inner.headers.iter()
    }

    /// The raw body, at most 64 KiB.
    pub fn body(&self) -> &[u8] {
        &self.inner.body
    }

    /// The client's address, without port.
    pub fn peer(&self) -> &str {
        &self.inner.peer
    }

    /// The host's id of this request, for logs.
    pub fn request_id(&self) -> &str {
        &self.inner.request_id
    }

    /// Milliseconds until the host stops waiting.
    pub fn millis_left(&self) -> u64 {
        self.inner.millis_left
    }

    /// `username` and `password` of a JSON body; `None` unless both are non-empty
    /// strings. The last of repeated keys wins, as in Airflow.
    pub fn username_password(&self) -> Option<(String, Secret)> {
        let mut body: Value = serde_json::from_slice(self.body()).ok()?;
        let mut take = |key| match body.get_mut(key).map(Value::take) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let password = Secret::from(take("password")?);
        Some((take("username")?, password))
    }

    /// The token of `Authorization: Bearer` (RFC 6750 section 2.1; the scheme in any case).
    pub fn bearer(&self) -> Option<Secret> {
        let value = std::str::from_utf8(self.header("authorization")?).ok()?;
        let (scheme, token) = value.split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty())
            .then(|| Secret::from(token.to_owned()))
    }

    /// The body as a type of yours; what does not fit is [`AuthError::invalid`].
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        // serde_json's own text may quote the value, which may be a password.
        serde_json::from_slice(self.body())
            .map_err(|_| AuthError::invalid("The body does not have the expected shape"))
    }
}

/// Body and credentials do not stay in memory that is given back.
impl Drop for TokenRequest {
    fn drop(&mut self) {
        self.inner.wipe();
    }
}

impl From<countersign_abi::Request> for TokenRequest {
    fn from(inner: countersign_abi::Request) -> Self {
        TokenRequest { inner }
    }
}

impl From<TokenRequest> for countersign_abi::Request {
    fn from(mut request: TokenRequest) -> Self {
        std::mem::take(&mut request.inner)
    }
}

impl std::fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenRequest")
            .field("request_id", &self.inner.request_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(authorization: &str, body: &str) -> TokenRequest {
        countersign_abi::Request {
            headers: [("authorization", authorization)].into_iter().collect(),
            body: body.into(),
            ..Default::default()
        }
        .into()
    }

    #[test]
    fn username_password_of_strings_is_some() {
        let found =
            request("", r#"{"username":"ada","password":"a","password":"b"}"#).username_password();
        assert!(found.is_some_and(|(name, password)| name == "ada" && password.expose() == "b"));
    }

    #[test]
    fn username_password_of_anything_else_is_none() {
        for body in [
            "",
            "[]",
            "{}",
            r#"{"username":"a"}"#,
            r#"{"username":"","password":"b"}"#,
            r#"{"username":"a","password":1}"#,
        ] {
            assert!(request("", body).username_password().is_none(), "{body}");
        }
    }

    #[test]
    fn bearer_takes_the_scheme_in_any_case_and_nothing_else() {
        assert!(
            request("bEARER abc", "")
                .bearer()
                .is_some_and(|token| token.expose() == "abc")
        );
        for value in ["Basic abc", "Bearer", "Bearer ", "Bearerabc", ""] {
            assert!(request(value, "").bearer().is_none(), "{value}");
        }
    }

    #[test]
    fn debug_never_shows_credentials() {
        let shown = format!("{:?}", request("Bearer canary", r#"{"password":"canary"}"#));
        assert!(!shown.contains("canary"), "{shown}");
    }
}
