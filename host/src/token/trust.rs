//! Tokens of other issuers (`trust`): whose is it, is it good, and who is that here?
//!
//! Each issuer has its own rules and its own keys, which are fetched when the first of its
//! tokens comes. Its users are of no backend: they are called `SUB@ISSUER` (ADR 0009), and
//! their groups are roles only as far as `trust[].roles` says.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use countersign_abi::User;
use countersign_verify::{
    Issuer, JwksClient, JwksError, JwksOptions, Keys, Now, Observer, Refusal, Rules, Trust,
    Unverified, Verified,
};
use serde_json::{Map, Value};

use super::Tokens;
use super::issuer::RESERVED;
use super::roles;
use crate::accounts::Principal;
use crate::config::{Config, shapes};
use crate::metering;

/// The backend that users of other issuers are said to be of; no other may be called so.
pub const TRUST: &str = "trust";

/// The issuers that are trusted.
#[derive(Debug, Default)]
pub struct Trusted {
    issuers: Trust,
    /// By `iss`.
    people: BTreeMap<String, People>,
    /// By where their keys are: they survive a reload with what they have fetched.
    clients: Vec<(Place, Arc<JwksClient>)>,
}

/// Who the users of an issuer are.
#[derive(Debug)]
struct People {
    names: Vec<String>,
    groups: String,
    roles: roles::Rules,
}

/// Where keys are, and how they are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    issuer: String,
    url: String,
    plain_http: bool,
    authorities: Option<Vec<u8>>,
}

/// Why the list cannot be used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum TrustError {
    #[error("trust: issuer \"{issuer}\": {file} cannot be read: {error}")]
    Authorities {
        issuer: String,
        file: String,
        error: std::io::Error,
    },
    #[error("trust: issuer \"{issuer}\": {error}")]
    Client { issuer: String, error: JwksError },
    #[error("trust: issuer \"{issuer}\": {error}")]
    Rules {
        issuer: String,
        error: countersign_verify::RulesError,
    },
    #[error("trust: {0}")]
    List(#[from] countersign_verify::TrustError),
}

/// Why a token of another issuer is not accepted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum NotTrusted {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("the token has none of the issuer's principal_claims")]
    Nameless,
}

impl TrustError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            TrustError::Authorities { .. } => "name a file of certificates in PEM in tls.ca",
            TrustError::Client { .. } => {
                "jwks_url must be an https:// URL with a host, tls.ca certificates in PEM"
            }
            TrustError::Rules { .. } | TrustError::List(_) => {
                "see `countersign config explain trust.0`"
            }
        }
    }
}

impl NotTrusted {
    /// Is this no verdict on the token, but keys that cannot be had? Answer 503.
    pub fn is_outage(&self) -> bool {
        matches!(self, NotTrusted::Refused(refusal) if refusal.is_outage())
    }

    /// The rule's short name, from a fixed list.
    pub fn rule(&self) -> &'static str {
        match self {
            NotTrusted::Refused(refusal) => refusal.rule(),
            NotTrusted::Nameless => "principal",
        }
    }
}

impl Trusted {
    /// The issuers of a configuration; nothing is fetched. Of the list `before` a reload, what it
    /// has fetched stays.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn new(config: &Config, before: Option<&Trusted>) -> Result<Self, TrustError> {
        let mut trusted = Trusted::default();
        let mut issuers = Vec::new();
        for entry in &config.trust {
            // Entries of one issuer differ in where its keys are alone.
            if trusted.people.contains_key(&entry.issuer) {
                continue;
            }
            let of_issuer = config.trust.iter();
            let mut clients = of_issuer
                .filter(|other| other.issuer == entry.issuer)
                .map(|other| trusted.client_of(other, before))
                .collect::<Result<Vec<_>, _>>()?;
            let first = clients.remove(0);
            let keys = match clients.is_empty() {
                true => Keys::Remote(first),
                false => Keys::Several(first, clients.into()),
            };
            issuers.push(Issuer::new(rules(entry, config)?, keys));
            trusted
                .people
                .insert(entry.issuer.clone(), People::new(entry));
        }
        trusted.issuers = Trust::new(issuers)?;
        Ok(trusted)
    }

    /// Is any issuer trusted?
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// The rules and the keys of the issuer of this name.
    pub fn issuer(&self, name: &str) -> Option<&Issuer> {
        self.issuers.issuer(name)
    }

    /// The names of the issuers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.people.keys().map(String::as_str)
    }

    /// Verifies a token that was read before, as of the issuer that it names.
    ///
    /// # Errors
    /// [`NotTrusted`]; an issuer that is not trusted is [`Refusal::Issuer`].
    pub async fn verify_read(
        &self,
        token: Unverified<'_>,
        now: impl Into<Now>,
    ) -> Result<(Principal, Verified), NotTrusted> {
        let verified = self.issuers.verify_read(token, now).await?;
        let people = self.people.get(&verified.issuer).ok_or(Refusal::Issuer)?;
        Ok((people.principal(&verified)?, verified))
    }

    /// What fetches the keys of an issuer from one of its places.
    pub fn client(&self, issuer: &str, url: &str) -> Option<&JwksClient> {
        let is_there =
            |place: &&(Place, Arc<JwksClient>)| place.0.issuer == issuer && place.0.url == url;
        let found = self.clients.iter().find(is_there);
        found.map(|(_, client)| client.as_ref())
    }

    fn client_of(
        &mut self,
        entry: &shapes::Trust,
        before: Option<&Trusted>,
    ) -> Result<Arc<JwksClient>, TrustError> {
        let place = Place::of(entry)?;
        let known = before.into_iter().flat_map(|before| &before.clients);
        let known = known
            .chain(&self.clients)
            .find(|(known, _)| *known == place);
        let client = match known {
            Some((_, client)) => Arc::clone(client),
            None => Arc::new(place.client()?),
        };
        self.clients.push((place, Arc::clone(&client)));
        Ok(client)
    }
}

impl Tokens {
    /// Verifies a token of another issuer (`trust`), at a time; who its user is here. Revocation
    /// and one-time use are the caller's.
    ///
    /// # Errors
    /// [`NotTrusted`]; keys that cannot be had are an outage, no verdict.
    pub async fn verify_trusted(
        &self,
        token: &str,
        now: impl Into<Now>,
    ) -> Result<(Principal, Verified), NotTrusted> {
        let token = Unverified::read(token)?;
        self.trusted.verify_read(token, now).await
    }
}

impl Place {
    fn of(entry: &shapes::Trust) -> Result<Self, TrustError> {
        let file = &entry.tls.ca;
        let authorities = match file.as_str() {
            "" => None,
            file => Some(fs::read(file).map_err(|error| TrustError::Authorities {
                issuer: entry.issuer.clone(),
                file: file.to_owned(),
                error,
            })?),
        };
        Ok(Place {
            issuer: entry.issuer.clone(),
            url: entry.jwks_url.clone(),
            plain_http: entry.plain_http,
            authorities,
        })
    }

    fn client(&self) -> Result<JwksClient, TrustError> {
        let mut options = JwksOptions::default();
        options.plain_http = self.plain_http;
        options.authorities.clone_from(&self.authorities);
        let issuer = self.issuer.clone();
        options.observer = Observer::new(move |fetched| {
            metering::trust_fetched(&issuer, fetched.is_ok());
            match fetched {
                Ok(keys) => {
                    for key in keys.refused() {
                        tracing::warn!(issuer, "a key of a trusted issuer is not used: {key}");
                    }
                }
                Err(error) => {
                    tracing::warn!(issuer, %error, "the keys of a trusted issuer cannot be had");
                }
            }
        });
        JwksClient::new(&self.url, options).map_err(|error| TrustError::Client {
            issuer: self.issuer.clone(),
            error,
        })
    }
}

impl People {
    fn new(entry: &shapes::Trust) -> Self {
        People {
            names: entry.principal_claims.clone(),
            groups: entry.groups_claim.clone(),
            roles: roles::Rules::of_trusted(&entry.roles),
        }
    }

    /// Who it is here. What the issuer says beyond that are attributes, which claim templates
    /// may use; what only we say of a token is none of them.
    fn principal(&self, verified: &Verified) -> Result<Principal, NotTrusted> {
        let claims = &verified.claims;
        let unproven = unproven(claims);
        // An address that anybody may have written names nobody.
        let text = |name: &str| match claims.get(name) {
            Some(Value::String(text)) if name != "email" || !unproven => text,
            _ => "",
        };
        let mut names = self.names.iter().map(|name| text(name));
        let username = names.find(|name| !name.is_empty());
        let username = username.ok_or(NotTrusted::Nameless)?.to_owned();
        let attributes: Map<String, Value> = claims
            .iter()
            .filter(|(name, _)| !RESERVED.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let mut user = User {
            id: id(&verified.subject, &verified.issuer),
            username,
            email: text("email").to_owned(),
            first_name: text("given_name").to_owned(),
            last_name: text("family_name").to_owned(),
            roles: Vec::new(),
            groups: groups(claims, &self.groups),
            attributes_json: Value::Object(attributes).to_string(),
        };
        user.roles = self.roles.of(&verified.issuer, &user);
        Ok(Principal {
            backend: TRUST.to_owned(),
            home: TRUST.to_owned(),
            user,
        })
    }
}

/// `SUB@ISSUER`, as ADR 0009 has it.
fn id(subject: &str, issuer: &str) -> String {
    let issuer = issuer.strip_prefix("https://").unwrap_or(issuer);
    format!("{subject}@{issuer}")
}

/// Does the issuer itself not vouch for `email`? Some write the truth value as a text.
fn unproven(claims: &Map<String, Value>) -> bool {
    match claims.get("email_verified") {
        None | Some(Value::Bool(true)) => false,
        Some(said) => said != "true",
    }
}

/// The groups in a claim of this name, else where its dots lead: a list of texts, or one text.
fn groups(claims: &Map<String, Value>, name: &str) -> Vec<String> {
    let along_dots = || {
        let mut parts = name.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    };
    match claims.get(name).or_else(along_dots) {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => {
            let texts = several.iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// What its tokens must be like. An ID token and an access token of one issuer differ in `aud`,
/// which the configuration names.
fn rules(entry: &shapes::Trust, config: &Config) -> Result<Rules, TrustError> {
    let algorithms = entry.algorithms.iter().map(|known| known.verified());
    let rules = Rules::new(
        entry.issuer.clone(),
        entry.audiences.iter().cloned(),
        algorithms,
    );
    let rules = rules.map_err(|error| TrustError::Rules {
        issuer: entry.issuer.clone(),
        error,
    })?;
    Ok(rules.leeway(config.tokens.leeway).types(["JWT", "at+jwt"]))
}
