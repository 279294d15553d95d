//! Stored password hashes: whatever a column holds is a hash or is none.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| countersign_db::fuzzing::parse(text));
