//! Tokens of strangers.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = countersign_verify::Jws::parse(text);
});
