//! `countersign keys rotate|retire|import|generate`, with a running server and without one.

use countersign_tests::{Folder, get, send};
use std::process::Command;

use super::*;

#[test]
fn r01_r02_rotation_waits_for_the_lead_and_both_keys_verify_afterwards() {
    let folder = Folder::new();
    let server = server(&folder, ", lead: 2s", "");
    let before = server.token("ada", "door");
    let standby = published(server.address, JWKS)[1].clone();
    let refused = keys(&folder, &["rotate"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    for part in [
        standby.as_str(),
        "may sign from 20",
        "help: wait until then",
    ] {
        assert!(refused.stderr.contains(part), "{refused:?}");
    }
    let said = until("the lead passes", || {
        let done = keys(&folder, &["rotate"]);
        (done.code == 0).then_some(done.stdout)
    });
    assert!(
        said.contains(&format!("{standby} signs from now on")),
        "{said}"
    );
    assert!(said.contains("retires: published until 20"), "{said}");
    let after = server.token("ada", "door");
    assert_eq!(kid(&after), standby);
    for token in [&before, &after] {
        assert!(verifies(server.address, JWKS, token));
    }
    let states = listed(&folder, &[]);
    assert_eq!(states[0], (standby, "active".into()));
    assert_eq!(states[2], (kid(&before), "retiring".into()));
    assert_eq!(states.len(), 3);
    let age = get(server.address, JWKS);
    assert_eq!(age.header("cache-control"), Some("public, max-age=1"));
    let (_, log) = server.stop();
    assert!(log.contains("signs from now on"), "the log tells it, too");
}

#[test]
fn r06_revoked_key_is_out_at_once_and_whoever_follows_later_is_named() {
    let folder = Folder::new();
    let issuer = "tokens: { issuer: \"https://id.example\" }\n";
    let server = server(&folder, "", issuer);
    let before = server.token("ada", "door");
    let standby = published(server.address, JWKS)[1].clone();
    assert_eq!(run(&folder, &["token", "verify", &before], &[]).code, 0);
    let bearer = format!("Bearer {before}");
    let passes = |server: &Server| {
        let headers = [("authorization", bearer.as_str())];
        send(server.address, "GET", "/auth/verify", &headers, b"").status
    };
    assert_eq!(passes(&server), 200);
    let said = told(&folder, &["retire", &kid(&before), "--now"]);
    for part in [
        "is revoked",
        "max-age): within 1h",
        "Airflow: within 1 h",
        "OpenMetadata: within 24 h",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(!published(server.address, JWKS).contains(&kid(&before)));
    assert!(!verifies(server.address, JWKS, &before));
    assert_eq!(passes(&server), 401);
    assert_eq!(run(&folder, &["token", "verify", &before], &[]).code, 1);
    assert_eq!(kid(&server.token("ada", "door")), standby);
    let unknown = keys(&folder, &["retire", "nobody", "--now"]);
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert!(
        unknown
            .stderr
            .contains("there is no key \"nobody\" in the shared ring")
    );
    let (_, log) = server.stop();
    assert!(
        log.contains("every token that it signed is refused"),
        "{log}"
    );
    // It stays so: the next start knows it, and its name is not free.
    let server = super::server(&folder, "", issuer);
    assert!(!published(server.address, JWKS).contains(&kid(&before)));
    assert_eq!(passes(&server), 401);
    let again = told(&folder, &["retire", &kid(&before), "--now"]);
    assert!(again.contains("is revoked already"), "{again}");
    let taken = keys(&folder, &["generate", "--id", &kid(&before)]);
    assert_eq!(taken.code, 1, "{taken:?}");
}

#[test]
fn keys_change_without_a_server_as_with_one() {
    let folder = Folder::new();
    folder.plugin(&artifacts::plugin("template"), "template");
    folder.write("config.yaml", config(", lead: 0s", ""));
    told(&folder, &["generate", "--id", "first"]);
    assert_eq!(listed(&folder, &[])[0].0, "first");
    let said = told(&folder, &["rotate"]);
    assert!(said.contains("signs from now on"), "{said}");
    let before = listed(&folder, &[]);
    told(&folder, &["retire", &before[0].0, "--now"]);
    let after = listed(&folder, &[]);
    assert_eq!(after[0], (before[1].0.clone(), "active".into()));
    let server = server(&folder, ", lead: 0s", "");
    assert_eq!(kid(&server.token("ada", "door")), after[0].0);
}

#[test]
fn key_of_elsewhere_is_imported_into_a_running_server() {
    let folder = Folder::new();
    let server = server(&folder, ", lead: 0s", "");
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519", "-out", "key.pem"])
        .current_dir(folder.path())
        .status();
    assert!(made.unwrap().success());
    let said = told(&folder, &["import", "key.pem", "--id", "mine"]);
    assert!(said.contains("mine is the new standby"), "{said}");
    std::fs::remove_file(folder.join("key.pem")).unwrap();
    assert_eq!(published(server.address, JWKS)[1], "mine");
    told(&folder, &["rotate"]);
    let token = server.token("ada", "door");
    assert_eq!(kid(&token), "mine");
    assert!(verifies(server.address, JWKS, &token));
}

#[test]
fn operators_own_key_signs_first_and_a_reload_does_not_bring_it_back() {
    let folder = Folder::new();
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519", "-out", "own.pem"])
        .current_dir(folder.path())
        .status();
    assert!(made.unwrap().success());
    let server = server(&folder, ", private_key: own.pem, kid: own, lead: 0s", "");
    let first = server.token("ada", "door");
    assert_eq!(kid(&first), "own");
    told(&folder, &["rotate"]);
    let second = server.token("ada", "door");
    assert_ne!(kid(&second), "own");
    assert_eq!(run(&folder, &["reload"], &[]).code, 0);
    let third = server.token("ada", "door");
    assert_eq!(kid(&third), kid(&second));
    assert!(verifies(server.address, JWKS, &first));
}

#[test]
fn acknowledged_rotation_outlives_a_crash_and_another_one_breaks_nothing() {
    let folder = Folder::new();
    let mut before = String::new();
    for _ in 0..4 {
        let server = server(&folder, ", lead: 0s", "");
        let first = published(server.address, JWKS)[0].clone();
        assert!(before.is_empty() || before == first, "{before} {first}");
        told(&folder, &["rotate"]);
        before = published(server.address, JWKS)[0].clone();
        assert_ne!(before, first);
        // One that nobody has been told of: it is done, or it is not.
        let standby = published(server.address, JWKS)[1].clone();
        std::thread::scope(|scope| {
            scope.spawn(|| keys(&folder, &["rotate"]));
            server.send("KILL");
        });
        server.ended();
        let active = listed(&folder, &[])[0].0.clone();
        assert!([&before, &standby].contains(&&active), "{active}");
        before = active;
    }
}

#[test]
fn schedule_that_could_break_a_verifier_is_refused_at_start() {
    let folder = Folder::new();
    for (keys, part) in [
        (
            ", lead: 2h, rotate_every: 1h",
            "before it was published for keys.lead",
        ),
        (", lead: 10m, max_age: 1h", "longer than a new key waits"),
    ] {
        folder.write("config.yaml", config(keys, ""));
        let done = run(&folder, &["serve"], &[]);
        assert_eq!(done.code, 78, "{done:?}");
        assert!(done.stderr.contains(part), "{done:?}");
    }
}
