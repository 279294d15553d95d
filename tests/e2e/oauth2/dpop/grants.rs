//! Every grant binds what it gives; refresh tokens and codes are bound as well.

use super::*;

fn refresh(server: &Server, tokens: &Answer, key: Option<&Key>) -> Answer {
    let token = tokens.json();
    let token = token["refresh_token"].as_str().unwrap();
    let form = [
        ("grant_type", "refresh_token"),
        CLIENT,
        ("refresh_token", token),
    ];
    let proof = key.map(|key| proof(server, key));
    let proofs: Vec<&str> = proof.iter().map(String::as_str).collect();
    prove(server, "", &proofs, &form)
}

#[test]
fn s12_refresh_tokens_of_a_client_that_proved_its_key_are_good_with_that_key_alone() {
    let folder = Folder::new();
    let server = template(&folder);
    let key = Key::new();
    let (mut browser, mut flow) = (Browser::default(), Flow::new(&server));
    let first = flow.code(&mut browser);
    let redeem = |code: &str, proof: &str| {
        Flow::new(&server).redeem_with(&[("DPoP", proof)], &[("code", code)])
    };
    let used = proof(&server, &key);
    let first = redeem(&first, &used);
    bound(&first, &key);
    // Whoever has stolen it has it in vain, and takes nothing from whom it belongs to.
    refused(&refresh(&server, &first, None), "invalid_grant");
    refused(
        &refresh(&server, &first, Some(&Key::new())),
        "invalid_grant",
    );
    let next = refresh(&server, &first, Some(&key));
    bound(&next, &key);
    refused(&refresh(&server, &next, None), "invalid_grant");
    bound(&refresh(&server, &next, Some(&key)), &key);

    // A proof that was used before gives nothing, whatever stands beside it.
    let code = flow.code(&mut browser);
    refused(&redeem(&code, &used), "invalid_dpop_proof");

    // Once a client proves its key, its refresh tokens are bound, too.
    let code = flow.code(&mut browser);
    let free = flow.redeem(&[("code", &code)]);
    assert_eq!(free.json()["token_type"], "Bearer");
    let late = refresh(&server, &free, Some(&key));
    bound(&late, &key);
    refused(&refresh(&server, &late, None), "invalid_grant");
    bound(&refresh(&server, &late, Some(&key)), &key);
    let (_, log) = server.stop();
    assert!(log.contains("bound to another key"), "{log}");
}

#[test]
fn s12_code_that_was_asked_for_with_a_key_is_good_with_that_key_alone() {
    let folder = Folder::new();
    let server = template(&folder);
    let key = Key::new();
    let mut browser = Browser::default();
    let mut flow = Flow::bound(&server, key.thumbprint());
    for other in [None, Some(Key::new())] {
        let code = flow.code(&mut browser);
        let proof = other.as_ref().map(|key| proof(&server, key));
        let headers: Vec<_> = proof.iter().map(|proof| ("DPoP", proof.as_str())).collect();
        let answer = flow.redeem_with(&headers, &[("code", &code)]);
        refused(&answer, "invalid_grant");
    }
    let code = flow.code(&mut browser);
    let proof = proof(&server, &key);
    let answer = flow.redeem_with(&[("DPoP", &proof)], &[("code", &code)]);
    bound(&answer, &key);
}

#[test]
fn s12_every_other_grant_binds_its_token_to_the_key() {
    let folder = Folder::new();
    let server = template(&folder);
    let beside = Beside::of(&server);
    let (bot, secret) = beside.client("reports");
    let (own, key) = (beside.key(&bot), Key::new());
    let good = || proof(&server, &key);

    let issuer = format!("http://{}", server.address);
    let assertion = own.sign("JWT", &said("reports", &issuer, "1"));
    let grant = ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let form = [grant, ("assertion", assertion.as_str())];
    bound(&prove(&server, "", &[&good()], &form), &key);

    let kind = format!("{TYPE}access_token");
    let form = [
        ("grant_type", EXCHANGE),
        ("subject_token", secret.as_str()),
        ("subject_token_type", kind.as_str()),
    ];
    bound(&prove(&server, "", &[&good()], &form), &key);

    let waits = device::begin(&server);
    let mut browser = Browser::default();
    let page = waits["verification_uri_complete"].as_str().unwrap();
    let asked = device::arrive(&mut browser, page);
    browser.submit(&asked, &[("answer", "allow")]);
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", waits["device_code"].as_str().unwrap()),
        CLIENT,
    ];
    let tokens = prove(&server, "", &[&good()], &form);
    bound(&tokens, &key);
    refused(&refresh(&server, &tokens, None), "invalid_grant");
    bound(&refresh(&server, &tokens, Some(&key)), &key);
}

#[test]
fn s12_exchange_of_somebody_elses_token_binds_ours_and_takes_no_bound_one() {
    let folder = Folder::new();
    let server = server(&folder, "");
    let key = Key::new();
    let kind = format!("{TYPE}access_token");
    let exchange = |subject: &str, proof: &str| {
        let form = [
            ("grant_type", EXCHANGE),
            ("subject_token", subject),
            ("subject_token_type", kind.as_str()),
        ];
        prove(&server, "", &[proof], &form)
    };
    let good = proof(&server, &key);
    let token = bound(&exchange("ada", &good), &key);
    refused(&exchange("ada", &good), "invalid_dpop_proof");
    // Not even with a proof of its own key: that is about this request, and not of the token.
    let answer = exchange(&token, &proof(&server, &key));
    refused(&answer, "invalid_request");
    assert!(answer.body.contains("bound to a key"), "{answer:?}");
    let (_, log) = server.stop();
    assert!(log.contains("the proof was used before"), "{log}");
}
