//! Why a proof is none. The texts hold nothing of it: they go into answers and the audit log.

use countersign_verify::{KeyRefusal, Refusal};

use super::{AHEAD, LIFE};

/// The rule of RFC 9449 section 4.3 that a proof breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)] // the texts say it
pub enum NotProved {
    #[error("there is more than one DPoP header")]
    Several,
    #[error("there is no DPoP header beside the token")]
    Missing,
    #[error("the proof is longer than 8192 bytes")]
    Size,
    #[error("the proof as a JWT: {0}")]
    Jws(Refusal),
    #[error("the proof's typ is not dpop+jwt")]
    Type,
    #[error("the proof's header has no jwk")]
    NoKey,
    #[error("the proof's jwk is not taken: {0}")]
    Key(KeyRefusal),
    #[error("the proof's jwk writes its numbers with padding or leading zeros")]
    Spelling,
    #[error("the proof's {0} is missing, empty, too long, or of another type")]
    Claim(&'static str),
    #[error("the proof's htm is another method than the request's")]
    Method,
    #[error("the proof's htu is another address than this one by server.public_url")]
    Target,
    #[error("the proof was made {0} s ago (iat), more than {LIFE}")]
    Old(u64),
    #[error("the proof was made in the future (iat is in {0} s, more than {AHEAD})")]
    Future(u64),
    #[error("the proof's ath is not of the token that is shown")]
    Token,
    #[error("the proof needs a nonce: that in DPoP-Nonce")]
    NoNonce,
    #[error("the proof's nonce is unknown or too old: the one in DPoP-Nonce is good")]
    Nonce,
    #[error("the proof was used before")]
    Again,
}

impl NotProved {
    /// As answers name it (RFC 9449 sections 5 and 8).
    pub fn error(&self) -> &'static str {
        match self {
            NotProved::NoNonce | NotProved::Nonce => "use_dpop_nonce",
            _ => "invalid_dpop_proof",
        }
    }
}
