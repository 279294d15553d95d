//! A bearer token that somebody shows to a service: is it good there, and who is it?
//!
//! Ours is good for one audience of ours. Another issuer's is good where no audience is asked
//! for, since `trust[].audiences` says whom its tokens may be meant for; where one is, it must
//! be meant for that one, too. Nothing is asked of the store, and of others only their keys.

use std::borrow::Cow;
use std::time::Duration;

use countersign_verify::{Refusal, Unverified, Verified};
use serde_json::Value;

use super::Tokens;
use super::audience::Audience;
use super::own::{Beside, NotOwn};
use super::trust::{NotTrusted, TRUST};
use crate::accounts::{Principal, opaque};

/// A token that was accepted.
#[derive(Debug)]
pub struct Accepted {
    /// What it says.
    pub verified: Verified,
    /// Who it is, where another issuer says so; none = the token is our own.
    pub stranger: Option<Principal>,
}

/// Why a token is not accepted. The texts hold nothing of it.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum NotAccepted {
    #[error(transparent)]
    Own(#[from] NotOwn),
    #[error("it is an opaque token: its owner exchanges it at /oauth2/token for a signed one")]
    Opaque,
    #[error(transparent)]
    Trusted(#[from] NotTrusted),
}

impl NotAccepted {
    /// The rule's short name, from a fixed list.
    pub fn rule(&self) -> &'static str {
        match self {
            NotAccepted::Own(refused) => refused.rule(),
            NotAccepted::Opaque => "opaque",
            NotAccepted::Trusted(refused) => refused.rule(),
        }
    }

    /// Is this no verdict on the token, but keys or a store that cannot be had? Then, when to come again.
    pub fn outage(&self) -> Option<Duration> {
        match self {
            NotAccepted::Trusted(NotTrusted::Refused(refusal)) if refusal.is_outage() => {
                Some(refusal.retry_after().unwrap_or(RETRY))
            }
            NotAccepted::Own(NotOwn::StoreLost(_)) => Some(RETRY),
            _ => None,
        }
    }
}

/// When to come again, where the other server does not say.
const RETRY: Duration = Duration::from_secs(5);

impl Tokens {
    /// Verifies a bearer token, at a time in seconds since 1970, for an audience, or for the
    /// default one where none is asked for.
    ///
    /// # Errors
    /// [`NotAccepted`].
    pub async fn accept(
        &self,
        token: &str,
        asked: Option<&Audience>,
        now: u64,
    ) -> Result<Accepted, NotAccepted> {
        // Not looked up: all clients of a proxy come from one address, so whoever guesses would
        // either cost a query each time, or shut the others out.
        let read = Unverified::read(token).map_err(|refusal| match opaque::kind(token) {
            Some(_) => NotAccepted::Opaque,
            None => NotOwn::Refused(refusal).into(),
        })?;
        let issuer = read.issuer().map_err(NotOwn::Refused)?;
        if issuer == self.issuer.name() {
            let audience = asked.unwrap_or_else(|| self.issuer.default_audience());
            let own = self.verify_own_read(read, audience, Beside::Nothing, now)?;
            self.used(&own.verified, now);
            return Ok(Accepted {
                verified: own.verified,
                stranger: None,
            });
        }
        // Apart: what may have to fetch keys is large, and our own tokens need none of it.
        let trusted = Box::pin(self.trusted.verify_read(read, now));
        let (principal, verified) = trusted.await?;
        if !asked.is_none_or(|asked| names(&verified, &asked.aud)) {
            return Err(NotTrusted::Refused(Refusal::Audience).into());
        }
        Ok(Accepted {
            verified,
            stranger: Some(principal),
        })
    }
}

impl Accepted {
    /// The name of the issuer, where it is another one; empty = the token is our own.
    pub fn trusted(&self) -> &str {
        match &self.stranger {
            None => "",
            Some(_) => &self.verified.issuer,
        }
    }

    /// The backend that another issuer's users are said to be of; empty = the token is our own,
    /// which does not say it.
    pub fn backend(&self) -> &str {
        match &self.stranger {
            None => "",
            Some(_) => TRUST,
        }
    }

    /// Unique among all users of all issuers: of another's user as a token of ours would say it.
    pub fn subject(&self) -> Cow<'_, str> {
        match &self.stranger {
            None => Cow::Borrowed(&self.verified.subject),
            Some(principal) => Cow::Owned(format!("{TRUST}:{}", principal.user.id)),
        }
    }

    /// The name for people, as far as the token says it: not unique among issuers.
    pub fn username(&self) -> &str {
        match &self.stranger {
            None => match self.text("preferred_username") {
                "" => self.text("username"),
                name => name,
            },
            Some(principal) => &principal.user.username,
        }
    }

    /// The address, or nothing.
    pub fn email(&self) -> &str {
        match &self.stranger {
            None => self.text("email"),
            Some(principal) => &principal.user.email,
        }
    }

    /// The roles: those that our token says, or those that we give another's user.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        let given = self.stranger.as_ref().map(|known| &known.user.roles);
        let said = match given {
            None => self.verified.claims.get("roles"),
            Some(_) => None,
        };
        let one = said.and_then(Value::as_str);
        let several = said.and_then(Value::as_array).into_iter().flatten();
        let given = given.into_iter().flatten().map(String::as_str);
        one.into_iter()
            .chain(several.filter_map(Value::as_str))
            .chain(given)
    }

    fn text(&self, name: &str) -> &str {
        let claim = self.verified.claims.get(name);
        claim.and_then(Value::as_str).unwrap_or_default()
    }
}

/// Is it meant for this one, among others?
fn names(verified: &Verified, aud: &str) -> bool {
    match verified.claims.get("aud") {
        Some(Value::String(one)) => one == aud,
        Some(Value::Array(several)) => several.iter().any(|one| one == aud),
        _ => false,
    }
}
