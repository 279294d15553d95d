//! `token verify` for people: each rule with its verdict, on standard error.

use std::io::{Write, stderr};
use std::path::Path;

use countersign_verify::{Checked, Verified};
use serde_json::json;

use super::control;
use super::failure::Failure;
use super::setup::Setup;

/// What is known of a revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Revocation {
    /// The token is good no more, or its key is.
    Token,
    /// See [`Token`](Self::Token).
    Key,
    /// Neither was revoked.
    Neither,
    /// Only a running server knows, and none runs here.
    NoServer,
    /// It is nobody's to know: the token is refused anyway, or another issuer's.
    NotAsked,
}

impl Revocation {
    /// Asks the running server about a token of our own.
    pub(super) fn of(state: &Path, verified: &Verified) -> Result<Self, Failure> {
        let kid = verified.header.kid.as_deref();
        let asked = json!({ "token": verified.id, "key": kid });
        let runtime = Setup::runtime()?;
        let told = runtime.block_on(control::ask(state, "/revoked", &asked))?;
        Ok(match told {
            None => Revocation::NoServer,
            Some(told) if told["token"] == true => Revocation::Token,
            Some(told) if told["key"] == true => Revocation::Key,
            Some(_) => Revocation::Neither,
        })
    }

    /// Why the token is refused, if it is.
    pub(super) fn refusal(self) -> Option<&'static str> {
        match self {
            Revocation::Token => Some("the token was revoked"),
            Revocation::Key => Some("the key that signed the token was revoked"),
            Revocation::Neither | Revocation::NoServer | Revocation::NotAsked => None,
        }
    }
}

/// Writes one line for each rule.
pub(super) fn tell(checked: &[Checked], revocation: Revocation) {
    let mut text = String::new();
    for each in checked {
        let verdict = match &each.verdict {
            Some(Ok(())) => "holds".to_owned(),
            Some(Err(refusal)) => format!("BROKEN: {refusal}"),
            None => "not looked at".to_owned(),
        };
        line(&mut text, each.rule, &verdict);
    }
    let revoked = match revocation {
        Revocation::Neither => "holds".to_owned(),
        Revocation::NoServer => "not looked at: no server runs on this state folder".to_owned(),
        Revocation::NotAsked => "not looked at".to_owned(),
        Revocation::Token | Revocation::Key => {
            format!("BROKEN: {}", revocation.refusal().unwrap_or_default())
        }
    };
    line(&mut text, "revoked", &revoked);
    // Where this cannot be written, the exit code and the claims still say it.
    let _ = stderr().write_all(text.as_bytes());
}

fn line(text: &mut String, rule: &str, verdict: &str) {
    *text += &format!("{rule:<10} {verdict}\n");
}
