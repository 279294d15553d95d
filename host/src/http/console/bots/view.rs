//! Bots and their tokens as the pages show them.

use super::super::door::Inside;
use super::super::shell::Badge;
use super::super::when::When;
use super::{forms, one};
use crate::accounts::lasting::Lasting;
use crate::config::shapes::{Expiry, TokenForm};
use crate::token::management::Described;

/// Tokens whose time is over within this many seconds are marked; of those that live shorter,
/// the last quarter of their time.
pub(super) const SOON: u64 = 7 * 86_400;

/// A bot in the list.
pub(super) struct Row {
    pub name: String,
    pub href: String,
    pub display_name: String,
    pub description: String,
    pub roles: Vec<String>,
    /// Live tokens.
    pub live: usize,
    /// The next end of one.
    pub end: Option<End>,
    pub used: Option<When>,
}

/// When a token ends.
pub(super) struct End {
    /// A class: plain, or `late-text`.
    pub class: &'static str,
    /// None = never.
    pub when: Option<When>,
}

/// A token of a bot.
pub(super) struct Token {
    pub id: String,
    pub name: String,
    pub badge: Badge,
    pub is_live: bool,
    pub form: &'static str,
    pub span: &'static str,
    pub audience: Option<String>,
    pub made: When,
    pub by: String,
    pub end: End,
    pub used: Option<When>,
}

/// A bot for the list.
pub(super) fn row(inside: &Inside, described: &Described) -> Row {
    let (bot, now) = (&described.bot, inside.visit.now);
    let live: Vec<&Lasting> = described
        .tokens
        .iter()
        .filter(|token| token.is_live(now))
        .collect();
    let first = live
        .iter()
        .min_by_key(|token| token.end().unwrap_or(u64::MAX));
    let used = described.tokens.iter().filter_map(|it| it.last_used_at);
    Row {
        name: bot.name.clone(),
        href: inside.path(&one::path(&bot.name)),
        display_name: bot.display_name.clone(),
        description: bot.description.clone(),
        roles: bot.roles.clone(),
        live: live.len(),
        end: first.map(|token| end(token, now)),
        used: used.max().map(|at| When::of(at, now)),
    }
}

/// A token for the page of its bot.
pub(super) fn token(token: &Lasting, now: u64) -> Token {
    Token {
        id: token.id.clone(),
        name: token.name.clone(),
        badge: badge(token, now),
        is_live: token.is_live(now),
        form: match token.form {
            TokenForm::Jwt => "signed",
            TokenForm::Opaque => "opaque",
        },
        span: forms::span(token.expiry),
        audience: token.audience.clone(),
        made: When::of(token.created_at, now),
        by: token.created_by.clone(),
        end: end(token, now),
        used: token.last_used_at.map(|at| When::of(at, now)),
    }
}

fn badge(token: &Lasting, now: u64) -> Badge {
    if token.revoked_at.is_some() {
        return Badge::new("soft", "revoked");
    }
    if !token.is_live(now) {
        let text = match token.expires_at.is_some_and(|at| at <= now) {
            true => "expired",
            false => "replaced",
        };
        return Badge::new("soft", text);
    }
    match (token.ends_at, is_soon(token, now)) {
        (Some(_), _) => Badge::new("late", "replaced, ends soon"),
        (None, true) => Badge::new("late", "expires soon"),
        (None, false) => Badge::new("good", "live"),
    }
}

fn end(token: &Lasting, now: u64) -> End {
    let end = token.revoked_at.or_else(|| token.end());
    let is_late = token.is_live(now) && (token.expiry == Expiry::Unlimited || is_soon(token, now));
    End {
        class: if is_late { "late-text" } else { "plain" },
        when: end.map(|at| When::of(at, now)),
    }
}

/// Does it end soon, seen from how long it was to live?
pub(super) fn is_soon(token: &Lasting, now: u64) -> bool {
    let Some(end) = token.end() else {
        return false;
    };
    let quarter = end.saturating_sub(token.created_at) / 4;
    end.saturating_sub(now) <= quarter.min(SOON)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::lasting::Owner;

    const NOW: u64 = 1_767_225_600;
    const DAY: u64 = 86_400;

    fn lasting(expires_at: Option<u64>, revoked_at: Option<u64>, ends_at: Option<u64>) -> Lasting {
        Lasting {
            id: "0".repeat(32),
            owner: Owner::Bot("b".into()),
            name: String::new(),
            form: TokenForm::Jwt,
            audience: None,
            kid: String::new(),
            principal: None,
            expiry: if expires_at.is_some() {
                Expiry::Ninety
            } else {
                Expiry::Unlimited
            },
            created_at: NOW - DAY,
            created_by: "ada".into(),
            expires_at,
            revoked_at,
            ends_at,
            last_used_at: None,
        }
    }

    #[test]
    fn b06_state_of_a_token_is_told() {
        let later = Some(NOW + 89 * DAY);
        for (token, text, class) in [
            (lasting(later, None, None), "live", "plain"),
            (lasting(None, None, None), "live", "late-text"),
            (lasting(Some(NOW + 7 * DAY), None, None), "live", "plain"),
            (
                lasting(Some(NOW + 3_600), None, None),
                "expires soon",
                "late-text",
            ),
            (lasting(Some(NOW), None, None), "expired", "plain"),
            (lasting(later, Some(NOW - 9), None), "revoked", "plain"),
            (
                lasting(later, None, Some(NOW + 60)),
                "replaced, ends soon",
                "late-text",
            ),
            (lasting(later, None, Some(NOW)), "replaced", "plain"),
        ] {
            assert_eq!(badge(&token, NOW).text, text, "{token:?}");
            assert_eq!(end(&token, NOW).class, class, "{token:?}");
        }
    }
}
