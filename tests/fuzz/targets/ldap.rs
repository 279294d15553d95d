//! Names and filters of the LDAP plugin: what is typed stays one value.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| countersign_ldap::fuzzing::read(text));
