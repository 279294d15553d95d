//! Logs: text on a terminal, JSON otherwise, on standard error. `RUST_LOG`
//! chooses what is told, `info` by default.
//!
//! In JSON an event's fields stand beside `timestamp`, `level` and `target`; what is
//! logged in the course of a request has the request's id in `request`.

mod json;
pub mod otel;
pub mod pen;

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging. A second call, or one in a process that logs already, does nothing.
///
/// The audit log is told whatever the filter says. A log that cannot be written
/// (a full disk, a closed pipe) must not end a request: its errors are dropped.
pub fn start(filter: Option<&str>) {
    let asked = filter.map_or(Ok(EnvFilter::new("info")), EnvFilter::try_new);
    let wrong = asked.as_ref().err().map(ToString::to_string);
    let filter = asked.unwrap_or_else(|_| EnvFilter::new("info"));
    let filter = match "audit=info".parse() {
        Ok(audit) => filter.add_directive(audit),
        Err(_) => filter,
    };
    let builder = fmt()
        .with_env_filter(filter)
        .with_writer(pen::Pen)
        .log_internal_errors(false);
    let _ = if stderr().is_terminal() {
        builder.compact().try_init().is_ok()
    } else {
        let json = builder
            .fmt_fields(json::SpanRequest)
            .event_format(json::Lines);
        json.try_init().is_ok()
    };
    if let Some(error) = wrong {
        tracing::warn!(error, "RUST_LOG cannot be understood; logging at info");
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let text = unquoted(panic.payload_as_str().unwrap_or("no text"));
        tracing::error!(place, text, "a panic of the host; please report it");
    }));
}

/// A panic's text as far as it quotes nothing: what `str` and `unwrap` quote may be what a
/// client sent. The place says the rest.
fn unquoted(text: &str) -> &str {
    let end = text.find(['"', '\'', '`']).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c07_text_of_a_panic_quotes_nobody() {
        for (text, told) in [
            ("no route", "no route"),
            (
                "start byte index 1 is not a char boundary; it is inside 'é' (bytes 0..2) of `é-secret`",
                "start byte index 1 is not a char boundary; it is inside ",
            ),
            (
                "called `Result::unwrap()` on an `Err` value: \"secret\"",
                "called ",
            ),
        ] {
            assert_eq!(unquoted(text), told);
        }
    }
}
