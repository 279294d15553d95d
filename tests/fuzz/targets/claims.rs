//! What the OAuth plugin reads of claims: expressions, groups, addresses.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| countersign_oauth::fuzzing::read(text));
