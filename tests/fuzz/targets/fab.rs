//! Flask-AppBuilder's webserver_config.py: whatever the text, the result is YAML of ours.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| countersign::config::fuzzing::import_fab(text));
