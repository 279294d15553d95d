//! Addresses of the provider.

use url::Url;

/// `iss`, as tokens say it: an `https` URL with neither query nor fragment (OpenID Connect Core section 2).
pub(super) fn issuer(text: &str, http: bool) -> Result<Url, String> {
    let url = endpoint(text, http)?;
    match url.query() {
        Some(_) => Err("expected an issuer without a query".to_owned()),
        None => Ok(url),
    }
}

/// Where something is asked.
pub(super) fn endpoint(text: &str, http: bool) -> Result<Url, String> {
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("expected a URL without blanks and line breaks".to_owned());
    }
    let url = Url::parse(text).ok();
    let Some(url) = url.filter(|url| url.has_host() && matches!(url.scheme(), "https" | "http"))
    else {
        // What is no URL may be anything, a password too.
        return Err(
            "expected an https:// URL, as in https://sso.example.com/realms/main".to_owned(),
        );
    };
    if url.scheme() == "http" && !http {
        return Err(format!(
            "expected https://, found http:// at {}; anybody on the way could make tokens: `allow_http: true` allows \
             it for tests",
            url.host_str().unwrap_or_default()
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("expected a URL without name and password; they belong into `client_id` and `client_secret`".to_owned());
    }
    if url.fragment().is_some() {
        return Err("expected a URL without a fragment".to_owned());
    }
    Ok(url)
}

/// Where an issuer has its document (OpenID Connect Discovery section 4).
pub(super) fn discovery(issuer: &str, http: bool) -> Result<Url, String> {
    let base = issuer.trim_end_matches('/');
    endpoint(&format!("{base}/.well-known/openid-configuration"), http)
}
