//! What to do about a token that is refused.

use countersign_verify::{Key, KeySet, Refusal, Rules};

use crate::config::Config;

/// What was expected, and what may have gone wrong.
pub(super) fn help(
    refusal: &Refusal,
    rules: &Rules,
    keys: &KeySet,
    config: Option<&Config>,
) -> String {
    match refusal {
        Refusal::Issuer => {
            let mut help = format!("--issuer or tokens.issuer: here it is {:?}", rules.issuer());
            let trusted = config.into_iter().flat_map(|config| &config.trust);
            let trusted: Vec<&str> = trusted.map(|entry| entry.issuer.as_str()).collect();
            if !trusted.is_empty() {
                help += &format!("; trusted are {trusted:?}");
            }
            help
        }
        Refusal::Audience => {
            let tokens = config.map(|config| &config.tokens);
            let named = tokens.into_iter().flat_map(|tokens| &tokens.audiences);
            let others: Vec<&str> = named.map(|(name, _)| name.as_str()).collect();
            let mut help =
                "--audience or tokens.audience names whom it must be meant for".to_owned();
            if !others.is_empty() {
                help += &format!("; those of tokens.audiences are meant only if named: {others:?}");
            }
            help
        }
        Refusal::AlgorithmNotAllowed(_) => "--algorithms names those that are allowed".into(),
        Refusal::KidUnknown => {
            let names: Vec<_> = keys.keys().iter().filter_map(Key::kid).collect();
            let refused: Vec<_> = keys.refused().iter().map(ToString::to_string).collect();
            format!("usable are the keys {names:?}; not used: {refused:?}")
        }
        Refusal::Expired(_) | Refusal::NotYet(_) | Refusal::IssuedInFuture(_) => {
            "compare the clocks, or allow more with --leeway".into()
        }
        _ => "`countersign token decode` shows what the token says, unverified".into(),
    }
}
