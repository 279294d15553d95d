//! A login that a browser began at a provider: a sealed cookie until it is back. Each has a
//! cookie of its own, so that logins in several tabs do not disturb each other.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::accounts::store::StoreError;
use crate::http::browser::Browser;

/// Their cookies' names begin so; the beginning of the state follows.
const NAME: &str = "login-";

/// A browser has this long to come back, in seconds.
const LIFETIME: u64 = 600;

/// Random bytes in state and nonce.
const BYTES: usize = 24;

/// Characters of the state in the cookie's name.
const SHORT: usize = 8;

/// Logins that a browser may have begun at once.
const MOST: usize = 5;

/// Characters of one cookie, as browsers keep it.
const LARGEST: usize = 3_800;

/// Characters of all of them, so that proxies let the request pass.
const LARGEST_OF_ALL: usize = 2_500;

/// What a login needs when the browser comes back.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    pub state: String,
    pub nonce: String,
    /// The plugin's.
    pub private: Value,
    pub backend: String,
    pub return_to: String,
    /// Until when it is good, in seconds since 1970.
    pub until: u64,
}

impl Pending {
    /// A login with a state and a nonce of its own. None = the system has no random numbers.
    pub(super) fn new(backend: &str, return_to: String, now: u64) -> Option<Self> {
        let random = || {
            let mut bytes = [0; BYTES];
            aws_lc_rs::rand::fill(&mut bytes).ok()?;
            Some(URL_SAFE_NO_PAD.encode(bytes))
        };
        Some(Pending {
            state: random()?,
            nonce: random()?,
            private: Value::Null,
            backend: backend.to_owned(),
            return_to,
            until: now.saturating_add(LIFETIME),
        })
    }

    /// The `Set-Cookie` values that give it to the browser, and take away the oldest where
    /// there are too many. None = it is too large for a cookie.
    pub(super) fn cookies(
        &self,
        browser: &Browser,
        headers: &HeaderMap,
        now: u64,
    ) -> Option<Vec<String>> {
        let sealed = browser.sealer.seal(NAME, self.until, self)?;
        if sealed.len() > LARGEST {
            return None;
        }
        let mut others: Vec<(u64, String, usize)> = Vec::new();
        for (short, value) in browser.cookies(headers, NAME) {
            let other = browser.sealer.unseal::<Pending>(NAME, &value, now);
            let until = other.map_or(0, |other| other.until);
            others.push((until, short, value.len()));
        }
        others.sort_by(|a, b| b.cmp(a));
        let mut cookies = vec![browser.set_cookie(&name(&self.state), &sealed, Some(LIFETIME))];
        let mut size = sealed.len();
        for (place, (until, short, length)) in others.into_iter().enumerate() {
            size += length;
            if until == 0 || place + 1 >= MOST || size > LARGEST_OF_ALL {
                cookies.push(browser.set_cookie(&format!("{NAME}{short}"), "", None));
            }
        }
        Some(cookies)
    }

    /// The login of a state, if this browser began it.
    pub(super) fn of(
        browser: &Browser,
        headers: &HeaderMap,
        state: &str,
        now: u64,
    ) -> Option<Self> {
        let sealed = browser.cookie(headers, &name(state))?;
        let pending: Pending = browser.sealer.unseal(NAME, &sealed, now)?;
        let same = verify_slices_are_equal(pending.state.as_bytes(), state.as_bytes());
        same.is_ok().then_some(pending)
    }

    /// It is used: false = it was before.
    ///
    /// # Errors
    /// The store does not answer, so nobody knows.
    pub(super) async fn use_up(&self, browser: &Browser, now: u64) -> Result<bool, StoreError> {
        let id = format!("login {}", self.state);
        browser.once.use_up(&id, self.until, now).await
    }

    /// The `Set-Cookie` value that takes it from the browser.
    pub(super) fn forget(&self, browser: &Browser) -> String {
        browser.set_cookie(&name(&self.state), "", None)
    }
}

/// Without what a cookie's name cannot hold, whatever a client says that its state is.
fn name(state: &str) -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let short: String = state.chars().filter(fits).take(SHORT).collect();
    format!("{NAME}{short}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http::browser::tests::{browser, sent};

    const NOW: u64 = 1_767_225_600;

    fn begun(private: Value) -> Pending {
        let pending = Pending::new("sso", "/home".into(), NOW).unwrap();
        Pending { private, ..pending }
    }

    #[tokio::test]
    async fn o01_login_is_found_by_its_state_for_ten_minutes_and_used_once() {
        let browser = browser("https://id.example");
        let pending = begun(Value::from("verifier"));
        let cookies = pending.cookies(&browser, &HeaderMap::new(), NOW).unwrap();
        let headers = sent(&cookies);
        let of = |state: &str, now| Pending::of(&browser, &headers, state, now);
        let found = of(&pending.state, NOW + LIFETIME - 1).unwrap();
        assert_eq!((&*found.backend, &*found.return_to), ("sso", "/home"));
        assert!(of(&pending.state, NOW + LIFETIME).is_none());
        for state in ["", &pending.state[..SHORT], &format!("{}x", pending.state)] {
            assert!(of(state, NOW).is_none(), "{state}");
        }
        assert!(found.use_up(&browser, NOW).await.unwrap());
        assert!(!found.use_up(&browser, NOW).await.unwrap());
    }

    #[test]
    fn state_and_nonce_have_192_bits_each_and_never_come_again() {
        let (one, two) = (begun(Value::Null), begun(Value::Null));
        assert_eq!((one.state.len(), one.nonce.len()), (32, 32));
        assert!(one.state != two.state && one.nonce != two.nonce && one.state != one.nonce);
    }

    #[test]
    fn too_many_take_the_oldest_away_and_too_large_is_none() {
        let browser = browser("https://id.example");
        let mut kept: Vec<(Pending, String)> = Vec::new();
        for age in 0..MOST as u64 + 1 {
            let mut next = begun(Value::Null);
            next.until = NOW + LIFETIME + age;
            let held: Vec<String> = kept.iter().map(|(_, cookie)| cookie.clone()).collect();
            let cookies = next.cookies(&browser, &sent(&held), NOW).unwrap();
            let removed = &cookies[1..];
            kept.retain(|(pending, _)| {
                !removed
                    .iter()
                    .any(|cookie| cookie.contains(&name(&pending.state)))
            });
            kept.push((next, cookies[0].clone()));
        }
        assert!(kept.len() <= MOST, "{}", kept.len());
        assert_eq!(kept.last().unwrap().0.until, NOW + LIFETIME + MOST as u64);
        assert!(kept[0].0.until > NOW + LIFETIME, "the oldest is gone");
        // What does not compress.
        let random = (0..LARGEST / BYTES).map(|_| begun(Value::Null).state);
        let large = begun(random.collect::<String>().into());
        assert!(large.cookies(&browser, &HeaderMap::new(), NOW).is_none());
    }
}
