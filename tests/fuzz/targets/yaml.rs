//! Configuration: YAML and the `${…}` in its scalars.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| countersign::config::fuzzing::read(text));
