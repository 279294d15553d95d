//! Forms of the token endpoint: one reading or none, never a panic.
#![no_main]

use countersign::http::oauth2::form::Form;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(form) = Form::parse(bytes) else { return };
    for name in ["grant_type", "subject_token", "a", "b", ""] {
        let values = form.all(name);
        assert!(values.len() <= 1);
        assert!(
            values
                .iter()
                .all(|value| !value.is_empty() && !value.contains('\0'))
        );
    }
    assert!(form.all("audience").len() <= bytes.len());
});
