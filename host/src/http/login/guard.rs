//! Forms are taken from our own pages alone: each carries a sealed text that belongs to a
//! cookie of the same browser, and the browser says where it comes from.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use crate::accounts::opaque;
use crate::accounts::store::{Store, StoreError};
use crate::http::browser::Browser;

const NAME: &str = "form";

/// A page may stay open this long before its form is sent, in seconds: a night.
const LIFETIME: u64 = 12 * 3_600;

/// Random bytes in the cookie.
const BYTES: usize = 16;

/// What a page with a form needs.
pub struct Guard {
    /// For a hidden field of the form.
    pub token: String,
    /// The `Set-Cookie` value that goes with the page.
    pub cookie: String,
}

impl Guard {
    /// For a page that answers a request with these headers; all open pages of a browser
    /// share a cookie. None = the system has no random numbers.
    pub fn new(browser: &Browser, headers: &HeaderMap, now: u64) -> Option<Self> {
        let secret = match known(browser, headers) {
            Some(secret) => secret,
            None => {
                let mut bytes = [0; BYTES];
                aws_lc_rs::rand::fill(&mut bytes).ok()?;
                URL_SAFE_NO_PAD.encode(bytes)
            }
        };
        let token = browser
            .sealer
            .seal(NAME, now.saturating_add(LIFETIME), &secret)?;
        let cookie = browser.set_cookie(NAME, &secret, Some(LIFETIME));
        Some(Guard { token, cookie })
    }
}

/// Was a form with this token sent by a page of ours, in this browser?
pub fn is_ours(browser: &Browser, headers: &HeaderMap, token: Option<&str>, now: u64) -> bool {
    let sealed = token.and_then(|token| browser.sealer.unseal::<String>(NAME, token, now));
    let (Some(sealed), Some(secret)) = (sealed, known(browser, headers)) else {
        return false;
    };
    let same = verify_slices_are_equal(sealed.as_bytes(), secret.as_bytes()).is_ok();
    same && is_from_here(browser, headers)
}

/// Is it the first time that the form with this token is sent? Each page has a token of its own:
/// who reloads the answer sends the same again.
///
/// # Errors
/// The store does not answer.
pub async fn is_first(store: &Store, token: Option<&str>, now: u64) -> Result<bool, StoreError> {
    let id = format!("form {}", opaque::hash(token.unwrap_or_default()));
    store.use_up(&id, now.saturating_add(LIFETIME), now).await
}

/// The cookie's value, if it is one that we made.
fn known(browser: &Browser, headers: &HeaderMap) -> Option<String> {
    let secret = browser.cookie(headers, NAME)?;
    let bytes = URL_SAFE_NO_PAD.decode(&secret).ok()?;
    (bytes.len() == BYTES).then_some(secret)
}

/// Does the browser say that the form is of our own pages? One that says nothing is old, and
/// has the token to show.
fn is_from_here(browser: &Browser, headers: &HeaderMap) -> bool {
    // A page cannot set it (W3C Fetch Metadata); `none` = the user himself, who reloads.
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Some(origin) = origin.to_str().ok().and_then(|text| Url::parse(text).ok()) else {
        return false;
    };
    let public = Url::parse(&browser.public_url);
    // By another name than the public one: then it is the name that was asked for.
    let asked = headers.get(HOST).and_then(|host| host.to_str().ok());
    let asked = asked.and_then(|host| Url::parse(&format!("{}://{host}", origin.scheme())).ok());
    public.is_ok_and(|public| public.origin() == origin.origin())
        || asked.is_some_and(|asked| asked.origin() == origin.origin())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http::browser::tests::{browser, sent};

    const NOW: u64 = 1_767_225_600;

    #[test]
    fn token_is_good_with_its_cookie_for_a_night() {
        let browser = browser("https://id.example");
        let guard = Guard::new(&browser, &HeaderMap::new(), NOW).unwrap();
        let other = Guard::new(&browser, &HeaderMap::new(), NOW).unwrap();
        let headers = sent(std::slice::from_ref(&guard.cookie));
        let ours = |token: &str, now| is_ours(&browser, &headers, Some(token), now);
        assert!(ours(&guard.token, NOW + LIFETIME - 1));
        assert!(!ours(&guard.token, NOW + LIFETIME));
        assert!(!ours(&other.token, NOW));
        assert!(!ours("", NOW) && !is_ours(&browser, &headers, None, NOW));
        assert!(!is_ours(
            &browser,
            &HeaderMap::new(),
            Some(&guard.token),
            NOW
        ));
        let second = Guard::new(&browser, &headers, NOW).unwrap();
        assert!(
            ours(&second.token, NOW) && ours(&guard.token, NOW),
            "two tabs share a cookie"
        );
    }

    #[test]
    fn cookie_that_somebody_else_chose_is_replaced() {
        let browser = browser("http://id.example");
        for chosen in ["", "x", "AAAA", "not base64 !"] {
            let headers = sent(&[browser.set_cookie(NAME, chosen, Some(9))]);
            let guard = Guard::new(&browser, &headers, NOW).unwrap();
            assert!(
                !is_ours(&browser, &headers, Some(&guard.token), NOW),
                "{chosen}"
            );
        }
    }
}
