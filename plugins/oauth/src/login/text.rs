//! What others say, made fit for a log: bounded, on one line, without our credentials.

use countersign_sdk::Secret;

/// The longest text of a provider in a log, in characters.
const LIMIT: usize = 200;

/// A provider's text, quoted: control characters and line separators are left out, it is cut at
/// a bound, and each of `secrets` that it repeats is blotted out.
pub(super) fn quoted(text: &str, secrets: &[&Secret]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.expose().is_empty()) {
        text = text.replace(secret.expose(), "…");
    }
    let shown = |c: &char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}');
    let mut shown = text.chars().filter(shown);
    let mut start: String = shown.by_ref().take(LIMIT).collect();
    if shown.next().is_some() {
        start.push('…');
    }
    format!("{start:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_text_is_bounded_on_one_line_and_without_secrets() {
        let secret = Secret::from("s3cret".to_owned());
        let text = format!("bad\r\ncode s3cret\u{2028}! {}", "x".repeat(300));
        let said = quoted(&text, &[&secret, &Secret::default()]);
        assert!(said.starts_with("\"badcode …! xxx"), "{said}");
        assert!(said.ends_with("x…\""), "{said}");
        assert_eq!(said.chars().count(), LIMIT + 3);
    }
}
