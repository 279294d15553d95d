//! The answer of an introspection (RFC 7662 section 2.2), judged: a pure function of it.

use serde_json::{Map, Value};

use super::Verdict;
use crate::bearer::cnf;
use crate::people::Identity;
use crate::settings::Settings;

/// Whole seconds beyond this are no time: a float cannot count them.
const LATEST: f64 = 9_007_199_254_740_992.0; // 2^53

/// The verdict on an answer.
pub(super) fn read(answer: Map<String, Value>, settings: &Settings, now: u64) -> Verdict {
    match judge(&answer, settings, now) {
        Ok((issuer, subject, until)) => {
            let identity = Identity {
                issuer,
                subject,
                claims: answer,
            };
            Verdict::Good(identity, until)
        }
        Err(why) => Verdict::Bad(why),
    }
}

type Good = (String, String, Option<u64>);

fn judge(answer: &Map<String, Value>, settings: &Settings, now: u64) -> Result<Good, String> {
    match answer.get("active") {
        Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => return Err("the provider says that it is not active".into()),
        _ => return Err("the provider's answer does not say whether it is active".into()),
    }
    let issuer = issuer(answer, settings)?;
    audience(answer, settings)?;
    let until = times(answer, settings.leeway.as_secs(), now)?;
    let bearer = |typ: &Value| {
        typ.as_str()
            .is_some_and(|typ| typ.eq_ignore_ascii_case("bearer"))
    };
    let typ = answer.get("token_type").filter(|typ| !typ.is_null());
    // Some providers say there what kind of token it is.
    let access = |typ: &Value| typ == "access_token" || typ == "at+jwt";
    if typ.is_some_and(|typ| !bearer(typ) && !access(typ)) {
        return Err("its token_type is not Bearer".into());
    }
    // Keycloak's, for which a refresh token is active, too.
    if let Some(Value::String(typ)) = answer.get("typ")
        && !matches!(typ.as_str(), "Bearer" | "JWT" | "at+jwt")
    {
        return Err("its typ is not that of an access token".into());
    }
    if let Some(why) = cnf::bound(answer) {
        return Err(why.into());
    }
    match answer.get("sub").and_then(Value::as_str) {
        Some(subject) if !subject.is_empty() => Ok((issuer, subject.to_owned(), until)),
        _ => Err("the provider's answer names no user (sub)".into()),
    }
}

fn issuer(answer: &Map<String, Value>, settings: &Settings) -> Result<String, String> {
    let ours = std::iter::once(&settings.issuer).chain(&settings.more_issuers);
    match answer.get("iss") {
        None | Some(Value::Null) => Ok(settings.issuer.clone()),
        Some(Value::String(said)) if ours.into_iter().any(|known| known == said) => {
            Ok(said.clone())
        }
        Some(_) => Err("the provider's answer is of another issuer (iss)".into()),
    }
}

/// `aud` has to name this server. A provider that never says it may name the client instead:
/// then the token must have been issued to this server itself, or to one of `audiences`.
fn audience(answer: &Map<String, Value>, settings: &Settings) -> Result<(), String> {
    let ours = |name: &str| settings.audiences.iter().any(|known| known == name);
    let own = |name: &str| {
        settings
            .client
            .as_ref()
            .is_some_and(|client| client.id == name)
    };
    let named: Option<Vec<&str>> = match answer.get("aud") {
        None | Some(Value::Null) => None,
        Some(Value::String(one)) => Some(vec![one]),
        Some(Value::Array(all)) => {
            let all: Option<_> = all.iter().map(Value::as_str).collect();
            Some(all.ok_or("its aud is no text and no list of texts")?)
        }
        Some(_) => return Err("its aud is no text and no list of texts".into()),
    };
    match (named, answer.get("client_id").and_then(Value::as_str)) {
        (Some(named), _) if named.iter().any(|name| ours(name)) => Ok(()),
        (Some(_), _) => Err("it is meant for others (aud)".into()),
        (None, Some(client)) if ours(client) || own(client) => Ok(()),
        (None, Some(_)) => Err("it names no aud, and was issued to another client".into()),
        (None, None) => Err("the provider does not say for whom it is (aud, client_id)".into()),
    }
}

/// Until when it is good. Fractions are taken against the token.
fn times(answer: &Map<String, Value>, leeway: u64, now: u64) -> Result<Option<u64>, String> {
    let time = |name, whole: fn(f64) -> f64| match answer.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let seconds = value.as_f64().map(whole);
            let seconds = seconds.filter(|seconds| (0.0..=LATEST).contains(seconds));
            // In the range of whole numbers that a float holds exactly.
            let seconds = seconds.map(|seconds| seconds as u64);
            let wrong = || format!("its {name} is no number of seconds since 1970");
            seconds.map(Some).ok_or_else(wrong)
        }
    };
    let until = time("exp", f64::floor)?;
    if until.is_some_and(|until| until.saturating_add(leeway) <= now) {
        return Err("it has expired (exp)".into());
    }
    for name in ["nbf", "iat"] {
        if time(name, f64::ceil)?.is_some_and(|from| from > now.saturating_add(leeway)) {
            return Err(format!("it is not valid yet ({name})"));
        }
    }
    Ok(until)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::check;

    const NOW: u64 = 1_800_000_000;

    /// Answers of every shape: who is let in is active, his name is a text, and the token is for us.
    #[test]
    fn o16_any_answer_is_judged_without_a_panic_and_only_a_plain_yes_lets_in() {
        let config = json!({
            "issuer": "https://sso.example", "audiences": ["us"], "algorithms": ["RS256"],
            "client_id": "me", "client_secret": "pw",
        });
        let settings = check::settings(serde_json::from_value(config).unwrap()).unwrap();
        let names = [
            "active",
            "sub",
            "aud",
            "iss",
            "exp",
            "nbf",
            "iat",
            "client_id",
            "token_type",
            "typ",
            "cnf",
        ];
        let values = [
            json!(true),
            json!(false),
            json!("true"),
            json!(null),
            json!("us"),
            json!("them"),
            json!(["us"]),
            json!([1]),
            json!({}),
            json!(0),
            json!(-1),
            json!(1e308),
            json!(NOW + 60),
            json!("me"),
            json!(""),
            json!("Bearer"),
            json!("https://sso.example"),
        ];
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % below as u64).unwrap()
        };
        let mut accepted = 0;
        for _ in 0..20_000 {
            let mut answer = json!({ "active": true, "sub": "ada", "aud": "us" });
            for _ in 0..random(4) {
                answer[names[random(names.len())]] = values[random(values.len())].clone();
            }
            let answer = answer.as_object().unwrap();
            if let Verdict::Good(identity, until) = read(answer.clone(), &settings, NOW) {
                accepted += 1;
                assert_eq!(answer["active"], json!(true));
                assert_eq!(answer["sub"], json!(identity.subject));
                assert!(!identity.subject.is_empty());
                assert_eq!(identity.issuer, "https://sso.example");
                let aud = &answer["aud"];
                let to_us = answer
                    .get("client_id")
                    .is_some_and(|id| id == "me" || id == "us");
                assert!(
                    aud == "us" || aud == &json!(["us"]) || aud.is_null() && to_us,
                    "{answer:?}"
                );
                assert!(until.is_none_or(|until| until > NOW - 300));
            }
        }
        assert!(accepted > 1_000, "{accepted} are no test");
    }
}
