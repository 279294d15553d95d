//! A server's keys at its first start, at the next ones, and in a check.

use std::cell::RefCell;

use super::*;
use crate::keys::KeyState;

fn published(set: &KeySet) -> Vec<&str> {
    set.jwks()
        .keys()
        .iter()
        .map(|key| key.kid.as_str())
        .collect()
}

#[test]
fn first_start_makes_and_publishes_an_active_key_and_a_standby() {
    let folder = Folder::new();
    let state = folder.join("state");
    let told = RefCell::new(Vec::new());
    let progress = |text: &str| told.borrow_mut().push(text.to_owned());
    let opening = Opening {
        mode: Mode::Serve,
        exposed: true,
        now: UNIX_EPOCH,
        progress: &progress,
    };
    let set = KeySet::open(&in_state(), &[], &state, &opening).unwrap();
    assert_eq!(states(&set), [KeyState::Active, KeyState::Next]);
    assert_eq!(set.jwks().keys().len(), 2);
    assert_eq!(set.jwks().keys()[0].kid, set.active().kid());
    assert_eq!(told.borrow().len(), 2);
    assert_eq!(
        set.list()[0].created.as_deref(),
        Some("1970-01-01T00:00:00Z")
    );

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&state), mode(&state.join("keys"))), (0o700, 0o700));
    for entry in fs::read_dir(state.join("keys")).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
}

#[test]
fn r10_restart_keeps_keys_ids_and_files() {
    let folder = Folder::new();
    let first = open(&in_state(), folder.path()).unwrap();
    let before = folder.snapshot();
    let second = open(&in_state(), folder.path()).unwrap();
    assert_eq!(first.list(), second.list());
    assert_eq!(first.jwks().body(), second.jwks().body());
    assert_eq!(before, folder.snapshot());
    assert_verifies(first.active(), second.jwks());
}

#[test]
fn restart_reads_the_active_key_alone() {
    let folder = Folder::new();
    let first = open(&in_state(), folder.path()).unwrap();
    let standby = first
        .list()
        .iter()
        .find(|key| key.state == KeyState::Next)
        .unwrap();
    fs::remove_file(&standby.file).unwrap();
    let second = open(&in_state(), folder.path()).unwrap();
    assert_eq!(published(&first), published(&second));
}

#[test]
fn check_before_the_first_start_succeeds_and_leaves_nothing() {
    let folder = Folder::new();
    let set = open_as(&in_state(), &folder.join("state"), Mode::Check, true).unwrap();
    assert_eq!(set.list(), []);
    assert_verifies(set.active(), set.jwks());
    assert!(
        set.notices()
            .iter()
            .any(|notice| notice.contains("the first start will make")),
        "{:?}",
        set.notices()
    );
    assert_eq!(folder.snapshot(), []);
}

#[test]
fn check_of_a_running_state_changes_nothing() {
    let folder = Folder::new();
    let served = open(&in_state(), &folder.join("state")).unwrap();
    let key = folder.write("key.pem", rsa_pem());
    let before = folder.snapshot();
    let same = open_as(&in_state(), &folder.join("state"), Mode::Check, true).unwrap();
    assert_eq!(same.list(), served.list());
    let other = open_as(
        &settings(&key, Algorithm::RS256),
        &folder.join("state"),
        Mode::Check,
        true,
    )
    .unwrap();
    assert!(
        other
            .notices()
            .iter()
            .any(|notice| notice.contains("never published before"))
    );
    assert_eq!(before, folder.snapshot());
}

#[test]
fn other_algorithm_for_the_state_folder_is_said_and_changes_nothing() {
    let folder = Folder::new();
    let before = open(&in_state(), folder.path()).unwrap();
    let set = open(
        &Keys {
            algorithm: Algorithm::ES256,
            ..Keys::default()
        },
        folder.path(),
    )
    .unwrap();
    assert_eq!(set.active().kid(), before.active().kid());
    assert!(
        set.notices()[0].contains("keys generate --algorithm ES256"),
        "{:?}",
        set.notices()
    );
}

#[test]
fn document_may_be_kept_for_half_of_lead_and_an_hour_at_most() {
    let folder = Folder::new();
    let age = |lead| {
        let keys = Keys {
            lead: Duration::from_secs(lead),
            ..in_state()
        };
        let set = open(&keys, folder.path()).unwrap();
        set.jwks().cache_control().to_str().unwrap().to_owned()
    };
    for (lead, most) in [(7_200, 3_600), (600, 300), (0, 0)] {
        assert_eq!(age(lead), format!("public, max-age={most}"));
    }
}

#[test]
fn algorithms_of_audiences_have_a_key_and_a_standby_each_and_never_sign_for_others() {
    let folder = Folder::new();
    let alone = open(&in_state(), folder.path()).unwrap();
    let named = [Algorithm::ES256, Algorithm::EdDSA];
    let set = open_for(&in_state(), &named, folder.path(), Mode::Serve).unwrap();
    assert_eq!(set.active().kid(), alone.active().kid());
    for algorithm in named {
        let signer = set.signer(algorithm).unwrap();
        assert_eq!(signer.algorithm(), algorithm);
        assert_verifies(signer, set.jwks());
    }
    assert!(set.signer(Algorithm::RS256).is_none());
    let of = |alg| {
        let keys = set.list().iter().filter(move |key| key.alg == alg);
        keys.map(|key| key.state).collect::<Vec<_>>()
    };
    let pair = [KeyState::Active, KeyState::Next];
    assert_eq!(
        (of(Algorithm::EdDSA), of(Algorithm::ES256)),
        (pair.to_vec(), pair.to_vec())
    );
    assert_eq!(set.jwks().keys().len(), 4);
    assert!(
        set.notices()[0].contains("the signing key for ES256 was never published before"),
        "{:?}",
        set.notices()
    );
    // Nothing is made a second time, and a check makes nothing at all.
    let before = folder.snapshot();
    let again = open_for(&in_state(), &named, folder.path(), Mode::Serve).unwrap();
    assert_eq!(
        (again.list(), again.notices()),
        (set.list(), &[] as &[String])
    );
    let more = [Algorithm::ES256, Algorithm::ES384];
    let check = open_for(&in_state(), &more, folder.path(), Mode::Check).unwrap();
    assert!(
        check.notices()[0]
            .contains("the next start will make an active key and a standby for ES384"),
        "{:?}",
        check.notices()
    );
    assert_eq!(before, folder.snapshot());
    // An audience that is gone leaves its keys published, and nobody signs with them.
    let gone = open(&in_state(), folder.path()).unwrap();
    assert_eq!(gone.jwks().keys().len(), 4);
    assert_eq!(gone.active().kid(), alone.active().kid());
    assert!(gone.signer(Algorithm::ES256).is_none());
    assert_eq!(
        states(&gone),
        [
            KeyState::Active,
            KeyState::Next,
            KeyState::Next,
            KeyState::Retiring
        ]
    );
}

#[test]
fn m06_key_of_an_audience_never_signs_for_the_default_one() {
    let folder = Folder::new();
    let own = folder.write("key.pem", rsa_pem());
    let named = [Algorithm::EdDSA];
    let operators = settings(&own, Algorithm::RS256);
    let first = open_for(&operators, &named, folder.path(), Mode::Serve).unwrap();
    assert_eq!(first.active().algorithm(), Algorithm::RS256);
    // The operator's key goes: its standby signs, and no key that an audience asked for.
    let keys = Keys {
        algorithm: Algorithm::ES256,
        ..Keys::default()
    };
    let second = open_for(&keys, &named, folder.path(), Mode::Serve).unwrap();
    assert_eq!(second.active().algorithm(), Algorithm::RS256);
    let eddsa = |set: &KeySet| set.signer(Algorithm::EdDSA).unwrap().kid().to_owned();
    assert_eq!(eddsa(&first), eddsa(&second));
}
