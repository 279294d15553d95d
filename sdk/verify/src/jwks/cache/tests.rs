//! The decisions, at any time one likes.
#![allow(clippy::unwrap_used)]

use super::*;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const NOW: u64 = 1_800_000_000 * SECOND;

fn fetched(max_age: Option<u64>) -> Result<Fetched, JwksError> {
    let set = KeySet::parse(
        br#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
    );
    let set = set.unwrap();
    Ok(Fetched { set, max_age })
}

fn filled() -> Cache {
    let mut cache = Cache::new(&JwksOptions::default());
    cache.land(fetched(None), None, NOW).unwrap();
    cache
}

fn fetches(cache: &Cache, kid: &str, now: u64) -> bool {
    matches!(cache.step(Some(kid), now), Step::Fetch { .. })
}

#[test]
fn clock_that_was_set_back_fetches_instead_of_waiting_for_its_return() {
    let cache = filled();
    assert!(!fetches(&cache, "a", NOW));
    assert!(fetches(&cache, "a", NOW - 24 * HOUR));
    let mut cache = filled();
    cache.land(fetched(None), Some("b"), NOW + SECOND).unwrap();
    assert!(!fetches(&cache, "c", NOW + SECOND));
    assert!(!cache.is_overspent(NOW - HOUR));
}

#[test]
fn who_waited_for_a_fetch_with_an_older_time_does_not_fetch_again() {
    let mut cache = filled();
    cache.land(fetched(None), Some("b"), NOW + MINUTE).unwrap();
    for kid in ["a", "b", "c"] {
        assert!(!fetches(&cache, kid, NOW + MINUTE - 1), "{kid}");
    }
}

#[test]
fn stale_set_does_meanwhile_for_known_kids_alone() {
    let cache = filled();
    let meanwhile = |kid, now| match cache.step(Some(kid), now) {
        Step::Fetch { meanwhile } => meanwhile.is_some(),
        Step::Done(_) => unreachable!("a fetch is due"),
    };
    assert!(meanwhile("a", NOW + HOUR));
    assert!(!meanwhile("b", NOW + HOUR));
    assert!(!meanwhile("a", NOW + 24 * HOUR), "too old for that");
}

#[test]
fn absent_kids_are_bounded_and_the_oldest_goes_first() {
    let mut cache = filled();
    for n in 0..1_000 {
        cache.remember_absent(Some(&format!("x{n}")), NOW + n);
    }
    assert_eq!(cache.absent.len(), ABSENT);
    let later = NOW + 1_000;
    assert!(cache.is_absent("x999", later) && !cache.is_absent("x700", later));
}

/// A provider whose sets are good for no longer than the interval, a flood of unknown kids,
/// and good tokens that come first whenever the set is due.
#[test]
fn k15_fetches_of_all_causes_together_are_one_per_interval() {
    let mut cache = Cache::new(&JwksOptions::default());
    let mut fetches = 0;
    let intervals = 60;
    for step in 0..intervals * 60 {
        let now = NOW + step * SECOND;
        for kid in ["a".to_owned(), format!("x{step}"), format!("y{step}")] {
            if let Step::Fetch { .. } = cache.step(Some(&kid), now) {
                fetches += 1;
                cache.land(fetched(Some(0)), Some(&kid), now).unwrap();
            }
        }
    }
    assert!(
        (intervals..=intervals + 1).contains(&fetches),
        "{fetches} in {intervals} intervals"
    );
}

#[test]
fn set_that_was_just_renewed_does_not_hide_a_key_that_is_newer_still() {
    let mut cache = filled();
    let renewed = NOW + HOUR;
    cache.land(fetched(None), Some("a"), renewed).unwrap();
    assert!(fetches(&cache, "new", renewed + SECOND));
    cache
        .land(fetched(None), Some("x"), renewed + SECOND)
        .unwrap();
    assert!(!fetches(&cache, "new", renewed + 61 * SECOND - 1));
    assert!(fetches(&cache, "new", renewed + 61 * SECOND));
}

#[test]
fn kid_that_is_unknown_while_nobody_can_be_asked_is_an_outage_and_no_verdict() {
    let mut cache = filled();
    let absent = NOW + MINUTE;
    cache.land(fetched(None), Some("gone"), absent).unwrap();
    let down = NOW + 2 * MINUTE;
    let verdict = cache.land(Err(JwksError::Timeout), Some("new"), down);
    assert_eq!(verdict.err(), Some(JwksError::Timeout));
    let served = |kid: &str| match cache.step(Some(kid), down + SECOND) {
        Step::Done(result) => result.is_ok(),
        Step::Fetch { .. } => unreachable!("it was just tried"),
    };
    assert!(served("a"));
    assert!(served("gone"), "the issuer has said that it has it not");
    assert!(!served("new"));
}
