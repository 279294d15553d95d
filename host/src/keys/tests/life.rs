//! The life of keys: what time alone does to them.

use super::world::{HOUR, START, World, is_published, kids, view};
use super::*;
use crate::keys::{Held, KeyState, Passed};

#[test]
fn r01_standby_signs_no_earlier_than_its_lead_after_it_was_published() {
    let mut world = World::new();
    let before = world.open();
    let standby = kids(&before, KeyState::Next)[0].clone();
    world.now += 2 * HOUR;
    let error = world.rotate().unwrap_err();
    assert!(matches!(&error, OrderError::TooEarly { kid, .. } if *kid == standby));
    let ready = view(&before, &standby).ready.clone().unwrap();
    assert!(
        error.to_string().contains(&ready) && error.help().contains("--now"),
        "{error}"
    );
    assert_eq!(world.open().active().kid(), before.active().kid());
    world.now += 1;
    let told = world.rotate().unwrap();
    let after = world.open();
    assert_eq!(after.active().kid(), standby);
    assert_eq!(kids(&after, KeyState::Retiring), [before.active().kid()]);
    assert_eq!(told.len(), 3, "{told:?}");
    // The new standby has its own lead before it.
    assert!(matches!(world.rotate(), Err(OrderError::TooEarly { .. })));
}

#[test]
fn key_that_was_made_while_nobody_served_is_published_with_the_next_start() {
    let mut world = World::new();
    into_state(Algorithm::EdDSA, &[], Some("made"), world.folder.path()).unwrap();
    world.now += 100 * HOUR;
    let set = world.open();
    assert_eq!(kids(&set, KeyState::Next), ["made"]);
    assert!(matches!(world.rotate(), Err(OrderError::TooEarly { .. })));
    world.now += 2 * HOUR + 1;
    world.rotate().unwrap();
    assert_eq!(world.open().active().kid(), "made");
}

#[test]
fn r02_r03_retiring_key_is_published_until_its_last_token_has_expired_and_no_longer() {
    let mut world = World::new();
    let before = world.open();
    let old = before.active().kid().to_owned();
    world.now += 3 * HOUR;
    world.rotate().unwrap();
    let after = world.open();
    // What it signed goes on verifying, here and by the published document.
    assert_verifies(before.active(), after.jwks());
    let retired = world.now;
    let end = retired + 24 * HOUR + 10 + 1;
    assert_eq!(world.next(), Some(end));
    world.now = end - 1;
    assert_eq!(world.pass(), Passed::default());
    assert!(is_published(&world.open(), &old));
    world.now = end;
    assert_eq!(world.pass().gone, std::slice::from_ref(&old));
    let gone = world.open();
    assert!(!is_published(&gone, &old));
    assert!(!view(&before, &old).file.exists());
    assert_eq!(world.next(), None);
    // Its name is not free.
    let taken = into_state(Algorithm::EdDSA, &[], Some(&old), world.folder.path());
    assert!(matches!(
        taken,
        Err(OrderError::Key(KeyError::KidReused { .. }))
    ));
}

#[test]
fn r03_longest_lifetime_that_was_configured_while_a_key_signed_counts() {
    let mut world = World::new();
    world.terms.longest = 72 * 3_600;
    world.open();
    world.terms.longest = 3_600;
    world.open();
    world.now += 3 * HOUR;
    world.rotate().unwrap();
    assert_eq!(world.next(), Some(world.now + 72 * HOUR + 11));
}

#[test]
fn r03_tokens_that_are_remembered_hold_their_key_and_those_without_end_for_ever() {
    let mut world = World::new();
    let old = world.open().active().kid().to_owned();
    world.now += 3 * HOUR;
    world.rotate().unwrap();
    let until = world.now + 90 * 24 * HOUR;
    let held = Held {
        until: u64::try_from(until).ok(),
        forever: vec!["bot etl (token 1)".into()],
    };
    world.holding.insert(old.clone(), held);
    world.now += 1_000 * 24 * HOUR;
    assert!(world.pass().gone.is_empty());
    let set = world.open();
    assert_eq!(view(&set, &old).held_by, ["bot etl (token 1)"]);
    assert_eq!(view(&set, &old).leaves, None);
    let error = world.retire(&old, false).unwrap_err().to_string();
    assert!(error.contains("bot etl"), "{error}");
    // Once that one is revoked, the others' end counts.
    world.holding.get_mut(&old).unwrap().forever.clear();
    world.now = until + 10;
    assert!(world.pass().gone.is_empty());
    world.now += 1;
    assert_eq!(world.pass().gone, [old]);
}

#[test]
fn r03_nothing_goes_while_the_store_does_not_say_what_holds_keys() {
    let mut world = World::new();
    world.now += 3 * HOUR;
    world.rotate().unwrap();
    world.now += 1_000 * HOUR;
    let mut ring = world.ring();
    let passed = ring.pass(&world.terms, world.now, None, &|_| {}).unwrap();
    assert!(passed.gone.is_empty());
    assert_eq!(world.pass().gone.len(), 1);
}

#[test]
fn schedule_rotates_when_it_is_due_and_never_before_the_lead() {
    let mut world = World::new();
    assert_eq!(world.next(), None, "without a schedule nothing is due");
    world.terms.rotate_every = Some(HOUR);
    assert_eq!(
        world.next(),
        Some(START + 2 * HOUR + 1),
        "the lead comes first"
    );
    world.terms.rotate_every = Some(24 * HOUR);
    let due = START + 24 * HOUR;
    assert_eq!(world.next(), Some(due));
    let mut active = world.open().active().kid().to_owned();
    // Two months of it: each key was published for its lead before it signed.
    for day in 1..60 {
        world.now = START + day * 24 * HOUR - 1;
        assert!(world.pass().active.is_empty());
        let published = kids(&world.open(), KeyState::Next);
        world.now += 1;
        assert_eq!(world.pass().active, published);
        let set = world.open();
        assert_ne!(set.active().kid(), active);
        assert!(is_published(&set, &active));
        active = set.active().kid().to_owned();
        assert!(set.list().len() <= 4, "{:?}", set.list());
    }
}

#[test]
fn keys_of_a_named_algorithm_rotate_with_the_others_and_go_with_their_audience() {
    let mut world = World::new();
    world.terms.named = vec![Algorithm::ES256];
    let before = world.open();
    world.now += 3 * HOUR;
    world.rotate().unwrap();
    let set = world.open();
    assert_eq!(kids(&set, KeyState::Retiring).len(), 2);
    assert_ne!(
        set.signer(Algorithm::ES256).unwrap().kid(),
        before.signer(Algorithm::ES256).unwrap().kid()
    );
    // Its audience goes: the key retires, the standby waits as long.
    world.terms.named.clear();
    let gone = world.open();
    assert!(gone.signer(Algorithm::ES256).is_none());
    assert_eq!(kids(&gone, KeyState::Next).len(), 2);
    world.now += 25 * HOUR;
    world.pass();
    let set = world.open();
    assert_eq!(kids(&set, KeyState::Next).len(), 1);
    assert_eq!(set.list().len(), 2);
}
