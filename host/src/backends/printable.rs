//! What a plugin says, as it may stand in a log line or a label.

/// A plugin's text is untrusted: at most 8 Ki characters of it, without control characters.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .take(8192)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
