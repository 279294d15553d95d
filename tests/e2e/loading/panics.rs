//! Panics beside a call: in a task, in the CPU pool, in `shutdown`.

use countersign_tests::Folder;

use super::sinning;

#[test]
fn p06_panic_in_a_task_is_told_and_ends_no_call_but_its_own() {
    let folder = Folder::new();
    let mut server = sinning(&folder, "panics_in_task", "");
    for _ in 0..3 {
        assert_eq!(server.login("ada", "x").status, 201);
    }
    assert_eq!(server.login("strict", "x").status, 500);
    assert!(server.is_running());
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    for text in ["the instance", "the library", "the pool"] {
        let place = "panicked at tests/fixtures/panics_in_task.rs";
        let line = log
            .lines()
            .find(|line| line.contains(&format!("told by {text}")));
        let line = line.unwrap_or_else(|| panic!("told by {text} is missing in:\n{log}"));
        assert!(
            line.contains(place) && line.contains(r#""backend":"sin""#),
            "{line}"
        );
    }
}

#[test]
fn p06_panic_in_shutdown_is_told_and_the_server_stops_in_order() {
    let folder = Folder::new();
    let server = sinning(&folder, "panics_in_shutdown", "");
    assert_eq!(server.login("ada", "x").status, 201);
    let (code, log) = server.stop();
    assert_eq!(code, 0, "{log}");
    for text in ["it will not go", "did not shut down cleanly", "\"stopped\""] {
        assert!(log.contains(text), "{text:?} is missing in:\n{log}");
    }
}
