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
    let set = KeySet::open(&in_state(), &state, &opening).unwrap();
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
fn document_may_be_kept_for_an_hour_and_never_longer_than_lead() {
    let folder = Folder::new();
    let age = |lead| {
        let keys = Keys {
            lead: Duration::from_secs(lead),
            ..in_state()
        };
        open(&keys, folder.path())
            .unwrap()
            .jwks()
            .max_age()
            .as_secs()
    };
    assert_eq!((age(7_200), age(600)), (3_600, 600));
}
