//! A preset of `config/` as an operator makes it who takes the # away from one of its blocks.

use std::fs;

use crate::artifacts::repository;

/// The preset with this backend's block, which ends at the first line that is no comment.
pub fn uncommented(file: &str, backend: &str) -> String {
    let text = fs::read_to_string(repository().join("config").join(file)).unwrap();
    let (before, block) = text.split_once(&format!("  # {backend}:\n")).unwrap();
    let mut is_block = true;
    let lines = block.lines().map(|line| {
        let bare = line.strip_prefix("  # ").filter(|_| is_block);
        is_block = bare.is_some();
        bare.map_or_else(|| format!("{line}\n"), |bare| format!("  {bare}\n"))
    });
    format!("{before}  {backend}:\n{}", lines.collect::<String>())
}
