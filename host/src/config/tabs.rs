//! Tabs that indent: YAML forbids them, and its parser stops at the first. Here
//! all of them are found, and the text is made readable for the errors after.

use std::path::Path;
use std::sync::Arc;

use super::origins::Place;
use super::report::Finding;

/// One finding for every line that a tab indents.
pub(super) fn findings(text: &str, path: &Arc<Path>) -> Vec<Finding> {
    let column = |line: &str| {
        line.find(|c| c != ' ')
            .filter(|i| line[*i..].starts_with('\t'))
    };
    let tabs = text
        .lines()
        .enumerate()
        .filter_map(|(i, line)| Some((i + 1, column(line)? + 1)));
    let found = tabs.map(|(line, column)| {
        let place = Place::File {
            path: path.clone(),
            line,
            column,
        };
        Finding::new(place, "a tab indents this line").help("YAML indents with spaces only")
    });
    found.collect()
}

/// The text with two blanks for every such tab.
pub(super) fn removed(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let content = line.trim_start_matches([' ', '\t']);
        line[..line.len() - content.len()].replace('\t', "  ") + content
    });
    lines.collect::<Vec<_>>().join("\n")
}
