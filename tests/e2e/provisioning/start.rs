//! What start, check and reload make of provisioning.

use super::*;

#[test]
fn target_that_keeps_no_rows_is_told_at_start() {
    let folder = Folder::new();
    plugins(&folder);
    folder.write(
        "config.yaml",
        Setting {
            rows: "provision: false",
            ..PLAIN
        }
        .config(),
    );
    for command in ["check", "serve"] {
        let done = run(
            &folder,
            &[command],
            &[
                ("COUNTERSIGN_SERVER__LISTEN", "127.0.0.1:0"),
                ("COUNTERSIGN_ADMIN__LISTEN", "127.0.0.1:0"),
            ],
        );
        assert_eq!(done.code, 78, "{command}: {done:?}");
        assert!(
            done.stderr.contains(
                "\"dir\" provisions into \"users\", whose plugin \"provisions\" keeps no rows"
            ),
            "{command}: {}",
            done.stderr
        );
    }
}

#[test]
fn check_makes_no_store_and_refuses_a_newer_one() {
    let folder = Folder::new();
    plugins(&folder);
    folder.write("config.yaml", PLAIN.config());
    let done = run(&folder, &["check"], &[]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(!folder.join("state/store.db").exists());
}

#[test]
fn reload_keeps_the_store_and_takes_new_provisioning_up() {
    let folder = Folder::new();
    let server = PLAIN.start(&folder);
    assert_eq!(claims(&login(&server, "ada"))["sub"], "101");
    let keep = Setting {
        dir: "provision: users, registration: true, roles: { sync: replace, registration: [Viewer] }",
        ..PLAIN
    };
    folder.write("config.yaml", keep.config());
    let done = run(
        &folder,
        &["reload"],
        &[("COUNTERSIGN_STATE", server.state.to_str().unwrap())],
    );
    assert_eq!(done.code, 0, "{done:?}");
    let ada = claims(&login(&server, "ada"));
    assert_eq!(
        (&ada["sub"], &ada["roles"]),
        (&json!("101"), &json!(["Own", "Viewer"]))
    );
}
