//! A user's session in the browser: a sealed cookie, so that nothing is kept but the ids of
//! those that were ended.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_abi::User;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::browser::Browser;
use crate::accounts::Principal;
use crate::accounts::store::StoreError;
use crate::backends::user;

const NAME: &str = "session";

/// The second half of a session that is too large for one cookie.
const REST: &str = "session-2";

/// Characters of one cookie: browsers keep 4,096 bytes, name and attributes included (RFC 6265
/// section 6.1), and proxies take 8 KiB for all cookies of a request.
const LARGEST: usize = 3_400;

/// A session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Unique; what [`end`](Session::end) remembers.
    pub id: String,
    /// Who signed in.
    pub principal: Principal,
    /// What the backend's logout will need, such as the ID token; null where it is too large
    /// for a cookie.
    pub private: Value,
    /// Seconds since 1970 at which he signed in.
    pub since: u64,
    /// Seconds since 1970 at which he has to sign in anew.
    pub until: u64,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Written {
    id: String,
    backend: String,
    home: String,
    user: Value,
    private: Value,
    since: u64,
    until: u64,
}

impl Session {
    /// A new session for `server.login.lifetime`. None = the system has no random numbers.
    pub fn begin(
        browser: &Browser,
        principal: Principal,
        private: Value,
        now: u64,
    ) -> Option<Self> {
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id).ok()?;
        Some(Session {
            id: URL_SAFE_NO_PAD.encode(id),
            principal,
            private,
            since: now,
            until: now.saturating_add(browser.settings.lifetime.as_secs()),
        })
    }

    /// The session that a request carries, if it is good.
    pub fn of(browser: &Browser, headers: &HeaderMap, now: u64) -> Option<Self> {
        let session = Session::carried(browser, headers, now)?;
        (!Session::is_over(browser, &session.id)).then_some(session)
    }

    /// The session that a request carries, were it ended or not.
    pub fn carried(browser: &Browser, headers: &HeaderMap, now: u64) -> Option<Self> {
        let mut sealed = browser.cookie(headers, NAME)?;
        // A first half is full; what stands beside a whole one is left from another session.
        if sealed.len() == LARGEST {
            sealed += &browser.cookie(headers, REST).unwrap_or_default();
        }
        let written: Written = browser.sealer.unseal(NAME, &sealed, now)?;
        Some(Session {
            principal: Principal {
                backend: written.backend,
                home: written.home,
                user: User::try_from(written.user).ok()?,
            },
            id: written.id,
            private: written.private,
            since: written.since,
            until: written.until,
        })
    }

    /// The `Set-Cookie` values that give it to the browser; two where the user is large, and
    /// without what the logout wants where even those are too small. None = so they are for
    /// the user alone. `headers` are those of the request that is answered.
    pub fn cookies(&self, browser: &Browser, headers: &HeaderMap) -> Option<Vec<String>> {
        let seal = |private: &Value| {
            let written = Written {
                id: self.id.clone(),
                backend: self.principal.backend.clone(),
                home: self.principal.home.clone(),
                user: user::as_json(&self.principal.user),
                private: private.clone(),
                since: self.since,
                until: self.until,
            };
            let sealed = browser.sealer.seal(NAME, self.until, &written)?;
            (sealed.len() <= 2 * LARGEST).then_some(sealed)
        };
        let sealed = seal(&self.private).or_else(|| seal(&Value::Null))?;
        let (first, rest) = sealed.split_at(sealed.len().min(LARGEST));
        let seconds = Some(self.until.saturating_sub(self.since));
        let mut cookies = vec![browser.set_cookie(NAME, first, seconds)];
        if !rest.is_empty() {
            cookies.push(browser.set_cookie(REST, rest, seconds));
        } else if browser.cookie(headers, REST).is_some() {
            cookies.push(browser.set_cookie(REST, rest, None));
        }
        Some(cookies)
    }

    /// Was the session of this id ended, or does nobody know? What came of it is good for nothing, then.
    pub fn is_over(browser: &Browser, id: &str) -> bool {
        browser.once.is_ended(id)
    }

    /// Ends it: whoever still has the cookies has nothing. The answer are the `Set-Cookie`
    /// values that remove them.
    ///
    /// # Errors
    /// The store does not answer: the session goes on at the other hosts until it does.
    pub async fn end(&self, browser: &Browser, now: u64) -> Result<Vec<String>, StoreError> {
        let once = &browser.once;
        once.end_session(&self.id, self.until, now).await?;
        let remove = |name| browser.set_cookie(name, "", None);
        Ok([NAME, REST].map(remove).into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::http::browser::tests::{browser, sent};

    const NOW: u64 = 1_767_225_600;

    /// Of a user in so many groups, each named as Azure does.
    fn session(browser: &Browser, groups: u64) -> Session {
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let groups = (0..groups)
            .map(|_| {
                let (high, low) = (random(), random());
                format!(
                    "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
                    high >> 32,
                    high & 0xffff,
                    high >> 16 & 0xfff,
                    low >> 48 & 0xfff,
                    low & 0xffff_ffff_ffff
                )
            })
            .collect();
        let user = User {
            id: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ@login.example/tenant".into(),
            username: "ada".into(),
            email: "ada.lovelace@company.example".into(),
            groups,
            ..User::default()
        };
        let principal = Principal {
            backend: "sso".into(),
            home: "sso".into(),
            user,
        };
        Session::begin(browser, principal, Value::Null, NOW).unwrap()
    }

    #[test]
    fn user_in_as_many_groups_as_azure_puts_into_a_token_has_a_session() {
        let browser = browser("https://id.example");
        let session = session(&browser, 200);
        let cookies = session.cookies(&browser, &HeaderMap::new()).unwrap();
        assert_eq!(cookies.len(), 2);
        assert!(cookies.iter().all(|cookie| cookie.len() < 4_096));
        let read = Session::of(&browser, &sent(&cookies), NOW).unwrap();
        assert_eq!(read.principal.user.groups, session.principal.user.groups);
    }

    #[test]
    fn half_of_another_session_takes_none_away() {
        let browser = browser("https://id.example");
        let large = session(&browser, 200);
        let large = large.cookies(&browser, &HeaderMap::new()).unwrap();
        let small = session(&browser, 1);
        let small = small.cookies(&browser, &HeaderMap::new()).unwrap();
        let mixed = [small[0].clone(), large[1].clone()];
        assert!(Session::of(&browser, &sent(&mixed), NOW).is_some());
        assert!(Session::of(&browser, &sent(&large[..1]), NOW).is_none());
        assert!(Session::of(&browser, &sent(&large[1..]), NOW).is_none());
    }
}
