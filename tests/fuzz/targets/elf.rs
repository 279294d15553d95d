//! Plugin files before they are mapped: inspection must answer, whatever the bytes.
#![no_main]

use std::fs::File;
use std::io::{Seek, Write};
use std::path::Path;

use countersign_abi::Sealed;
use rustix::fs::{MemfdFlags, memfd_create};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut file = File::from(memfd_create("fuzz", MemfdFlags::CLOEXEC).unwrap());
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    let sealed = Sealed::of(&file, "fuzz", Path::new("/nowhere")).unwrap();
    let _ = sealed.inspect();
});
