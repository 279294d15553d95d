//! abi_stable's layout error (28 to 42 kB of text) in a few lines: the types on
//! the way and what differs there.

use abi_stable::abi_stability::abi_checking::AbiInstabilityErrors;

/// At most this many differences are told; the first ones are the causes.
const SHOWN: usize = 3;

/// The first differences, one a line: where, and what.
pub(crate) fn short(errors: &AbiInstabilityErrors) -> String {
    let mut lines = Vec::new();
    for error in errors.errors.iter().take(SHOWN) {
        let path: Vec<String> = error
            .stack_trace
            .iter()
            .map(|step| cut(&step.expected.to_string()))
            .collect();
        for difference in error.errs.iter().take(1) {
            lines.push(format!(
                "{}: {}",
                path.join(" > "),
                cut(&format!("{difference:?}"))
            ));
        }
    }
    lines.join("\n")
}

/// One line of at most 160 characters.
fn cut(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", &flat[..end]),
        None => flat,
    }
}
