//! Memory that a start has used and that may never be used again.

use std::fs;
use std::ops::Range;

/// A program or library with less code than this needs most of it for any call.
const LARGE: usize = 2 << 20;

/// Gives back to the system what a start has used: free pages of the heap, and the code and
/// constants of the program and of large libraries, which come back page by page when a call
/// needs them. A library with a database's driver and a TLS stack has made most of its pages
/// resident when it is configured, and uses a fourth of them from then on; the program has
/// read its command line, configuration and schemas for the last time. Where the system
/// refuses, nothing happens.
pub fn give_back_memory() {
    for range in unchanged(&fs::read_to_string("/proc/self/smaps").unwrap_or_default()) {
        let address = std::ptr::with_exposed_provenance_mut(range.start);
        // SAFETY: the range is mapped from a file, cannot be written to, and no page of it is a
        // private copy: each is the file's own page in the system's cache, and what is read
        // there next is that page again. Program and libraries are never unmapped, so the range
        // is still what it was when it was listed.
        let _ = unsafe { libc::madvise(address, range.len(), libc::MADV_DONTNEED) };
    }
    // SAFETY: has no preconditions; glibc locks its arenas one by one.
    #[cfg(target_env = "gnu")]
    let _ = unsafe { libc::malloc_trim(0) };
}

/// The large mappings of files that nobody has written to and nobody can, in the text of
/// `/proc/self/smaps` (proc(5)). What relocation has written to has private copies.
fn unchanged(smaps: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut last = None;
    for line in smaps.lines() {
        let mut words = line.split_ascii_whitespace();
        let first = words.next().unwrap_or_default();
        if let Some(range) = addresses(first) {
            let fixed = words.next().is_some_and(|rights| !rights.contains('w'));
            let file = words.nth(3).is_some_and(|name| name.starts_with('/'));
            last = Some(range).filter(|range| fixed && file && range.len() >= LARGE);
        } else if first == "Anonymous:" && words.next() == Some("0") {
            ranges.extend(last.take());
        }
    }
    ranges
}

/// `7f0000000000-7f0000001000`
fn addresses(word: &str) -> Option<Range<usize>> {
    let (start, end) = word.split_once('-')?;
    let parsed = |hex| usize::from_str_radix(hex, 16).ok();
    Some(parsed(start)?..parsed(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unchanged_are_large_parts_of_files_without_a_private_page() {
        let part = |range: &str, rights: &str, name: &str, private: usize| {
            format!(
                "{range} {rights} 00000000 00:01 1042   {name}\nSize:  9 kB\nAnonymous:  {private} kB\nVmFlags: rd ex\n"
            )
        };
        let large = "7f0000000000-7f0000800000";
        let smaps = [
            part(large, "r-xp", "/memfd:db (deleted)", 0),
            part(
                "7f1000000000-7f1000300000",
                "r--p",
                "/memfd:db (deleted)",
                0,
            ),
            part(large, "r--p", "/memfd:db (deleted)", 12),
            part(large, "rw-p", "/memfd:db (deleted)", 0),
            part(
                "7f0000000000-7f0000100000",
                "r-xp",
                "/memfd:db (deleted)",
                0,
            ),
            part(
                "7f2000000000-7f2000800000",
                "r-xp",
                "/usr/bin/countersign",
                0,
            ),
            part(large, "r-xp", "", 0),
            part(large, "r-xp", "[vdso]", 0),
            "7f0000000000-".to_owned(),
        ]
        .concat();
        let expected = [
            0x7f00_0000_0000..0x7f00_0080_0000,
            0x7f10_0000_0000..0x7f10_0030_0000,
            0x7f20_0000_0000..0x7f20_0080_0000,
        ];
        assert_eq!(unchanged(&smaps), expected);
        assert_eq!(unchanged(""), []);
    }

    #[test]
    fn memory_that_was_given_back_is_still_there() {
        let kept = vec![7_u8; 1 << 20];
        drop(vec![8_u8; 1 << 20]);
        give_back_memory();
        assert!(kept.iter().all(|byte| *byte == 7));
    }
}
