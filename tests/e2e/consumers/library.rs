//! A library as consumer: a small program of the test bed checks cases with it, and
//! says of each what the claims are, or by which error it was refused.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use countersign_tests::token;
use serde_json::{Value, json};

use super::issuers::{AUDIENCE, ISSUER, Issuer, Three};

/// How a library calls each reason to refuse.
pub(super) struct Refusals {
    pub(super) expired: &'static str,
    pub(super) audience: &'static str,
    pub(super) issuer: &'static str,
    pub(super) key_gone: &'static str,
    pub(super) no_key_id: &'static str,
}

/// Every algorithm is accepted, with the claims as they are in the token.
pub(super) fn accepts_every_algorithm(verify: &dyn Fn() -> Command) {
    let issuers = Issuer::of_each_algorithm();
    let tokens: Vec<_> = issuers.iter().map(Issuer::token).collect();
    let cases = issuers.iter().zip(&tokens);
    let cases = cases.map(|(from, jwt)| case(from.algorithm, from, jwt));
    let verdicts = run(verify(), cases.collect());
    assert_eq!(verdicts.len(), 7);
    for (issuer, jwt) in issuers.iter().zip(&tokens) {
        assert_eq!(
            verdicts[issuer.algorithm],
            json!({ "claims": token::claims(jwt) }),
            "{}",
            issuer.algorithm
        );
    }
}

/// What must be refused is, for its own reason and not for another.
pub(super) fn refuses_what_it_must(verify: &dyn Fn() -> Command, refusals: &Refusals) {
    let Three {
        current,
        retired,
        other,
    } = Three::start();
    let (jwt, before) = (current.token(), retired.token());
    let with = |mut case: Value, key: &str, value: Value| {
        case[key] = value;
        case
    };
    let short = case("expired", &current, &current.short_token());
    let cases = vec![
        case("audience", &current, &other.token()),
        with(case("issuer", &current, &jwt), "issuer", json!("https://x")),
        case("key published", &current, &before),
        case("key gone", &other, &before),
        case("no key id", &current, &without_key_id(&jwt)),
        with(short, "until_refused", json!(true)),
    ];
    let verdicts = run(verify(), cases);
    let refused = |name: &str| verdicts[name]["refused"].as_str();
    assert_eq!(
        verdicts["key published"]["claims"]["sub"], "ada",
        "{verdicts:?}"
    );
    for (name, expected) in [
        ("expired", refusals.expired),
        ("audience", refusals.audience),
        ("issuer", refusals.issuer),
        ("key gone", refusals.key_gone),
        ("no key id", refusals.no_key_id),
    ] {
        assert_eq!(refused(name), Some(expected), "{name}: {verdicts:?}");
    }
}

/// A strict resource server (RFC 9068 section 4) takes access tokens and no other JWT; one that
/// wants plain JWTs takes no access token.
pub(super) fn tells_access_tokens_from_others(verify: &dyn Fn() -> Command, refused: &str) {
    let [access, plain] = ["at+jwt", "JWT"].map(Issuer::of_type);
    let tokens = (access.token(), plain.token());
    let strict = |name: &str, from: &Issuer, jwt: &str, typ: &str| {
        let mut case = case(name, from, jwt);
        case["typ"] = typ.into();
        if typ == "at+jwt" {
            case["claims"] = json!(["client_id", "jti"]);
        }
        case
    };
    let cases = vec![
        strict("access as access", &access, &tokens.0, "at+jwt"),
        strict("access as plain", &access, &tokens.0, "JWT"),
        strict("plain as access", &plain, &tokens.1, "at+jwt"),
        strict("plain as plain", &plain, &tokens.1, "JWT"),
    ];
    let verdicts = run(verify(), cases);
    for (name, jwt) in [
        ("access as access", &tokens.0),
        ("plain as plain", &tokens.1),
    ] {
        assert_eq!(
            verdicts[name],
            json!({ "claims": token::claims(jwt) }),
            "{name}"
        );
    }
    for name in ["access as plain", "plain as access"] {
        assert_eq!(verdicts[name], json!({ "refused": refused }), "{name}");
    }
}

fn case(name: &str, keys: &Issuer, jwt: &str) -> Value {
    json!({
        "name": name,
        "token": jwt,
        "jwks": keys.jwks(),
        "algorithm": keys.algorithm,
        "issuer": ISSUER,
        "audience": AUDIENCE,
    })
}

/// The same token, but its header does not say which key signed it.
pub(super) fn without_key_id(jwt: &str) -> String {
    use base64::Engine;
    let mut header = token::header(jwt);
    header.as_object_mut().unwrap().remove("kid");
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header.to_string());
    format!("{header}.{}", jwt.split_once('.').unwrap().1)
}

fn run(mut verify: Command, cases: Vec<Value>) -> BTreeMap<String, Value> {
    // The JWKS is on this machine; a proxy would not find it.
    let mut child = verify
        .envs([("NO_PROXY", "*"), ("no_proxy", "*")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let cases = Value::from(cases).to_string();
    let mut input = child.stdin.take().unwrap();
    input.write_all(cases.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{verify:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}
