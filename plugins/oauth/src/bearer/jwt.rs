//! JWTs: verified, then what they are.

use countersign_sdk::Secret;
use countersign_sdk::prelude::*;
use countersign_verify::{Refusal, Verified};

use super::cnf;
use super::presented::Presented;
use crate::people::Identity;
use crate::provider::{Kind, Provider};
use crate::settings::Settings;

/// Why a JWT does not tell who its bearer is.
pub(super) enum Refused {
    /// It breaks a rule, or the keys cannot be had.
    Rule(Refusal),
    /// It is a good token, of the wrong kind: the reason.
    Kind(&'static str),
}

/// Whose token it is.
pub(super) async fn verify(
    provider: &Provider,
    settings: &Settings,
    token: &Secret,
    presented: Presented,
) -> Result<Identity, Refused> {
    // ID tokens are for the client; without one, for the audiences.
    let kind = match presented {
        Presented::IdToken if settings.client.is_some() => Kind::IdToken,
        _ => Kind::Bearer,
    };
    let verified = provider.verify(token.expose(), kind).await;
    let verified = verified.map_err(Refused::Rule)?;
    let typ = verified.header.typ.as_deref();
    let wrong = presented.mismatch(typ, &verified.claims);
    if let Some(why) = wrong.or_else(|| cnf::bound(&verified.claims)) {
        return Err(Refused::Kind(why));
    }
    let Verified {
        issuer,
        subject,
        claims,
        ..
    } = verified;
    Ok(Identity {
        issuer,
        subject,
        claims,
    })
}

/// The outcome's name, from a fixed list.
pub(super) fn outcome(verdict: &Result<Identity, Refused>) -> &'static str {
    match verdict {
        Ok(_) => "accepted",
        Err(Refused::Rule(refusal)) if is_foreign(refusal) => "other-issuer",
        Err(Refused::Rule(refusal)) => refusal.rule(),
        Err(Refused::Kind(_)) => "kind",
    }
}

impl Refused {
    /// What the host hears: nothing of a token that is another issuer's or names none, which may be
    /// good elsewhere.
    pub(super) fn answer<T>(self) -> Result<Option<T>> {
        match self {
            Refused::Rule(refusal) if is_foreign(&refusal) => Ok(None),
            Refused::Rule(refusal) if refusal.is_outage() => {
                let error = AuthError::unavailable(refusal.to_string());
                Err(match refusal.retry_after() {
                    Some(pause) => error.retry_after(pause),
                    None => error,
                })
            }
            Refused::Rule(refusal) => {
                let rule = refusal.rule();
                Err(AuthError::denied(format!(
                    "bearer token refused, rule {rule}: {refusal}"
                )))
            }
            Refused::Kind(why) => Err(AuthError::denied(format!(
                "bearer token refused, rule kind: {why}"
            ))),
        }
    }
}

/// It does not say that it is this provider's.
fn is_foreign(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::Issuer | Refusal::ClaimMissing("iss"))
}
