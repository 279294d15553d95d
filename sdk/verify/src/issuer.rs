//! Several issuers side by side, each with its own rules and its own keys: a token of
//! one is never verified with a key of another.

use std::sync::Arc;

use crate::{JwksClient, JwksError, Jws, KeySet, Now, Refusal, Rules, Unverified, Verified};

/// Where an issuer's keys come from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Keys {
    /// They are here.
    Fixed(Arc<KeySet>),
    /// They are fetched, and cached.
    Remote(Arc<JwksClient>),
    /// They are in several places: the first one that has the `kid` counts. A token without
    /// `kid` is verified with the keys of the first place alone.
    Several(Arc<JwksClient>, Arc<[Arc<JwksClient>]>),
}

/// Somebody whose tokens are accepted.
#[derive(Debug, Clone)]
pub struct Issuer {
    rules: Rules,
    keys: Keys,
}

/// Everybody whose tokens are accepted.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    issuers: Vec<Issuer>,
}

/// The list is ambiguous.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs)] // the texts say it
pub enum TrustError {
    #[error("the issuer {0:?} is named twice")]
    Twice(String),
}

impl Issuer {
    /// An issuer by its rules and its keys.
    pub fn new(rules: Rules, keys: impl Into<Keys>) -> Issuer {
        Issuer {
            rules,
            keys: keys.into(),
        }
    }

    /// Its rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The keys that a token of this `kid` is verified with, at a time.
    ///
    /// # Errors
    /// They cannot be had.
    pub async fn keys(
        &self,
        kid: Option<&str>,
        now: impl Into<Now>,
    ) -> Result<Arc<KeySet>, JwksError> {
        self.keys.of(kid, now.into()).await
    }

    /// Verifies a token as this issuer's, at a time.
    ///
    /// # Errors
    /// The rule that the token breaks; or [`Refusal::KeysUnavailable`], which is an outage.
    pub async fn verify(&self, token: &str, now: impl Into<Now>) -> Result<Verified, Refusal> {
        let now = now.into();
        let jws = Jws::parse(token)?;
        self.check_signature(&jws, now).await?;
        let claims = jws.claims()?;
        let token = Unverified { jws, claims };
        self.rules.check_claims(token, now.seconds())
    }

    /// The same for a token that was read before, to learn whose it is.
    ///
    /// # Errors
    /// Likewise.
    pub async fn verify_read(
        &self,
        token: Unverified<'_>,
        now: impl Into<Now>,
    ) -> Result<Verified, Refusal> {
        let now = now.into();
        self.check_signature(&token.jws, now).await?;
        self.rules.check_claims(token, now.seconds())
    }

    async fn check_signature(&self, jws: &Jws<'_>, now: Now) -> Result<(), Refusal> {
        // Nobody is asked for keys because of a token that no key could save.
        self.rules.check_header(jws)?;
        let keys = self.keys.of(jws.header().kid.as_deref(), now).await;
        let keys = keys.map_err(Refusal::KeysUnavailable)?;
        self.rules.check_signature(jws, &keys)
    }
}

impl Trust {
    /// A list of issuers; an empty one accepts nothing.
    ///
    /// # Errors
    /// Two have one name.
    pub fn new(issuers: impl IntoIterator<Item = Issuer>) -> Result<Trust, TrustError> {
        let mut trust = Trust::default();
        for issuer in issuers {
            let name = issuer.rules.issuer();
            if trust.issuer(name).is_some() {
                return Err(TrustError::Twice(name.to_owned()));
            }
            trust.issuers.push(issuer);
        }
        Ok(trust)
    }

    /// The issuer of exactly this name.
    pub fn issuer(&self, name: &str) -> Option<&Issuer> {
        let mut issuers = self.issuers.iter();
        issuers.find(|issuer| issuer.rules.issuer() == name)
    }

    /// Verifies a token as of the issuer that its `iss` names, at a time.
    ///
    /// # Errors
    /// The rule that the token breaks; or [`Refusal::KeysUnavailable`], which is an outage.
    pub async fn verify(&self, token: &str, now: impl Into<Now>) -> Result<Verified, Refusal> {
        self.verify_read(Unverified::read(token)?, now).await
    }

    /// The same for a token that was read before, to learn whose it is.
    ///
    /// # Errors
    /// Likewise.
    pub async fn verify_read(
        &self,
        token: Unverified<'_>,
        now: impl Into<Now>,
    ) -> Result<Verified, Refusal> {
        let issuer = self.issuer(token.issuer()?).ok_or(Refusal::Issuer)?;
        issuer.verify_read(token, now).await
    }
}

impl Keys {
    async fn of(&self, kid: Option<&str>, now: Now) -> Result<Arc<KeySet>, JwksError> {
        match self {
            Keys::Fixed(keys) => Ok(Arc::clone(keys)),
            Keys::Remote(client) => client.keys(kid, now).await,
            Keys::Several(first, others) => {
                let mut best = first.keys(kid, now).await;
                let lacks = |keys: &KeySet| kid.is_some_and(|kid| !keys.has(kid));
                for client in others.iter() {
                    if best.as_ref().is_ok_and(|keys| !lacks(keys)) {
                        break;
                    }
                    let next = client.keys(kid, now).await;
                    // A key may be where nobody answers: that is never "there is none".
                    if best.is_ok() || next.as_ref().is_ok_and(|keys| !lacks(keys)) {
                        best = next;
                    }
                }
                best
            }
        }
    }
}

impl From<KeySet> for Keys {
    fn from(keys: KeySet) -> Keys {
        Keys::Fixed(Arc::new(keys))
    }
}

impl From<Arc<KeySet>> for Keys {
    fn from(keys: Arc<KeySet>) -> Keys {
        Keys::Fixed(keys)
    }
}

impl From<JwksClient> for Keys {
    fn from(client: JwksClient) -> Keys {
        Keys::Remote(Arc::new(client))
    }
}

impl From<Arc<JwksClient>> for Keys {
    fn from(client: Arc<JwksClient>) -> Keys {
        Keys::Remote(client)
    }
}
