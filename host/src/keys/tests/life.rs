//! The life of keys, at times that the tests choose.

use super::*;
use crate::keys::{Held, KeyState, KeyView, Passed};

const START: i64 = 1_800_000_000;
const HOUR: i64 = 3_600;

/// A ring in a folder, with a clock of its own.
struct World {
    folder: Folder,
    settings: Keys,
    terms: Terms,
    now: i64,
    holding: Holding,
}

impl World {
    /// EdDSA, a lead of two hours, tokens of at most a day, ten seconds of leeway.
    fn new() -> World {
        let settings = in_state();
        let terms = Terms {
            longest: 24 * 3_600,
            grace: 10,
            ..Terms::of(&settings, settings.algorithm, Vec::new())
        };
        let world = World {
            folder: Folder::new(),
            settings,
            terms,
            now: START,
            holding: Holding::new(),
        };
        world.open();
        world
    }

    fn ring(&self) -> Ring {
        Ring::in_folder(self.folder.join("keys")).unwrap()
    }

    fn opened(&self, ring: &mut Ring) -> Result<KeySet, KeyError> {
        let now = u64::try_from(self.now).unwrap();
        let opening = Opening {
            mode: Mode::Serve,
            exposed: true,
            now: UNIX_EPOCH + Duration::from_secs(now),
            progress: &|_| {},
        };
        let set = KeySet::of(ring, &self.terms, &self.settings, &opening, &self.holding)?;
        ring.save()?;
        Ok(set)
    }

    fn open(&self) -> KeySet {
        self.opened(&mut self.ring()).unwrap()
    }

    fn obey(&self, order: Order) -> Result<Vec<String>, OrderError> {
        let at = Circumstances {
            terms: &self.terms,
            now: self.now,
            exposed: true,
            holding: &self.holding,
            progress: &|_| {},
        };
        let mut ring = self.ring();
        let done = ring.obey(&order, &at)?;
        self.opened(&mut ring)?;
        Ok(done.told)
    }

    fn rotate(&self) -> Result<Vec<String>, OrderError> {
        self.obey(Order::Rotate { now: false })
    }

    fn retire(&self, kid: &str, now: bool) -> Result<Vec<String>, OrderError> {
        let kid = kid.to_owned();
        self.obey(Order::Retire { kid, now })
    }

    fn pass(&self) -> Passed {
        let mut ring = self.ring();
        let holding = Some(&self.holding);
        let passed = ring.pass(&self.terms, self.now, holding, &|_| {}).unwrap();
        self.opened(&mut ring).unwrap();
        passed
    }

    fn next(&self) -> Option<i64> {
        self.ring().next(&self.terms, self.now, &self.holding)
    }
}

fn kids(set: &KeySet, state: KeyState) -> Vec<String> {
    let keys = set.list().iter().filter(|key| key.state == state);
    keys.map(|key| key.kid.clone()).collect()
}

fn view<'a>(set: &'a KeySet, kid: &str) -> &'a KeyView {
    set.list().iter().find(|key| key.kid == kid).unwrap()
}

fn is_published(set: &KeySet, kid: &str) -> bool {
    set.jwks().keys().iter().any(|key| key.kid == kid)
}

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
fn rotation_that_skips_the_lead_says_who_refuses_tokens_until_when() {
    let world = World::new();
    let told = world.obey(Order::Rotate { now: true }).unwrap().join("\n");
    assert!(told.contains("the lead was skipped"), "{told}");
    for who in ["max-age", "Airflow: within 1 h", "OpenMetadata: at once"] {
        assert!(told.contains(who), "{told}");
    }
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
fn r06_revoked_key_is_out_at_once_and_the_standby_signs() {
    let mut world = World::new();
    let before = world.open();
    let (old, standby) = (
        before.active().kid().to_owned(),
        before.list()[1].kid.clone(),
    );
    let told = world.retire(&old, true).unwrap().join("\n");
    for line in [
        "is revoked",
        "at once",
        "max-age",
        "Airflow",
        "OpenMetadata",
    ] {
        assert!(told.contains(line), "{told}");
    }
    let after = world.open();
    assert_eq!(after.active().kid(), standby);
    assert!(!is_published(&after, &old));
    assert_eq!(after.list().len(), 2);
    assert!(
        !view(&before, &old).file.exists(),
        "the private key is gone"
    );
    let claims = br#"{"iss":"i","aud":"a","sub":"1","iat":1,"nbf":1,"exp":4000000000}"#;
    let token = before.active().sign(claims).unwrap();
    let algorithms = countersign_verify::Algorithm::ALL;
    let rules = countersign_verify::Rules::new("i", ["a"], algorithms).unwrap();
    assert!(rules.verify(&token, before.verifying(), 2).is_ok());
    assert!(rules.verify(&token, after.verifying(), 2).is_err());
    // Said again it is no error: hosts may not have heard of it.
    assert!(world.retire(&old, true).unwrap()[0].contains("already"));
    // A standby and a retiring key can be revoked as well.
    let next = kids(&after, KeyState::Next)[0].clone();
    world.retire(&next, true).unwrap();
    assert_eq!(world.open().active().kid(), standby);
    world.now += 3 * HOUR;
    world.rotate().unwrap();
    world.retire(&standby, true).unwrap();
    assert!(!is_published(&world.open(), &standby));
    assert!(matches!(
        world.retire("nobody", true),
        Err(OrderError::Unknown { .. })
    ));
}

#[test]
fn retired_standby_is_replaced_and_a_retired_active_key_waits_for_the_lead() {
    let mut world = World::new();
    let before = world.open();
    let standby = before.list()[1].kid.clone();
    world.retire(&standby, false).unwrap();
    let after = world.open();
    assert!(!is_published(&after, &standby));
    assert_eq!(after.list().len(), 2);
    let active = after.active().kid().to_owned();
    assert!(matches!(
        world.retire(&active, false),
        Err(OrderError::TooEarly { .. })
    ));
    world.now += 3 * HOUR;
    world.retire(&active, false).unwrap();
    assert_eq!(kids(&world.open(), KeyState::Retiring), [active]);
}

#[test]
fn operators_file_is_the_first_key_and_retires_though_it_stays_configured() {
    let mut world = World::new();
    let file = make(
        &world.folder,
        "first.pem",
        "openssl genpkey -algorithm ed25519",
    );
    world.settings.private_key = file.display().to_string();
    world.settings.kid = "first".into();
    world.now += HOUR;
    assert_eq!(world.open().active().kid(), "first");
    world.now += 3 * HOUR;
    world.rotate().unwrap();
    let set = world.open();
    assert_ne!(set.active().kid(), "first");
    assert_eq!(view(&set, "first").file, file);
    world.now += 25 * HOUR;
    // The key before it is gone as well.
    assert_eq!(world.pass().gone.len(), 2);
    let set = world.open();
    assert!(!is_published(&set, "first"));
    assert!(file.exists(), "what is the operator's stays");
    // Another file signs at once, loudly.
    let other = make(
        &world.folder,
        "second.pem",
        "openssl genpkey -algorithm ed25519",
    );
    world.settings.private_key = other.display().to_string();
    world.settings.kid = "second".into();
    let set = world.open();
    assert_eq!(set.active().kid(), "second");
    assert!(set.notices()[0].contains("never published before"));
    // A revoked one never comes back, under whichever name.
    let told = world.retire("second", true).unwrap().join("\n");
    assert!(told.contains("its file is yours"), "{told}");
    assert_ne!(
        world.open().active().kid(),
        "second",
        "though it is configured"
    );
    world.settings.kid = "renamed".into();
    let error = world.opened(&mut world.ring()).unwrap_err();
    assert!(matches!(error, KeyError::Revoked { .. }), "{error}");
}

#[test]
fn imported_key_is_copied_as_the_standby() {
    let mut world = World::new();
    let file = make(
        &world.folder,
        "key.pem",
        "openssl genpkey -algorithm ed25519",
    );
    let import = |kid: &str, file: &Path| Order::Import {
        algorithm: None,
        kid: Some(kid.into()),
        private_key: file.to_owned(),
    };
    world.obey(import("mine", &file)).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(kids(&world.open(), KeyState::Next), ["mine"]);
    world.now += 2 * HOUR + 1;
    world.rotate().unwrap();
    let set = world.open();
    assert_eq!(set.active().kid(), "mine");
    assert_verifies(set.active(), set.jwks());
    // The same key again, another kind than asked for, one that others can read.
    let rsa = world.folder.write("rsa.pem", rsa_pem());
    let kind = Order::Import {
        algorithm: Some(Algorithm::EdDSA),
        kid: None,
        private_key: rsa.clone(),
    };
    assert!(matches!(world.obey(kind), Err(OrderError::Kind { .. })));
    let again = view(&set, "mine").file.clone();
    assert!(matches!(
        world.obey(import("other", &again)),
        Err(OrderError::There(kid)) if kid == "mine"
    ));
    fs::set_permissions(&rsa, Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(
        world.obey(import("open", &rsa)),
        Err(OrderError::Key(KeyError::Exposed { .. }))
    ));
    let demo = "Gb389a-9f76-gdjs-a92j-0242bk94356";
    fs::set_permissions(&rsa, Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(
        world.obey(import(demo, &rsa)),
        Err(OrderError::Key(KeyError::Demo { .. }))
    ));
}

#[test]
fn other_algorithm_comes_with_a_generated_standby_and_a_rotation() {
    let mut world = World::new();
    world.terms.algorithm = Algorithm::ES256;
    world.settings.algorithm = Algorithm::ES256;
    let generate = Order::Generate {
        algorithm: None,
        kid: None,
    };
    world.obey(generate).unwrap();
    assert_eq!(world.open().active().algorithm(), Algorithm::EdDSA);
    world.now += 3 * HOUR;
    world.rotate().unwrap();
    let set = world.open();
    assert_eq!(set.active().algorithm(), Algorithm::ES256);
    assert_eq!(set.notices(), [] as [String; 0]);
    assert_eq!(kids(&set, KeyState::Next).len(), 1);
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
