//! A plugin that speaks and measures without end: what is too much is dropped and counted.

use countersign_tests::Folder;
use serde_json::Value;

use super::sinning;

#[test]
fn log_lines_and_series_beyond_the_limit_are_dropped_and_told() {
    let folder = Folder::new();
    let server = sinning(&folder, "floods", "");
    assert_eq!(server.login("ada", "x").status, 201);
    let (_, log) = server.stop();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let flood = lines.iter().filter(|line| line["message"] == "a flood");
    let dropped = lines.iter().filter_map(|line| line["dropped"].as_u64());
    let (passed, dropped) = (flood.count() as u64, dropped.sum::<u64>());
    assert!((500..4_000).contains(&passed), "{passed} lines passed");
    assert_eq!(passed + dropped, 5_000, "every line passed or is counted");
    assert_eq!(log.matches("more than 200 series").count(), 1, "{log}");
    assert!(log.contains("token issued"), "the audit log is not limited");
}
