//! OpenMetadata's own rules for a token (its `JwtFilter`), one by one, in its order and with its
//! words. Written from what it does, not from what we make: it verifies neither `iss` nor `aud`
//! nor `nbf`, knows no leeway, compares names of claims without regard to case, and holds the
//! tokens of bots against those that it has stored.

use std::collections::HashMap;

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Its configuration (`authenticationConfiguration`, `authorizerConfiguration`), and what it stores.
#[derive(Debug, Clone)]
pub struct OpenMetadata {
    /// The documents behind `publicKeyUrls`, in their order.
    pub key_sets: Vec<Value>,
    /// `tokenValidationAlgorithm`: one for all.
    pub algorithm: &'static str,
    /// `jwtPrincipalClaims`.
    pub principal_claims: Vec<String>,
    /// `jwtPrincipalClaimsMapping`, as `username:CLAIM` and `email:CLAIM`.
    pub mapping: Vec<String>,
    /// `principalDomain`.
    pub principal_domain: String,
    /// `allowedDomains`.
    pub allowed_domains: Vec<String>,
    /// `enforcePrincipalDomain`.
    pub enforce_domain: bool,
    /// Bot user → the one token that it has stored for it.
    pub bot_tokens: HashMap<String, String>,
    /// User → personal access tokens that it has stored.
    pub personal_tokens: HashMap<String, Vec<String>>,
}

/// Who it takes the bearer for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub email: String,
    pub is_bot: bool,
    /// The claim `roles`, which `useRolesFromProvider` reads of people.
    pub roles: Vec<String>,
}

/// Its error answer: `{"code", "message"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub code: u16,
    pub message: String,
}

impl OpenMetadata {
    /// With the defaults of its shipped file, and the keys of one URL.
    pub fn trusting(key_set: Value) -> Self {
        OpenMetadata {
            key_sets: vec![key_set],
            algorithm: "RS256",
            principal_claims: ["email", "preferred_username", "sub"]
                .map(str::to_owned)
                .into(),
            mapping: Vec::new(),
            principal_domain: "open-metadata.org".into(),
            allowed_domains: Vec::new(),
            enforce_domain: false,
            bot_tokens: HashMap::new(),
            personal_tokens: HashMap::new(),
        }
    }

    /// What it makes of a request with this `Authorization`, at a time in seconds since 1970.
    pub fn authenticate(&self, authorization: &str, now: u64) -> Result<Person, Refused> {
        let token = authorization.get(7..).unwrap_or_default();
        if !authorization.starts_with("Bearer") || token.is_empty() {
            return Err(refused("Not Authorized! Token not present"));
        }
        let parts =
            Parts::decode(token).ok_or_else(|| refused("Not Authorized! Invalid token."))?;
        let expires = parts.claims.get("exp").and_then(Value::as_u64);
        if expires.is_some_and(|expires| expires < now) {
            return Err(refused("Expired token!"));
        }
        self.verify(&parts)?;
        // From here on names are compared without regard to case.
        let claims: Map<String, Value> = parts
            .claims
            .into_iter()
            .map(|(name, value)| (name.to_lowercase(), value))
            .collect();
        let is_bot = claims.get("isbot") == Some(&Value::Bool(true));
        let person = self.person(&claims, is_bot)?;
        self.check_domain(&claims, is_bot)?;
        if is_bot && self.bot_tokens.get(&person.name).map(String::as_str) != Some(token) {
            return Err(refused(
                "Not Authorized! The given token does not match the current bot's token!",
            ));
        }
        if text(&claims, "tokentype") == Some("PERSONAL_ACCESS") {
            let stored = self.personal_tokens.get(&person.name);
            if !stored.is_some_and(|tokens| tokens.iter().any(|known| known == token)) {
                return Err(refused("Not Authorized! Invalid personal access token!"));
            }
        }
        // It stores no session for a token that it has not issued.
        match claims.contains_key("sessionid") {
            true => Err(refused("Not Authorized! Invalid session.")),
            false => Ok(person),
        }
    }

    fn verify(&self, parts: &Parts<'_>) -> Result<(), Refused> {
        let Some(kid) = parts.header.get("kid").and_then(Value::as_str) else {
            return Err(Refused {
                code: 500,
                message: "a token without kid is not handled".into(),
            });
        };
        let sets = self.key_sets.iter();
        let mut keys = sets.flat_map(|set| set["keys"].as_array().into_iter().flatten());
        let key = keys.find(|key| key["kid"] == kid).ok_or_else(|| {
            refused("Not Authorized! Token signing key not found in configured public keys")
        })?;
        let mismatch =
            "Not Authorized! Invalid token. Token verification failed. Public key mismatch.";
        let parameters: &RsaParameters = match self.algorithm {
            "RS256" => &RSA_PKCS1_2048_8192_SHA256,
            "RS384" => &RSA_PKCS1_2048_8192_SHA384,
            "RS512" => &RSA_PKCS1_2048_8192_SHA512,
            other => panic!("{other} is none that these tests need"),
        };
        let number = |name: &str| unsigned(key[name].as_str()?);
        let (Some("RSA"), Some(n), Some(e)) = (key["kty"].as_str(), number("n"), number("e"))
        else {
            return Err(refused(mismatch));
        };
        if parts.header.get("alg").and_then(Value::as_str) != Some(self.algorithm) {
            return Err(refused(mismatch));
        }
        let key = RsaPublicKeyComponents { n, e };
        let verified = key.verify(parameters, parts.signed.as_bytes(), &parts.signature);
        verified.map_err(|_| refused(mismatch))
    }

    /// The first claim that is there: its part before `@` is the name, in small letters.
    fn person(&self, claims: &Map<String, Value>, is_bot: bool) -> Result<Person, Refused> {
        let (name, email) = if self.mapping.is_empty() || is_bot {
            let claim = self.principal(claims)?;
            let name = claim.split('@').next().unwrap_or_default();
            let email = match claim.contains('@') {
                true => claim.to_owned(),
                false => format!("{claim}@{}", self.principal_domain),
            };
            (name.to_owned(), email)
        } else {
            let mapped = |role: &str| {
                let mut pairs = self.mapping.iter().filter_map(|pair| pair.split_once(':'));
                let (_, claim) = pairs.find(|(known, _)| *known == role)?;
                text(claims, claim)
            };
            let name = mapped("username")
                .ok_or_else(|| refused("Invalid JWT token, 'username' claim is not present"))?;
            let email = mapped("email").filter(|email| email.contains('@'));
            let email = email.ok_or_else(|| {
                refused("Invalid JWT token, 'email' claim is not present or invalid")
            })?;
            (name.to_owned(), email.to_owned())
        };
        let roles = claims.get("roles").and_then(Value::as_array);
        let roles = roles.into_iter().flatten().filter_map(Value::as_str);
        Ok(Person {
            name: name.to_lowercase(),
            email: email.to_lowercase(),
            is_bot,
            roles: roles.map(str::to_owned).collect(),
        })
    }

    fn principal<'a>(&self, claims: &'a Map<String, Value>) -> Result<&'a str, Refused> {
        let mut names = self.principal_claims.iter();
        let found = names.find_map(|name| text(claims, name));
        found.ok_or_else(|| {
            let names = self.principal_claims.join(", ");
            refused(&format!(
                "Invalid JWT token, none of the following claims are present [{names}]"
            ))
        })
    }

    fn check_domain(&self, claims: &Map<String, Value>, is_bot: bool) -> Result<(), Refused> {
        if !self.enforce_domain || is_bot {
            return Ok(());
        }
        let claim = self.principal(claims)?;
        let domain = claim.split_once('@').map_or("", |(_, domain)| domain);
        let is = |known: &String| known.eq_ignore_ascii_case(domain);
        let allowed = match self.allowed_domains.is_empty() {
            true => is(&self.principal_domain),
            false => self.allowed_domains.iter().any(is),
        };
        match allowed {
            true => Ok(()),
            false => Err(refused(&format!(
                "Not Authorized! Email does not match the principal domain {}",
                self.principal_domain
            ))),
        }
    }
}

struct Parts<'a> {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Parts<'a> {
    fn decode(token: &'a str) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let object = |part: &str| serde_json::from_slice(&bytes(part)?).ok();
        Some(Parts {
            header: object(header)?,
            claims: object(claims)?,
            signed,
            signature: bytes(signature)?,
        })
    }
}

/// A number of a JWK, as `new BigInteger(1, …)` reads it: padded or not, with leading zeros or not.
fn unsigned(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()?;
    let leading = bytes.iter().take_while(|byte| **byte == 0).count();
    Some(bytes[leading..].to_vec())
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let value = claims.get(&name.to_lowercase())?.as_str()?;
    (!value.is_empty()).then_some(value)
}

fn refused(message: &str) -> Refused {
    Refused {
        code: 401,
        message: message.to_owned(),
    }
}
