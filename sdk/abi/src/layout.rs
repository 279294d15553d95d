//! abi_stable's layout error (28 to 42 kB of text) in a few lines: the types on
//! the way and what differs there.

use std::cmp::Reverse;

use abi_stable::abi_stability::abi_checking::{AbiInstability, AbiInstabilityErrors};

/// At most this many differences are told; the innermost first.
const SHOWN: usize = 2;

/// Of the way to a difference, the nearest steps say enough.
const STEPS: usize = 4;

/// The innermost differences, one a line: where, and what.
pub(crate) fn short(errors: &AbiInstabilityErrors) -> String {
    // Every type on the way has an entry; only those where something differs have
    // errors, and the innermost of them is the cause of the others.
    let mut causes: Vec<_> = errors
        .errors
        .iter()
        .filter(|error| !error.errs.is_empty())
        .collect();
    causes.sort_by_key(|error| Reverse(error.stack_trace.len()));
    let lines = causes.into_iter().take(SHOWN).map(|error| {
        let steps: Vec<String> = error
            .stack_trace
            .iter()
            .map(|step| step_name(&step.found.to_string()))
            .filter(|name| !name.is_empty())
            .collect();
        let nearest = &steps[steps.len().saturating_sub(STEPS)..];
        let what = error.errs.first().map(difference).unwrap_or_default();
        format!("  {}: {what}", nearest.join(" > "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `field: Type` of a step that is printed over several lines; none for a function's signature.
fn step_name(printed: &str) -> String {
    let part = |key: &str| {
        printed
            .lines()
            .find_map(|line| line.trim().strip_prefix(key))
            .map(|text| cut(text, 60))
    };
    match (part("field_name:"), part("type:")) {
        (Some(field), Some(kind)) => format!("{field}: {kind}"),
        (_, Some(kind)) => kind,
        _ => String::new(),
    }
}

fn difference(error: &AbiInstability) -> String {
    match error {
        AbiInstability::FieldCountMismatch(count) => {
            format!("{} fields expected, {} found", count.expected, count.found)
        }
        AbiInstability::Size(size) => {
            format!("{} bytes expected, {} found", size.expected, size.found)
        }
        other => cut(&format!("{other:?}"), 160),
    }
}

/// One line of at most `length` characters.
fn cut(text: &str, length: usize) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match flat.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &flat[..end]),
        None => flat,
    }
}
