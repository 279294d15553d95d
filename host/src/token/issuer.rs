//! What a token says: Airflow's claims and no others, unless a template asks for more.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Lifetime;
use super::audience::{Audience, OURS, attributes};
use super::claims::Values;
use super::lasting::BOT;
use super::trust::TRUST;
use crate::accounts::Principal;
use crate::config::Config;
use crate::config::shapes::{Dpop, Refresh};

/// What only the host says in a token or in its header.
pub(super) const RESERVED: [&str; 10] = [
    "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "kid", "alg", "cnf",
];

/// Makes the claims of tokens.
#[derive(Debug)]
pub struct Issuer {
    iss: String,
    jwks_uri: String,
    default: Audience,
    named: BTreeMap<String, Audience>,
    /// That of our own API.
    ours: Audience,
    leeway: u64,
    refresh: Refresh,
    dpop: Dpop,
    /// The backend whose bare ids are subjects.
    subject_backend: Option<String>,
    /// What subjects begin with that are not bare ids: the names of backends, of bots, and of
    /// users of other issuers.
    prefixes: Vec<String>,
}

/// Why there are no claims for a user that was authenticated.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum ClaimsError {
    #[error("the plugin's attributes are no JSON object")]
    Attributes,
    #[error("the user's id begins with \"{0}:\", which is how subjects of backend {0} begin")]
    Borrowed(String),
    #[error("the system has no random numbers")]
    Random,
    #[error("the claims cannot be written as JSON")]
    Json,
}

/// Who will hold a token, as far as a token says it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Holder<'a> {
    /// The OAuth client that asks for it, if that is known.
    pub client: Option<&'a str>,
    /// The thumbprint of the key that the token is bound to (RFC 9449 section 6).
    pub key: Option<&'a str>,
}

/// Serialised claims, and of them what the audit log names.
#[derive(Debug)]
pub struct Claims {
    /// The JWT payload.
    pub json: Vec<u8>,
    /// The subject.
    pub sub: String,
    /// The audience.
    pub aud: String,
    /// Claims that only the host sets and that the plugin returned as attributes: they had no
    /// effect, the audit log names them.
    pub reserved: String,
    /// The token's id: 32 hexadecimal characters, as Airflow's `revoked_token` column holds.
    pub jti: String,
    /// Seconds that the token lives; none = for ever.
    pub seconds: Option<u64>,
    /// `exp`, seconds since 1970; none = never.
    pub expires: Option<u64>,
    /// Is the token bound to a key of its client?
    pub bound: bool,
}

/// In Airflow's order. `iat` = `nbf`; integers (RFC 7519 section 4.1).
#[derive(Serialize)]
struct Payload<'a> {
    sub: &'a str,
    jti: &'a str,
    iss: &'a str,
    aud: &'a str,
    nbf: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<u64>,
    iat: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation<'a>>,
    #[serde(flatten)]
    further: &'a Map<String, Value>,
}

/// The key of a bound token (RFC 9449 section 6.1).
#[derive(Serialize)]
struct Confirmation<'a> {
    jkt: &'a str,
}

impl Issuer {
    /// An issuer from the configuration; `iss` is the issuer's resolved name.
    pub fn new(config: &Config, iss: String) -> Self {
        let tokens = &config.tokens;
        let only = || {
            (config.backends.len() == 1)
                .then(|| config.backends.keys().next().cloned())
                .flatten()
        };
        let chosen = (!tokens.subject_backend.is_empty()).then(|| tokens.subject_backend.clone());
        let named = tokens.audiences.iter();
        Issuer {
            ours: Audience::ours(&iss, tokens),
            leeway: tokens.leeway.as_secs(),
            refresh: tokens.refresh.clone(),
            dpop: tokens.dpop.clone(),
            jwks_uri: format!("{}/.well-known/jwks.json", config.public_url()),
            default: Audience::default_of(&iss, tokens),
            named: named
                .map(|(name, each)| (name.clone(), Audience::named(&iss, name, each, tokens)))
                .collect(),
            subject_backend: chosen.or_else(only),
            prefixes: config
                .backends
                .keys()
                .cloned()
                .chain([BOT, TRUST].map(str::to_owned))
                .collect(),
            iss,
        }
    }

    /// The issuer's name, as tokens say it.
    pub fn name(&self) -> &str {
        &self.iss
    }

    /// Where its keys are published, as clients reach it.
    pub fn jwks_uri(&self) -> &str {
        &self.jwks_uri
    }

    /// The names of the claims that its tokens may have, of whichever audience.
    pub fn claim_names(&self) -> Vec<&str> {
        let mut names = vec!["sub", "jti", "iss", "aud", "nbf", "exp", "iat"];
        let audiences = std::iter::once(&self.default).chain(self.named.values());
        for name in audiences.flat_map(Audience::claim_names) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The names of `tokens.audiences`.
    pub fn audience_names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// The backend whose bare ids are subjects.
    pub fn subject_backend(&self) -> Option<&str> {
        self.subject_backend.as_deref()
    }

    /// How far another clock may be off, in seconds.
    pub fn leeway(&self) -> u64 {
        self.leeway
    }

    /// The default audience.
    pub fn default_audience(&self) -> &Audience {
        &self.default
    }

    /// How long refresh tokens are good.
    pub fn refresh(&self) -> &Refresh {
        &self.refresh
    }

    /// What proofs of a key must have.
    pub fn dpop(&self) -> &Dpop {
        &self.dpop
    }

    /// The audience of this name in `tokens.audiences`, or that of our own API; none = the
    /// default one.
    pub fn audience(&self, name: Option<&str>) -> Option<&Audience> {
        match name {
            Some(OURS) => Some(&self.ours),
            None => Some(&self.default),
            Some(name) => self.named.get(name),
        }
    }

    /// The audience that a client means: by its name in `tokens.audiences`, else by its `aud`.
    pub fn find(&self, said: &str) -> Option<&Audience> {
        let named = self.audience(Some(said));
        named.or_else(|| self.find_aud(said))
    }

    /// The audience with this `aud`.
    pub fn find_aud(&self, aud: &str) -> Option<&Audience> {
        let all = std::iter::once(&self.default).chain(self.named.values());
        let mut all = all.chain([&self.ours]);
        all.find(|audience| audience.aud == aud)
    }

    /// The claims of a token for one user, issued at `now`.
    pub fn claims(
        &self,
        audience: &Audience,
        principal: &Principal,
        lifetime: Lifetime,
        now: u64,
        holder: Holder<'_>,
    ) -> Result<Claims, ClaimsError> {
        let attributes = attributes(&principal.user).ok_or(ClaimsError::Attributes)?;
        let values = Values {
            backend: &principal.backend,
            user: &principal.user,
            attributes: &attributes,
        };
        let sub = match audience.subject(values) {
            Some(sub) => sub,
            None => self.subject(principal)?,
        };
        let jti = token_id()?;
        let seconds = audience.seconds(lifetime);
        let expires = seconds.map(|seconds| now.saturating_add(seconds));
        let payload = Payload {
            sub: &sub,
            jti: &jti,
            iss: &self.iss,
            aud: &audience.aud,
            nbf: now,
            exp: expires,
            iat: now,
            client_id: audience.client(holder.client),
            cnf: holder.key.map(|jkt| Confirmation { jkt }),
            further: &audience.further(values),
        };
        let json = serde_json::to_vec(&payload).map_err(|_| ClaimsError::Json)?;
        Ok(Claims {
            json,
            sub,
            aud: audience.aud.clone(),
            reserved: reserved(&attributes),
            jti,
            seconds,
            expires,
            bound: holder.key.is_some(),
        })
    }

    /// The bare id of the subject backend's users; everyone else's carries the
    /// backend's name, so that "1" of one backend is never user 1 of another.
    fn subject(&self, principal: &Principal) -> Result<String, ClaimsError> {
        let (home, id) = (&principal.home, &principal.user.id);
        if self.subject_backend.as_ref() != Some(home) {
            return Ok(format!("{home}:{id}"));
        }
        let prefix = id.split_once(':').map(|(prefix, _)| prefix);
        match prefix.filter(|prefix| self.prefixes.iter().any(|known| known == prefix)) {
            Some(prefix) => Err(ClaimsError::Borrowed(prefix.to_owned())),
            None => Ok(id.clone()),
        }
    }
}

/// Names among the attributes that look like an attempt to set the host's claims.
fn reserved(attributes: &Map<String, Value>) -> String {
    let named = RESERVED
        .iter()
        .filter(|name| attributes.contains_key(**name));
    named.copied().collect::<Vec<_>>().join(",")
}

fn token_id() -> Result<String, ClaimsError> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| ClaimsError::Random)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn m03_token_ids_are_128_bits_and_never_the_same() {
        let ids: HashSet<String> = (0..100_000).map(|_| token_id().unwrap()).collect();
        assert_eq!(ids.len(), 100_000);
        let is_hex = |id: &String| id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit());
        assert!(ids.iter().all(is_hex));
    }

    #[test]
    fn m01_reserved_names_among_attributes_are_found() {
        let attributes = serde_json::json!({ "team": 1, "exp": 1, "kid": "x", "iss": "evil" });
        assert_eq!(reserved(attributes.as_object().unwrap()), "iss,exp,kid");
        assert_eq!(reserved(&Map::new()), "");
    }
}
