//! Each rule and its verdict, for people who want to know why a token is refused, or that it
//! would be refused for a second reason, too.

use crate::claims::issuer;
use crate::{Jws, KeySet, Refusal, Rules, Verified};

/// One rule, held against one token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// What was looked at.
    pub rule: &'static str,
    /// How it is; `None` = it could not be looked at, because of a rule before it.
    pub verdict: Option<Result<(), Refusal>>,
}

const RULES: [&str; 12] = [
    "form",
    "header",
    "key",
    "signature",
    "claims",
    "iss",
    "aud",
    "exp",
    "nbf",
    "iat",
    "sub",
    "cnf",
];

impl Rules {
    /// Every rule in the order of [`verify`](Rules::verify), with its verdict: all are held
    /// against the token, as far as those before let it be read. The first one that is broken is
    /// what [`verify`](Rules::verify) says; a token is good if, and only if, all hold.
    ///
    /// Of a token without a good signature the claims are anybody's words.
    pub fn explain(&self, token: &str, keys: &KeySet, now: u64) -> Vec<Checked> {
        let mut checked: Vec<Checked> = RULES
            .map(|rule| Checked {
                rule,
                verdict: None,
            })
            .into();
        let mut tell = |rule: &str, verdict: Result<(), Refusal>| {
            if let Some(known) = checked.iter_mut().find(|known| known.rule == rule) {
                known.verdict = Some(verdict);
            }
        };
        let jws = match Jws::parse(token) {
            Ok(jws) => jws,
            Err(refusal) => {
                tell("form", Err(refusal));
                return checked;
            }
        };
        tell("form", Ok(()));
        let header = self.check_header(&jws);
        if header.is_ok() {
            match self.check_signature(&jws, keys) {
                Err(Refusal::Signature) => {
                    tell("key", Ok(()));
                    tell("signature", Err(Refusal::Signature));
                }
                Err(refusal) => tell("key", Err(refusal)),
                Ok(()) => {
                    tell("key", Ok(()));
                    tell("signature", Ok(()));
                }
            }
        }
        tell("header", header);
        let claims = match jws.claims() {
            Ok(claims) => claims,
            Err(refusal) => {
                tell("claims", Err(refusal));
                return checked;
            }
        };
        tell("claims", Ok(()));
        let from = issuer(&claims).and_then(|name| match name == self.issuer() {
            true => Ok(()),
            false => Err(Refusal::Issuer),
        });
        tell("iss", from);
        tell("aud", self.check_audience(&claims));
        tell("exp", self.check_expiry(&claims, now).map(drop));
        tell("nbf", self.check_begun(&claims, "nbf", now));
        tell("iat", self.check_begun(&claims, "iat", now));
        tell("sub", Verified::subject_of(&claims).map(drop));
        tell("cnf", self.check_bound(&claims));
        checked
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Algorithm;

    const NOW: u64 = 1_767_225_600;
    /// RFC 8037 A.1's public key, and A.4's token, whose payload is no JSON.
    const KEYS: &[u8] =
        br#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    const SIGNED: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    #[test]
    fn first_broken_rule_is_what_verify_says_and_the_rest_is_held_all_the_same() {
        let keys = KeySet::parse(KEYS).unwrap();
        let rules = Rules::new("https://me", ["shop"], [Algorithm::EdDSA]).unwrap();
        // {"iss":"https://evil","aud":"other","exp":1,"iat":9999999999}, unsigned
        let claims =
            "eyJpc3MiOiJodHRwczovL2V2aWwiLCJhdWQiOiJvdGhlciIsImV4cCI6MSwiaWF0Ijo5OTk5OTk5OTk5fQ";
        let forged = format!("eyJhbGciOiJFZERTQSJ9.{claims}.AAAA");
        let none = format!("eyJhbGciOiJub25lIn0.{claims}.");
        for (token, broken) in [
            ("nonsense", vec!["form"]),
            (SIGNED, vec!["claims"]),
            (
                &forged,
                vec!["signature", "iss", "aud", "exp", "iat", "sub"],
            ),
            (&none, vec!["header", "iss", "aud", "exp", "iat", "sub"]),
        ] {
            let checked = rules.explain(token, &keys, NOW);
            let refused: Vec<_> = checked
                .iter()
                .filter_map(|each| Some((each.rule, each.verdict.clone()?.err()?)))
                .collect();
            let names: Vec<_> = refused.iter().map(|(rule, _)| *rule).collect();
            assert_eq!(names, broken, "{token}");
            let said = rules.verify(token, &keys, NOW).unwrap_err();
            assert_eq!(refused[0].1, said, "{token}");
        }
    }
}
