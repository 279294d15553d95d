//! Files that are no plugin any more: refused before the dynamic linker sees them.

use std::fs;

use countersign_tests::{Folder, artifacts};

use super::{changed, check, refused};

#[test]
fn p02_text_file_is_refused() {
    let folder = Folder::new();
    for content in ["", "#!/bin/sh\n", &"text ".repeat(1000)] {
        folder.plugin(&folder.write("text", content), "sin");
        refused(&folder, "", &["not an ELF file"]);
    }
}

#[test]
fn p02_truncated_file_is_refused_before_it_is_mapped() {
    let length = fs::metadata(artifacts::plugin("template")).unwrap().len() as usize;
    for keep in [64, 4096, length / 2, length - 1] {
        let folder = Folder::new();
        changed(&folder, |bytes| bytes.truncate(keep));
        refused(&folder, "", &["truncated", "copy the file again"]);
    }
}

#[test]
fn broken_plugin_never_takes_the_process_along() {
    // A spread of bytes of what the dynamic linker believes, one at a time: the
    // ELF header, the program headers, the dynamic segment.
    let good = fs::read(artifacts::fixture("no_symbol")).unwrap();
    let word = |at: usize| u64::from_le_bytes(good[at..at + 8].try_into().unwrap()) as usize;
    let headers = 64..64 + 56 * usize::from(good[56]);
    let dynamic = headers
        .clone()
        .step_by(56)
        .find(|at| good[*at..*at + 4] == [2, 0, 0, 0])
        .map(|at| word(at + 8)..word(at + 8) + word(at + 32))
        .unwrap();
    let folder = Folder::new();
    for at in (0..64).chain(headers.step_by(5)).chain(dynamic.step_by(3)) {
        let mut bytes = good.clone();
        bytes[at] ^= 0xff;
        folder.plugin(&folder.write("flipped", bytes), "sin");
        let done = check(&folder, "");
        assert_eq!(done.code, 78, "byte {at}: {done:?}");
    }
}
