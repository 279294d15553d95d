//! New settings of a directory are taken up while it serves.

use countersign_tests::Folder;

use super::*;
use crate::run;

#[test]
fn reload_takes_new_settings_up_and_leaves_the_old_ones_where_the_new_are_wrong() {
    let slapd = shared();
    let folder = Folder::new();
    let mapping = |role: &str| {
        format!(
            ", roles: {{ mapping: {{ \"cn=dev,ou=groups,{}\": [{role}] }} }}",
            Slapd::BASE
        )
    };
    let filter =
        |filter: &str| service().replace("search: {", &format!("search: {{ filter: \"{filter}\","));
    let server = Server::start(&folder, &corp(&slapd.url, &service(), &mapping("Viewer")));
    assert_eq!(
        claims(&server, "carol", "carol-pw")["roles"],
        json!(["Viewer"])
    );

    folder.write(
        "config.yaml",
        corp(&slapd.url, &filter("(!(uid=alice))"), &mapping("Op")),
    );
    let done = run(&folder, &["reload"], &[]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.stdout.contains("backend corp: configured anew"),
        "{done:?}"
    );
    assert_eq!(claims(&server, "carol", "carol-pw")["roles"], json!(["Op"]));
    assert_eq!(server.login("alice", "alice-pw").status, 401);

    let apart = [
        ("COUNTERSIGN_STATE", "apart"),
        ("COUNTERSIGN_SERVER__LISTEN", "127.0.0.1:0"),
        ("COUNTERSIGN_ADMIN__LISTEN", "127.0.0.1:0"),
    ];
    for wrong in [filter("(unbalanced"), service().replace("search", "serch")] {
        folder.write("config.yaml", corp(&slapd.url, &wrong, ""));
        let done = run(&folder, &["reload"], &[]);
        assert_ne!(done.code, 0, "{wrong}: {done:?}");
        // As `check` says it, and `serve`.
        for told in [
            done,
            run(&folder, &["check"], &[]),
            run(&folder, &["serve"], &apart),
        ] {
            assert!(
                told.stderr.contains("  --> config.yaml:3:"),
                "{wrong}: {told:?}"
            );
        }
        assert_eq!(claims(&server, "carol", "carol-pw")["roles"], json!(["Op"]));
    }
}
