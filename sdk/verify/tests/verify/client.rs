//! The key set client against a server on loopback.

use std::sync::Arc;
use std::time::Duration;

use countersign_verify::{
    Algorithm, Issuer, JwksClient, JwksError, JwksOptions, KeySet, KeySetError, Observer, Refusal,
    Rules, Trust,
};
use serde_json::json;

use crate::support::{Good, ISSUER, NOW, Pair, UNFINISHED, Web, http, set, with};

pub(super) fn document(pair: &Pair, kid: &str) -> Vec<u8> {
    set(&[with(pair.jwk(), json!({ "kid": kid }))])
}

pub(super) fn ok(body: &[u8]) -> Vec<u8> {
    http("200 OK", "content-type: application/json\r\n", body)
}

fn client(url: &str) -> JwksClient {
    JwksClient::new(url, JwksOptions::default()).unwrap()
}

pub(super) fn kids(set: &KeySet) -> Vec<&str> {
    set.keys().iter().filter_map(|key| key.kid()).collect()
}

#[tokio::test]
async fn set_is_fetched_once_and_again_when_it_is_no_longer_fresh() {
    let pair = Pair::ed25519();
    let web = Web::start(ok(&document(&pair, "a"))).await;
    let client = client(&web.url);
    for now in [NOW, NOW + 1, NOW + 3_599] {
        assert_eq!(kids(&client.keys(Some("a"), now).await.unwrap()), ["a"]);
    }
    assert_eq!(web.asked(), 1);
    web.answer(ok(&document(&pair, "b")));
    assert_eq!(
        kids(&client.keys(Some("a"), NOW + 3_600).await.unwrap()),
        ["b"]
    );
    assert_eq!(web.asked(), 2);
}

#[tokio::test]
async fn max_age_shortens_freshness_but_never_below_the_interval() {
    let pair = Pair::ed25519();
    for (control, fresh) in [
        ("max-age=300", 300),
        ("public, max-age=1", 60),
        ("no-store", 60),
        ("max-age=999999", 3_600),
    ] {
        let web = Web::start(http(
            "200 OK",
            &format!("cache-control: {control}\r\n"),
            &document(&pair, "a"),
        ))
        .await;
        let client = client(&web.url);
        for now in [NOW, NOW + fresh - 1, NOW + fresh] {
            client.keys(Some("a"), now).await.unwrap();
        }
        assert_eq!(web.asked(), 2, "{control}");
    }
}

#[tokio::test]
async fn k15_flood_of_unknown_kids_is_one_fetch_per_interval() {
    let pair = Pair::ed25519();
    let web = Web::start(ok(&document(&pair, "a"))).await;
    let client = Arc::new(client(&web.url));
    client.keys(Some("x"), NOW).await.unwrap();
    let mut flood = tokio::task::JoinSet::new();
    for n in 0..2_000_u32 {
        let client = Arc::clone(&client);
        flood.spawn(async move {
            let set = client.keys(Some(&format!("x{n}")), NOW + 30).await.unwrap();
            assert!(!set.has(&format!("x{n}")));
        });
    }
    flood.join_all().await;
    assert_eq!(web.asked(), 1, "within the interval nothing is fetched");

    let mut flood = tokio::task::JoinSet::new();
    for n in 0..2_000_u32 {
        let client = Arc::clone(&client);
        flood.spawn(async move { drop(client.keys(Some(&format!("y{n}")), NOW + 60).await) });
    }
    flood.join_all().await;
    assert_eq!(web.asked(), 2, "after it one fetch for all");
}

#[tokio::test]
async fn k15_kid_that_was_not_there_is_remembered() {
    let pair = Pair::ed25519();
    let web = Web::start(ok(&document(&pair, "a"))).await;
    let client = client(&web.url);
    for minute in 0..5 {
        client.keys(Some("gone"), NOW + minute * 60).await.unwrap();
    }
    assert_eq!(web.asked(), 1);
    client.keys(Some("gone"), NOW + 300).await.unwrap();
    assert_eq!(
        web.asked(),
        2,
        "five intervals later it is looked for again"
    );
}

#[tokio::test]
async fn new_key_is_found_by_its_kid_before_the_set_is_stale() {
    let (old, new) = (Pair::ed25519(), Pair::ed25519());
    let web = Web::start(ok(&document(&old, "old"))).await;
    let rules = Rules::new(ISSUER, ["us"], [Algorithm::EdDSA]).unwrap();
    let trust = Trust::new([Issuer::new(rules, client(&web.url))]).unwrap();
    let token = |pair: &Pair, kid: &str| {
        pair.token(&json!({ "alg": "EdDSA", "kid": kid }), &Good::claims())
    };
    assert!(trust.verify(&token(&old, "old"), NOW).await.is_ok());
    web.answer(ok(&set(&[
        with(old.jwk(), json!({ "kid": "old" })),
        with(new.jwk(), json!({ "kid": "new" })),
    ])));
    assert!(trust.verify(&token(&new, "new"), NOW + 5).await.is_ok());
    assert_eq!(web.asked(), 2);
    // One such look per interval, whatever it brought.
    assert_eq!(
        trust.verify(&token(&new, "newer"), NOW + 64).await,
        Err(Refusal::KidUnknown)
    );
    assert_eq!(web.asked(), 2);
    let later = trust.verify(&token(&new, "newer"), NOW + 65).await;
    assert_eq!(later, Err(Refusal::KidUnknown));
    assert_eq!(web.asked(), 3);
}

#[tokio::test]
async fn known_key_does_not_wait_for_a_server_that_hangs() {
    let pair = Pair::ed25519();
    let web = Web::start(ok(&document(&pair, "a"))).await;
    let mut options = JwksOptions::default();
    options.patience = Duration::from_millis(20);
    let client = JwksClient::new(&web.url, options).unwrap();
    client.keys(Some("a"), NOW).await.unwrap();
    web.answer(UNFINISHED.to_vec());
    let started = std::time::Instant::now();
    let served = client.keys(Some("a"), NOW + 3_600).await.unwrap();
    assert_eq!(kids(&served), ["a"]);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "not its timeout"
    );
    assert_eq!(web.asked(), 2);
}

#[tokio::test]
async fn o09_retry_after_is_handed_on_and_kept_to() {
    let pair = Pair::ed25519();
    let web = Web::start(http("429 Slow down", "retry-after: 30\r\n", b"")).await;
    let client = client(&web.url);
    let error = client.keys(None, NOW).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
    web.answer(ok(&document(&pair, "a")));
    assert!(client.keys(None, NOW + 29).await.is_err());
    assert_eq!(web.asked(), 1);
    assert!(client.keys(None, NOW + 30).await.is_ok());
}

#[tokio::test]
async fn observer_is_told_of_each_fetch_and_its_outcome() {
    let pair = Pair::ed25519();
    let web = Web::start(ok(&document(&pair, "a"))).await;
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let mut options = JwksOptions::default();
    options.redirects = 0;
    options.observer = Observer::new(move |fetched| {
        let keys = fetched.map(|set| set.keys().len()).map_err(Clone::clone);
        heard.lock().unwrap().push(keys);
    });
    let client = JwksClient::new(&web.url, options).unwrap();
    client.keys(None, NOW).await.unwrap();
    let elsewhere = "location: https://127.0.0.1:1/\r\n";
    web.answer(http("302 Found", elsewhere, b""));
    client.keys(None, NOW + 3_600).await.unwrap();
    let told = told.lock().unwrap();
    assert_eq!(*told, [Ok(1), Err(JwksError::Redirect)]);
}

#[tokio::test]
async fn many_at_the_start_wait_for_one_fetch() {
    let pair = Pair::ed25519();
    let web = Web::start(ok(&document(&pair, "a"))).await;
    let client = Arc::new(client(&web.url));
    let mut many = tokio::task::JoinSet::new();
    for _ in 0..500 {
        let client = Arc::clone(&client);
        many.spawn(async move { client.keys(Some("a"), NOW).await.unwrap().keys().len() });
    }
    assert_eq!(many.join_all().await.iter().sum::<usize>(), 500);
    assert_eq!(web.asked(), 1);
}

#[tokio::test]
async fn fetch_goes_on_when_the_caller_gives_up() {
    let pair = Pair::ed25519();
    let web = Web::start(ok(&document(&pair, "a"))).await;
    let client = client(&web.url);
    let mut asking = Box::pin(client.keys(Some("a"), NOW));
    // Polled once, then dropped.
    let waker = std::task::Waker::noop();
    assert!(
        asking
            .as_mut()
            .poll(&mut std::task::Context::from_waker(waker))
            .is_pending()
    );
    drop(asking);
    assert_eq!(kids(&client.keys(Some("a"), NOW).await.unwrap()), ["a"]);
    assert_eq!(web.asked(), 1);
}

/// Everything that a server may do wrong, and what it is called.
fn failures() -> Vec<(Vec<u8>, JwksError)> {
    let large = vec![b' '; (1 << 20) + 1];
    let many: Vec<_> = (0..10_000).map(|_| json!({})).collect();
    vec![
        (
            http(
                "200 OK",
                "content-type: text/html\r\n",
                b"<html>login</html>",
            ),
            KeySetError::Json.into(),
        ),
        (http("500 Oops", "", b"{}"), JwksError::Status(500)),
        (http("304 Not Modified", "", b""), JwksError::Status(304)),
        (
            http("302 Found", "location: http://127.0.0.1:1/\r\n", b""),
            JwksError::Redirect,
        ),
        (
            http("302 Found", "location: file:///etc/passwd\r\n", b""),
            JwksError::Status(302),
        ),
        (ok(&large), KeySetError::Size.into()),
        (ok(&set(&many)), KeySetError::Limits.into()),
        (
            ok(br#"{"keys":[]}"#),
            KeySetError::NoUsableKey(Vec::new()).into(),
        ),
        (UNFINISHED.to_vec(), JwksError::Timeout),
        (Vec::new(), JwksError::Timeout),
    ]
}

fn impatient() -> JwksOptions {
    let mut options = JwksOptions::default();
    options.timeout = Duration::from_millis(500);
    options
}

#[tokio::test]
async fn k14_answers_that_are_no_set_are_bounded_and_the_old_set_serves_on() {
    let pair = Pair::ed25519();
    let web = Web::start(ok(&document(&pair, "a"))).await;
    let client = JwksClient::new(&web.url, impatient()).unwrap();
    client.keys(Some("a"), NOW).await.unwrap();
    for (n, (answer, _)) in (1..).zip(failures()) {
        web.answer(answer);
        let now = NOW + 3_600 * n;
        assert_eq!(kids(&client.keys(Some("a"), now).await.unwrap()), ["a"]);
        client.keys(Some("a"), now + 59).await.unwrap();
        assert_eq!(web.asked() as u64, 1 + n, "one try per interval");
    }
    web.answer(http("500 Oops", "", b""));
    assert!(client.keys(Some("a"), NOW + 86_399).await.is_ok());
    assert_eq!(
        client.keys(Some("a"), NOW + 86_400).await.unwrap_err(),
        JwksError::Status(500),
        "not for ever"
    );
    web.answer(ok(&document(&pair, "b")));
    assert_eq!(
        kids(&client.keys(Some("b"), NOW + 86_460).await.unwrap()),
        ["b"],
        "and it heals"
    );
}

#[tokio::test]
async fn k14_without_an_old_set_it_is_an_outage_and_no_verdict() {
    for (answer, error) in failures() {
        let web = Web::start(answer).await;
        let client = JwksClient::new(&web.url, impatient()).unwrap();
        let good = Good::new();
        let issuer = Issuer::new(good.rules, client);
        let refusal = issuer
            .verify(&good.pair.token(&Good::header(), &Good::claims()), NOW)
            .await
            .unwrap_err();
        assert!(refusal.is_outage());
        assert_eq!(refusal, Refusal::KeysUnavailable(error));
        assert!(!refusal.to_string().contains(&web.url), "{refusal}");
        // It tries again soon, but not for every token.
        let again = issuer
            .verify(&good.pair.token(&Good::header(), &Good::claims()), NOW + 4)
            .await;
        assert!(again.unwrap_err().is_outage());
        assert_eq!(web.asked(), 1);
    }
}

#[tokio::test]
async fn token_that_no_key_could_save_asks_nobody() {
    let web = Web::start(Vec::new()).await;
    let good = Good::new();
    let trust = Trust::new([Issuer::new(good.rules, client(&web.url))]).unwrap();
    for (header, claims) in [
        (json!({ "alg": "ES256", "kid": "k" }), Good::claims()),
        (json!({ "alg": "EdDSA", "crit": [] }), Good::claims()),
        (
            Good::header(),
            with(Good::claims(), json!({ "iss": "https://evil.example" })),
        ),
    ] {
        assert!(
            !trust
                .verify(&good.pair.token(&header, &claims), NOW)
                .await
                .unwrap_err()
                .is_outage()
        );
    }
    assert_eq!(web.asked(), 0);
}
