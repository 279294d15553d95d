//! What an operator has done to keys, and what comes of it.

use super::world::{HOUR, World, is_published, kids, view};
use super::*;
use crate::keys::KeyState;

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
