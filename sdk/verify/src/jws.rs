//! Strict parsing of the compact serialisation (RFC 7515 section 7.1), and the
//! check of its signature. Nothing here knows claims: a payload is bytes.

use serde_json::{Map, Value};

use crate::json::{self, Fault, Limits};
use crate::refusal::{Part, Refusal};
use crate::{Algorithm, Key, KeySet, base64url};

/// A token may be this long: more than any server's header limit lets through.
pub const TOKEN_LIMIT: usize = 64 * 1024;
/// A decoded header may be this long.
pub const HEADER_LIMIT: usize = 8 * 1024;
/// A `kid`, `typ`, `cty` or `alg` may be this long.
const TEXT_LIMIT: usize = 1024;

const HEADER: Limits = Limits {
    depth: 8,
    values: 256,
};
const PAYLOAD: Limits = Limits {
    depth: 32,
    values: 8192,
};

/// A token's parts, parsed and **not verified**.
#[derive(Clone, PartialEq, Eq)]
pub struct Jws<'a> {
    header: Header,
    payload: Vec<u8>,
    signed: &'a str,
    signature: Vec<u8>,
}

/// The header, of whose members those that matter here have been checked for type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// `alg`, as the token spells it.
    pub alg: String,
    /// `kid`.
    pub kid: Option<String>,
    /// `typ`.
    pub typ: Option<String>,
    /// `cty`.
    pub cty: Option<String>,
    /// Every member, those above too.
    pub members: Map<String, Value>,
}

impl<'a> Jws<'a> {
    /// Parses a token. This is the whole of the parser: a pure function of the text.
    ///
    /// # Errors
    /// Longer than [`TOKEN_LIMIT`]; not three segments; not strict base64url; a header that is
    /// no JSON object, or has a name twice, or an `alg` that is missing or no text.
    pub fn parse(token: &'a str) -> Result<Jws<'a>, Refusal> {
        if token.len() > TOKEN_LIMIT {
            return Err(Refusal::TokenSize { limit: TOKEN_LIMIT });
        }
        let mut segments = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) = (
            segments.next(),
            segments.next(),
            segments.next(),
            segments.next(),
        ) else {
            return Err(Refusal::Segments);
        };
        let signed = &token[..header.len() + 1 + payload.len()];
        let decoded = |text, part| base64url::strict(text).ok_or(Refusal::Base64url(part));
        Ok(Jws {
            header: Header::parse(&decoded(header, Part::Header)?)?,
            payload: decoded(payload, Part::Payload)?,
            signed,
            signature: decoded(signature, Part::Signature)?,
        })
    }

    /// The header, unverified.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The payload, unverified.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload as a JSON object, unverified.
    ///
    /// # Errors
    /// It is none; a name occurs twice; too deep, too many values.
    pub fn claims(&self) -> Result<Map<String, Value>, Refusal> {
        parse(&self.payload, Part::Payload, PAYLOAD)
    }

    /// Checks the header's rules and the signature: nothing about claims. Most callers want
    /// [`Rules::verify`](crate::Rules::verify).
    ///
    /// # Errors
    /// `crit` or `b64` is there; `alg` is unknown or not in `allowed`; the set has no key of this
    /// `kid`, or only one of another kind; the signature does not match.
    pub fn verify(&self, keys: &KeySet, allowed: &[Algorithm]) -> Result<(), Refusal> {
        let algorithm = self.algorithm(allowed)?;
        let key = keys.find(self.header.kid.as_deref(), algorithm)?;
        self.verify_by(key, algorithm)
    }

    /// The same with one key, whatever it is called: for a proof that its signer has the key that
    /// it shows (RFC 9449). Such a key says nothing of who signed.
    ///
    /// # Errors
    /// Likewise; the key is not for the header's `alg`.
    pub fn verify_with(&self, key: &Key, allowed: &[Algorithm]) -> Result<(), Refusal> {
        let algorithm = self.algorithm(allowed)?;
        if !key.algorithms().any(|known| known == algorithm) {
            return Err(Refusal::KeyMismatch);
        }
        self.verify_by(key, algorithm)
    }

    fn verify_by(&self, key: &Key, algorithm: Algorithm) -> Result<(), Refusal> {
        if key.verifies(algorithm, self.signed.as_bytes(), &self.signature) {
            Ok(())
        } else {
            Err(Refusal::Signature)
        }
    }

    pub(crate) fn into_header(self) -> Header {
        self.header
    }

    /// The header's algorithm, if nothing in the header forbids to go on.
    pub(crate) fn algorithm(&self, allowed: &[Algorithm]) -> Result<Algorithm, Refusal> {
        if self.header.members.contains_key("crit") {
            return Err(Refusal::Critical);
        }
        if self.header.members.contains_key("b64") {
            return Err(Refusal::Unencoded);
        }
        let algorithm = self.header.alg.parse();
        let algorithm: Algorithm = algorithm.map_err(|_| Refusal::AlgorithmUnknown)?;
        if allowed.contains(&algorithm) {
            Ok(algorithm)
        } else {
            Err(Refusal::AlgorithmNotAllowed(algorithm))
        }
    }
}

/// A token is a credential: `Debug` shows its algorithm alone.
impl std::fmt::Debug for Jws<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let algorithm = self.header.alg.parse::<Algorithm>();
        f.debug_struct("Jws")
            .field("alg", &algorithm.ok())
            .finish_non_exhaustive()
    }
}

impl Header {
    fn parse(bytes: &[u8]) -> Result<Header, Refusal> {
        if bytes.len() > HEADER_LIMIT {
            return Err(Refusal::PartSize(Part::Header, HEADER_LIMIT));
        }
        let members = parse(bytes, Part::Header, HEADER)?;
        let text = |name| text(&members, name);
        Ok(Header {
            alg: text("alg")?.ok_or(Refusal::HeaderMissing("alg"))?,
            kid: text("kid")?,
            typ: text("typ")?,
            cty: text("cty")?,
            members,
        })
    }
}

fn text(members: &Map<String, Value>, name: &'static str) -> Result<Option<String>, Refusal> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.len() <= TEXT_LIMIT => {
            Ok(Some(text.clone()))
        }
        Some(_) => Err(Refusal::HeaderType(name)),
    }
}

fn parse(bytes: &[u8], part: Part, limits: Limits) -> Result<Map<String, Value>, Refusal> {
    json::object(bytes, limits).map_err(|fault| match fault {
        Fault::Syntax => Refusal::Json(part),
        Fault::NotObject => Refusal::NotObject(part),
        Fault::Duplicate => Refusal::Duplicate(part),
        Fault::Depth | Fault::Values => Refusal::JsonLimits(part),
    })
}
