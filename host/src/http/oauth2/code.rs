//! The grant `authorization_code` (RFC 6749 section 4.1.3) with PKCE (RFC 7636), which
//! [`authorize`](super::authorize) hands the codes out for.
//!
//! A code is sealed, so that the server remembers only which ones were used. It is used up by
//! the first attempt, whatever becomes of it: who has a code and not its verifier has stolen it.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_abi::User;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::Error;
use super::exchange::audience;
use super::{Answer, Call, Serving, native, refresh};
use crate::accounts::Principal;
use crate::accounts::store::StoreError;
use crate::backends::user;
use crate::http::browser::Browser;
use crate::http::login;
use crate::http::session::Session;

/// As `grant_type` names it.
pub const GRANT: &str = "authorization_code";

/// What a code is sealed for.
const PURPOSE: &str = "code";

/// Seconds that a code is good: the browser brings it over at once.
const LIFE: u64 = 60;

/// What a code is good for.
pub(super) struct Code {
    /// Who gets the token.
    pub(super) principal: Principal,
    /// The id of the session in which he said yes.
    pub(super) session: String,
    /// The S256 challenge of who asked.
    pub(super) challenge: String,
    /// Where it was sent.
    pub(super) redirect_uri: String,
    /// The thumbprint of the key of who asked, if he named it (RFC 9449 section 10).
    pub(super) key: Option<String>,
    /// The name of the audience; none = the default one.
    pub(super) audience: Option<String>,
}

/// Why a code is good for nothing, and whose it was.
enum Lost {
    Denied(Option<Box<Principal>>, &'static str),
    /// It was used before; the grant that came of it.
    Again(Box<Principal>, String),
    /// Whether it was used before is not known.
    Outage(StoreError),
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Written {
    id: String,
    until: u64,
    backend: String,
    home: String,
    user: Value,
    session: String,
    challenge: String,
    redirect_uri: String,
    #[serde(default)]
    key: Option<String>,
    audience: Option<String>,
}

/// Can a code be had here? Where anybody can sign in with a browser.
pub fn is_enabled(serving: &Serving) -> bool {
    login::is_offered(serving, None)
}

/// The token for a code.
///
/// # Errors
/// `invalid_grant`: the code is unknown, used, expired, or another client's.
pub async fn answer(call: &mut Call) -> Result<Answer, Error> {
    let (serving, form) = (&*call.serving, &call.form);
    let sealed = form.require("code")?;
    let verifier = form.require("code_verifier")?;
    let redirect_uri = form.require("redirect_uri")?;
    let client = call.client.require_id()?.to_owned();
    if !is_verifier(verifier) {
        let text = "code_verifier must be 43 to 128 letters, digits, and -._~";
        return Err(Error::invalid_request(text));
    }
    let told = || Error::invalid_grant("the code is unknown, used, expired, or another client's");
    let (code, grant) = match Code::redeem(&serving.browser, sealed, call.now).await {
        Ok(redeemed) => redeemed,
        Err(Lost::Denied(principal, reason)) => {
            return Err(call.deny(principal.as_deref(), reason, told()));
        }
        Err(Lost::Again(principal, id)) => {
            // Either of the two is a thief, so neither has anything (RFC 6749 section 4.1.2).
            let revoked = call.store()?.revoke_grant(&id, call.now).await;
            revoked.map_err(|error| call.outage(&error))?;
            let reason = "the code was used before: what came of it is revoked";
            return Err(call.deny(Some(&principal), reason, told()));
        }
        Err(Lost::Outage(error)) => return Err(call.outage(&error)),
    };
    let reason = match () {
        () if client != native::CLIENT => Some("the code is another client's"),
        () if redirect_uri != code.redirect_uri => Some("the code was sent elsewhere"),
        () if !code.is_proved_by(verifier) => Some("the code's verifier is another one"),
        () if code.key.is_some() && code.key.as_deref() != call.key() => {
            Some("the code is bound to another key than the client's")
        }
        () => None,
    };
    if let Some(reason) = reason {
        return Err(call.deny(Some(&code.principal), reason, told()));
    }
    // Asked for again, it must be the same (RFC 8707 section 2.2).
    let again = !form.all("audience").is_empty() || !form.all("resource").is_empty();
    if again && audience(&serving.tokens.issuer, form)? != code.audience.as_deref() {
        return Err(Error::invalid_target("the code is for another audience"));
    }
    refresh::begin(call, grant, code.principal, code.audience).await
}

impl Code {
    /// As it is handed out. None = the system has no random numbers.
    pub(super) fn seal(self, browser: &Browser, now: u64) -> Option<String> {
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id).ok()?;
        let until = now.saturating_add(LIFE);
        let written = Written {
            id: URL_SAFE_NO_PAD.encode(id),
            until,
            user: user::as_json(&self.principal.user),
            backend: self.principal.backend,
            home: self.principal.home,
            session: self.session,
            challenge: self.challenge,
            redirect_uri: self.redirect_uri,
            key: self.key,
            audience: self.audience,
        };
        browser.sealer.seal(PURPOSE, until, &written)
    }

    /// Uses a code up, for the grant of the id that stands beside it; or whose it was, and why it
    /// is good for nothing.
    async fn redeem(browser: &Browser, sealed: &str, now: u64) -> Result<(Self, String), Lost> {
        let unknown = || Lost::Denied(None, "the code is unknown or expired");
        let written: Option<Written> = browser.sealer.unseal(PURPOSE, sealed, now);
        let written = written.ok_or_else(unknown)?;
        let user = User::try_from(written.user).map_err(|_| unknown())?;
        let principal = Principal {
            backend: written.backend,
            home: written.home,
            user,
        };
        let id = format!("{PURPOSE} {}", written.id);
        let denied = |reason| Err(Lost::Denied(Some(principal.clone().into()), reason));
        match browser.once.use_up(&id, written.until, now).await {
            Ok(true) if Session::is_over(browser, &written.session) => {
                return denied("the user signed out meanwhile");
            }
            Ok(true) => {}
            Ok(false) => return Err(Lost::Again(principal.into(), id)),
            Err(error) => return Err(Lost::Outage(error)),
        }
        let code = Code {
            principal,
            session: written.session,
            challenge: written.challenge,
            redirect_uri: written.redirect_uri,
            key: written.key,
            audience: written.audience,
        };
        Ok((code, id))
    }

    /// Is this the verifier of its challenge? (RFC 7636 section 4.6)
    fn is_proved_by(&self, verifier: &str) -> bool {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        verify_slices_are_equal(challenge.as_bytes(), self.challenge.as_bytes()).is_ok()
    }
}

/// RFC 7636 section 4.1.
fn is_verifier(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (43..=128).contains(&text.len()) && text.bytes().all(fits)
}

/// Is it the S256 challenge of any verifier: a SHA-256 digest in base64url?
pub(super) fn is_challenge(text: &str) -> bool {
    let digest = URL_SAFE_NO_PAD.decode(text);
    digest.is_ok_and(|digest| digest.len() == 32)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::Config;
    use crate::keys::{Mode, Sealer};

    const NOW: u64 = 1_767_225_600;
    /// RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn browser() -> Browser {
        let nowhere = std::env::temp_dir().join("countersign-no-such-state");
        let sealer = Sealer::open(&nowhere, Mode::Check).unwrap();
        Browser::new(&Config::default(), sealer)
    }

    fn code() -> Code {
        Code {
            principal: Principal {
                backend: "users".into(),
                home: "users".into(),
                user: User {
                    id: "1".into(),
                    username: "ada".into(),
                    roles: vec!["Op".into()],
                    ..User::default()
                },
            },
            session: "a session".into(),
            challenge: CHALLENGE.into(),
            redirect_uri: "http://127.0.0.1:1/callback".into(),
            key: None,
            audience: Some("api".into()),
        }
    }

    async fn reason(browser: &Browser, sealed: &str, now: u64) -> &'static str {
        match Code::redeem(browser, sealed, now).await {
            Err(Lost::Denied(_, reason)) => reason,
            Err(Lost::Again(..)) => "the code was used before",
            _ => "it is good",
        }
    }

    #[tokio::test]
    async fn o05_code_is_good_once_and_in_its_minute_alone() {
        let browser = browser();
        let sealed = code().seal(&browser, NOW).unwrap();
        let over = "the code is unknown or expired";
        assert_eq!(reason(&browser, &sealed, NOW + LIFE).await, over);
        let found = Code::redeem(&browser, &sealed, NOW + LIFE - 1).await;
        let (found, _) = found.ok().unwrap();
        let user = found.principal.user;
        assert_eq!(
            (user.username.as_str(), user.roles),
            ("ada", vec!["Op".to_owned()])
        );
        assert_eq!(found.audience, code().audience);
        assert_eq!(found.redirect_uri, code().redirect_uri);
        let again = "the code was used before";
        assert_eq!(reason(&browser, &sealed, NOW + LIFE - 1).await, again);
    }

    #[tokio::test]
    async fn what_is_sealed_for_something_else_or_changed_is_no_code() {
        let browser = browser();
        let session = browser.sealer.seal("session", NOW + LIFE, &"x").unwrap();
        let mut changed = code().seal(&browser, NOW).unwrap();
        let last = changed.pop().unwrap();
        changed.push(if last == 'A' { 'E' } else { 'A' });
        for text in ["", "x", &session, &changed] {
            let over = "the code is unknown or expired";
            assert_eq!(reason(&browser, text, NOW).await, over);
        }
    }

    #[test]
    fn o02_only_the_verifier_of_the_challenge_proves_it() {
        assert!(code().is_proved_by(VERIFIER));
        // What RFC 7636 calls "plain" is none.
        for other in [CHALLENGE, "", &VERIFIER.replace('d', "e")] {
            assert!(!code().is_proved_by(other), "{other}");
        }
    }

    #[test]
    fn o02_verifiers_and_challenges_are_of_their_form() {
        assert!(is_verifier(VERIFIER) && is_verifier(&"~".repeat(128)));
        let long = "a".repeat(129);
        for bad in ["", &VERIFIER[1..], &long, &VERIFIER.replace('d', "+")] {
            assert!(!is_verifier(bad), "{bad}");
        }
        assert!(is_challenge(CHALLENGE));
        let padded = format!("{CHALLENGE}=");
        for bad in ["", &CHALLENGE[1..], &padded, &CHALLENGE.replace('-', "+")] {
            assert!(!is_challenge(bad), "{bad}");
        }
    }
}
