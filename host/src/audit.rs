//! The audit log: one line for each decision, under the target `audit`, whatever the
//! log filter says. It names who, where from, which backend, what and why; it never
//! holds a credential. The line's time is the log's own.
//!
//! What a client or a plugin wrote is cut, and characters that could forge a line or
//! hide in one are escaped (OWASP ASVS 16.4.1).

pub mod recent;

use crate::telemetry::pen::PUT_ASIDE;

/// A client's text in a line is cut to this many characters.
const CLIENT: usize = 256;

/// A plugin's reason is cut to this many characters.
const REASON: usize = 1024;

/// One decision about one request. Empty fields are left out of the line.
#[derive(Debug, Clone, Copy, Default)]
pub struct Line<'a> {
    /// The id of the request, as its answer and its other lines say it.
    pub request: &'a str,
    /// The route that was called, such as `/auth/token`.
    pub path: &'a str,
    /// `authenticated`, `denied`, `unavailable` …
    pub outcome: &'a str,
    /// The backend that decided.
    pub backend: &'a str,
    /// The subject that the backend names, else the name as it was typed.
    pub user: &'a str,
    /// Why, precisely.
    pub reason: &'a str,
    /// The client's address.
    pub address: &'a str,
    /// The client's `User-Agent`.
    pub agent: &'a str,
    /// `sub` of the token.
    pub sub: &'a str,
    /// `jti` of the token.
    pub jti: &'a str,
    /// The OAuth client that asked for the token, as it calls itself.
    pub client: &'a str,
    /// The token's audience by its name in `tokens.audiences`; empty = the default one.
    pub audience: &'a str,
    /// Names of claims that only the host sets, and that the plugin returned nonetheless.
    pub reserved: &'a str,
}

/// One change of what is remembered: of a bot, of its tokens, of a user's own.
#[derive(Debug, Clone, Copy, Default)]
pub struct Managed<'a> {
    /// What was done, in words of ours.
    pub what: &'static str,
    /// The bot, or the user.
    pub subject: &'a str,
    /// `jti` of the token, if it was done to one.
    pub jti: &'a str,
    /// Who asked for it.
    pub by: &'a str,
    /// The id of the request.
    pub request: &'a str,
    /// The client's address.
    pub address: &'a str,
}

/// Something was changed, durably: to be told with
/// [`written`](crate::telemetry::pen::written) before it is answered.
pub fn managed(change: &Managed<'_>) {
    let (subject, by) = (clean(change.subject, CLIENT), clean(change.by, CLIENT));
    tracing::info!(
        name: PUT_ASIDE, target: "audit", parent: None,
        request = given(change.request), outcome = "changed", change = change.what, user = &subject,
        jti = given(change.jti), by = &by, address = given(change.address), "changed"
    );
    let clean = Line {
        request: change.request,
        outcome: "changed",
        user: &subject,
        reason: &format!("by {by}"),
        address: change.address,
        jti: change.jti,
        ..Line::default()
    };
    recent::keep(change.what, &clean);
}

/// A token was issued: to be told with [`written`](crate::telemetry::pen::written) before the
/// token is. As in all lines, `parent: None`: they name their request themselves.
pub fn issued(line: &Line<'_>) {
    let (user, agent) = (clean(line.user, CLIENT), clean(line.agent, CLIENT));
    let (sub, client) = (clean(line.sub, REASON), clean(line.client, CLIENT));
    tracing::info!(
        name: PUT_ASIDE, target: "audit", parent: None,
        request = line.request, path = line.path, outcome = line.outcome, backend = line.backend,
        user, sub, jti = line.jti, client = given(&client), audience = given(line.audience), reserved = given(line.reserved),
        address = given(line.address), agent = given(&agent), "token issued"
    );
    let clean = Line {
        user: &user,
        agent: &agent,
        sub: &sub,
        client: &client,
        ..*line
    };
    recent::keep("token issued", &clean);
}

/// A user signed in to this server itself, in a browser; `sub` is his id in the backend.
pub fn signed_in(line: &Line<'_>) {
    let (user, agent) = (clean(line.user, CLIENT), clean(line.agent, CLIENT));
    let sub = clean(line.sub, REASON);
    tracing::info!(
        target: "audit", parent: None, request = line.request, path = line.path, outcome = line.outcome, backend = line.backend,
        user, sub, address = given(line.address), agent = given(&agent), "signed in"
    );
    let clean = Line {
        user: &user,
        agent: &agent,
        sub: &sub,
        ..*line
    };
    recent::keep("signed in", &clean);
}

/// There is no token.
pub fn refused(line: &Line<'_>) {
    let (user, agent) = (clean(line.user, CLIENT), clean(line.agent, CLIENT));
    let reason = clean(line.reason, REASON);
    tracing::warn!(
        target: "audit", parent: None, request = line.request, path = line.path, outcome = line.outcome, backend = given(line.backend),
        user = given(&user), reason, address = given(line.address), agent = given(&agent), "no token"
    );
    let clean = Line {
        user: &user,
        agent: &agent,
        reason: &reason,
        ..*line
    };
    recent::keep("no token", &clean);
}

/// A request may pass a proxy that asked at `/auth/verify`.
pub fn let_through(line: &Line<'_>) {
    let (user, agent) = (clean(line.user, CLIENT), clean(line.agent, CLIENT));
    let sub = clean(line.sub, REASON);
    let jti = clean(line.jti, CLIENT);
    tracing::info!(
        target: "audit", parent: None, request = line.request, path = line.path, outcome = line.outcome, backend = given(line.backend),
        user = given(&user), sub, jti = given(&jti), audience = given(line.audience),
        address = given(line.address), agent = given(&agent), "let through"
    );
}

/// It may not.
pub fn kept_out(line: &Line<'_>) {
    let (user, agent) = (clean(line.user, CLIENT), clean(line.agent, CLIENT));
    let (sub, reason) = (clean(line.sub, REASON), clean(line.reason, REASON));
    let jti = clean(line.jti, CLIENT);
    tracing::warn!(
        target: "audit", parent: None, request = line.request, path = line.path, outcome = line.outcome, backend = given(line.backend),
        user = given(&user), sub = given(&sub), jti = given(&jti), audience = given(line.audience), reason,
        address = given(line.address), agent = given(&agent), "kept out"
    );
    let clean = Line {
        user: &user,
        agent: &agent,
        sub: &sub,
        jti: &jti,
        reason: &reason,
        ..*line
    };
    recent::keep("kept out", &clean);
}

/// A backend did not have the last word: the chain went on to the next.
pub fn passed_over(line: &Line<'_>) {
    let (user, reason) = (clean(line.user, CLIENT), clean(line.reason, REASON));
    tracing::info!(
        target: "audit", parent: None, request = line.request, path = line.path, outcome = line.outcome, backend = line.backend,
        user = given(&user), reason = given(&reason), address = given(line.address), "passed over"
    );
    let clean = Line {
        user: &user,
        reason: &reason,
        agent: "",
        ..*line
    };
    recent::keep("passed over", &clean);
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// At most `most` characters, those that no reader sees, or that move what he sees, escaped.
pub fn clean(text: &str, most: usize) -> String {
    let mut clean = String::with_capacity(text.len().min(most));
    for character in text.chars().take(most) {
        if is_hidden(character) {
            clean.extend(character.escape_unicode());
        } else {
            clean.push(character);
        }
    }
    clean
}

/// Controls (C0, DEL, C1), line and paragraph separators, what has no width, and what
/// changes the direction of writing.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}')
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(character, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h08_hidden_characters_are_escaped_and_others_stay() {
        for (text, cleaned) in [
            ("ada", "ada"),
            ("jörg-ß 日本 🙂", "jörg-ß 日本 🙂"),
            ("a\r\nb", "a\\u{d}\\u{a}b"),
            ("\u{1b}[31m", "\\u{1b}[31m"),
            ("a\u{9b}31m", "a\\u{9b}31m"),
            ("a\u{202e}b\u{2028}c", "a\\u{202e}b\\u{2028}c"),
            ("CORP\\ada", "CORP\\ada"),
        ] {
            assert_eq!(clean(text, 100), cleaned);
        }
    }

    #[test]
    fn h08_long_texts_are_cut_between_characters() {
        assert_eq!(clean(&"ß".repeat(1_000), 3), "ßßß");
    }
}
