//! Three hosts on one PostgreSQL sign and verify with the same keys.

use countersign_tests::Folder;
use countersign_tests::postgres::Postgres;

use super::*;

const KEK: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[test]
fn hosts_agree_on_keys_and_follow_a_rotation_within_a_second() {
    let postgres = Postgres::start();
    let store = format!("store: {{ url: \"{}\", kek: \"{KEK}\" }}\n", postgres.url);
    let folders = [Folder::new(), Folder::new(), Folder::new()];
    // Together: who makes the keys?
    let hosts: Vec<_> = std::thread::scope(|scope| {
        let starting = folders.iter().map(|folder| {
            let store = &store;
            scope.spawn(move || server(folder, ", lead: 0s", store))
        });
        let starting: Vec<_> = starting.collect();
        starting
            .into_iter()
            .map(|each| each.join().unwrap())
            .collect()
    });
    let names = published(hosts[0].address, JWKS);
    for host in &hosts {
        assert_eq!(published(host.address, JWKS), names);
        let token = host.token("ada", "door");
        assert!(
            hosts
                .iter()
                .all(|other| verifies(other.address, JWKS, &token))
        );
    }
    assert!(
        folders
            .iter()
            .all(|folder| !folder.join("state/keys/index.json").exists())
    );

    let old = hosts[2].token("ada", "door");
    told(&folders[0], &["rotate"]);
    let rotated = Instant::now();
    until("the others follow", || {
        let all = hosts.iter().map(|host| kid(&host.token("ada", "door")));
        all.into_iter().all(|kid| kid == names[1]).then_some(())
    });
    assert!(
        rotated.elapsed() < Duration::from_secs(1),
        "{:?}",
        rotated.elapsed()
    );
    let all = published(hosts[0].address, JWKS);
    assert!(
        hosts
            .iter()
            .all(|host| published(host.address, JWKS) == all)
    );
    assert!(hosts.iter().all(|host| verifies(host.address, JWKS, &old)));

    // Revoked on one, gone on all.
    told(&folders[1], &["retire", &kid(&old), "--now"]);
    let revoked = Instant::now();
    until("the others follow", || {
        let mut hosts = hosts.iter();
        let gone = hosts.all(|host| !verifies(host.address, JWKS, &old));
        gone.then_some(())
    });
    assert!(
        revoked.elapsed() < Duration::from_secs(1),
        "{:?}",
        revoked.elapsed()
    );
}

#[test]
fn host_that_rotated_dies_and_another_goes_on_with_the_schedule() {
    let postgres = Postgres::start();
    let store = format!("store: {{ url: \"{}\", kek: \"{KEK}\" }}\n", postgres.url);
    let folders = [Folder::new(), Folder::new()];
    let schedule = ", lead: 2s, max_age: 1s, rotate_every: 2s";
    let [first, second] = [0, 1].map(|host| server(&folders[host], schedule, &store));
    let active = |host: &Server| kid(&host.token("ada", "door"));
    let begun = active(&first);
    until("a rotation", || (active(&second) != begun).then_some(()));
    drop(first); // killed: nothing is given back
    let left = active(&second);
    until("another one", || (active(&second) != left).then_some(()));
}
