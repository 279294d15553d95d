//! The last decisions of this host, for people who look: a copy of the audit log's lines, in
//! memory and bounded. The log itself has all of them, and outlives a restart.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use super::Line;
use crate::clock;

/// So many are kept.
pub const MOST: usize = 1_000;

static RECENT: Mutex<Ring> = Mutex::new(Ring {
    next: 1,
    decisions: VecDeque::new(),
});

#[derive(Debug)]
struct Ring {
    next: u64,
    /// The oldest first.
    decisions: VecDeque<Decision>,
}

/// One line of the audit log. Texts of clients and plugins are cut and escaped as there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are those of `Line`")]
pub struct Decision {
    /// Its number, since the start.
    pub number: u64,
    /// Seconds since 1970.
    pub at: u64,
    /// What came of it, such as `token issued`.
    pub what: &'static str,
    pub request: Box<str>,
    pub path: Box<str>,
    pub outcome: Box<str>,
    pub backend: Box<str>,
    pub user: Box<str>,
    pub reason: Box<str>,
    pub address: Box<str>,
    pub agent: Box<str>,
    pub sub: Box<str>,
    pub jti: Box<str>,
    pub client: Box<str>,
    pub audience: Box<str>,
}

/// Which decisions are looked for; what is empty is any.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// A part of the user's name or of his subject, whatever its case.
    pub user: &'a str,
    /// The whole outcome.
    pub outcome: &'a str,
    /// The whole id of the request.
    pub request: &'a str,
    /// Only those with a smaller number.
    pub before: Option<u64>,
}

/// Keeps a line whose texts are clean.
pub(super) fn keep(what: &'static str, line: &Line<'_>) {
    let mut ring = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    ring.keep(what, line, clock::unix_now());
}

/// The decisions that pass the filter, the newest first, at most `limit`; and are there more?
pub fn decisions(filter: &Filter<'_>, limit: usize) -> (Vec<Decision>, bool) {
    let ring = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    ring.find(filter, limit)
}

/// The outcomes that occur.
pub fn outcomes() -> BTreeSet<Box<str>> {
    let ring = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    let outcomes = ring.decisions.iter().map(|it| it.outcome.clone());
    outcomes.collect()
}

impl Ring {
    fn keep(&mut self, what: &'static str, line: &Line<'_>, at: u64) {
        if self.decisions.len() == MOST {
            self.decisions.pop_front();
        }
        self.decisions.push_back(Decision {
            number: self.next,
            at,
            what,
            request: line.request.into(),
            path: line.path.into(),
            outcome: line.outcome.into(),
            backend: line.backend.into(),
            user: line.user.into(),
            reason: line.reason.into(),
            address: line.address.into(),
            agent: line.agent.into(),
            sub: line.sub.into(),
            jti: line.jti.into(),
            client: line.client.into(),
            audience: line.audience.into(),
        });
        self.next += 1;
    }

    fn find(&self, filter: &Filter<'_>, limit: usize) -> (Vec<Decision>, bool) {
        let user = filter.user.to_lowercase();
        let is_his = |text: &str| text.to_lowercase().contains(&user);
        let passes = |decision: &&Decision| {
            filter.before.is_none_or(|before| decision.number < before)
                && (filter.outcome.is_empty() || *decision.outcome == *filter.outcome)
                && (filter.request.is_empty() || *decision.request == *filter.request)
                && (user.is_empty() || is_his(&decision.user) || is_his(&decision.sub))
        };
        let mut found = self.decisions.iter().rev().filter(passes);
        let page = found.by_ref().take(limit).cloned().collect();
        (page, found.next().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(lines: &[Line<'_>]) -> Ring {
        let mut ring = Ring {
            next: 1,
            decisions: VecDeque::new(),
        };
        for line in lines {
            ring.keep("no token", line, 7);
        }
        ring
    }

    fn numbers(ring: &Ring, filter: &Filter<'_>, limit: usize) -> (Vec<u64>, bool) {
        let (found, more) = ring.find(filter, limit);
        (found.iter().map(|it| it.number).collect(), more)
    }

    #[test]
    fn decisions_are_found_by_user_outcome_and_request_newest_first() {
        let line = |user, outcome, request| Line {
            user,
            outcome,
            request,
            ..Line::default()
        };
        let ring = ring(&[
            line("ada", "denied", "r1"),
            line("Ada.L", "denied", "r2"),
            line("bob", "denied", "r3"),
            line("ada", "fault", "r4"),
        ]);
        let any = Filter::default();
        let ada = Filter { user: "ADA", ..any };
        assert_eq!(numbers(&ring, &any, 9), (vec![4, 3, 2, 1], false));
        assert_eq!(numbers(&ring, &ada, 2), (vec![4, 2], true));
        let older = Filter {
            before: Some(2),
            ..ada
        };
        assert_eq!(numbers(&ring, &older, 2), (vec![1], false));
        let denied = Filter {
            outcome: "denied",
            ..ada
        };
        assert_eq!(numbers(&ring, &denied, 9), (vec![2, 1], false));
        let third = Filter {
            request: "r3",
            ..any
        };
        assert_eq!(numbers(&ring, &third, 9), (vec![3], false));
    }

    #[test]
    fn oldest_decisions_are_forgotten() {
        let ring = ring(&vec![Line::default(); MOST + 5]);
        assert_eq!(ring.decisions.len(), MOST);
        let (found, more) = numbers(&ring, &Filter::default(), MOST);
        assert_eq!(
            (found.first(), found.last(), more),
            (Some(&1_005), Some(&6), false)
        );
    }
}
