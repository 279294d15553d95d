//! The tokens of OpenMetadata's ingestion that stand in the configuration: what `check` prints
//! of them, and what `serve` writes into its log.

use std::fmt;

use crate::accounts::store::Store;
use crate::clock;
use crate::config::compat::openmetadata::ingestion::{Held, Ingestion};
use crate::token::Tokens;
use crate::token::ingestion::{Fit, Unfit};

/// A token that ends within this time is told loudly.
const SOON: u64 = 7 * 86_400;

/// A token, and what is to be said of it.
pub(super) struct Judged {
    of: Ingestion,
    verdict: Verdict,
    now: u64,
}

enum Verdict {
    Fit(Fit),
    Unfit(Unfit),
    Nothing,
    Elsewhere,
    Unreadable(String),
}

/// Judges what stands in the blocks; `store` is asked whose tokens they are.
pub(super) async fn judge(
    ingestion: Vec<Ingestion>,
    tokens: &Tokens,
    store: Option<&Store>,
) -> Vec<Judged> {
    let now = clock::unix_now();
    let mut all = Vec::with_capacity(ingestion.len());
    for of in ingestion {
        let verdict = match &of.held {
            Held::Token(token) => match tokens.judge(token.expose(), store, now).await {
                Ok(fit) => Verdict::Fit(fit),
                Err(unfit) => Verdict::Unfit(unfit),
            },
            Held::Nothing => Verdict::Nothing,
            Held::Elsewhere => Verdict::Elsewhere,
            Held::Unreadable(why) => Verdict::Unreadable(why.clone()),
        };
        all.push(Judged { of, verdict, now });
    }
    all
}

impl Judged {
    /// Would a service that uses it fail?
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.verdict, Verdict::Unfit(_) | Verdict::Unreadable(_))
    }

    /// Writes it into the log.
    pub(super) fn log(&self) {
        if self.is_refused() || self.ends_soon() {
            tracing::warn!(place = %self.of.place, "{self}");
        } else {
            tracing::info!(place = %self.of.place, "{self}");
        }
    }

    fn ends_soon(&self) -> bool {
        let Verdict::Fit(fit) = &self.verdict else {
            return false;
        };
        fit.expires.is_some_and(|at| at < self.now + SOON)
    }

    /// When it ends, or ended.
    fn end(&self, expires: Option<u64>) -> String {
        let Some(at) = expires else {
            return "never expires".to_owned();
        };
        let away = long(at.abs_diff(self.now));
        let date = clock::written(at);
        match at < self.now {
            true => format!("{date}, {away} ago"),
            false if self.ends_soon() => format!("expires SOON, {date}, in {away}"),
            false => format!("expires {date}, in {away}"),
        }
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token {}: ", self.of.key)?;
        match &self.verdict {
            Verdict::Fit(fit) => {
                let owner = match (fit.owner.as_deref(), fit.is_theirs) {
                    (Some(owner), _) => owner,
                    (None, true) => "as long as OpenMetadata, which has issued it, stores it",
                    (None, false) => "nobody's whom the store knows",
                };
                let (user, end) = (line(&fit.user), self.end(fit.expires));
                write!(f, "accepted, {owner}, OpenMetadata's user {user}, {end}")
            }
            Verdict::Unfit(unfit @ Unfit::Expired(at)) => {
                write!(f, "REFUSED, {unfit}: {}", self.end(Some(*at)))
            }
            Verdict::Unfit(unfit) => write!(f, "REFUSED, {unfit}"),
            Verdict::Nothing => f.write_str(
                "none yet: `countersign bots token NAME --audience openmetadata` makes one",
            ),
            Verdict::Elsewhere => f.write_str(
                "not looked at: it stands in a secrets manager that only the service asks",
            ),
            Verdict::Unreadable(why) => {
                write!(f, "REFUSED, it is no token, and no file of one: {why}")
            }
        }
    }
}

/// How long that is, in the largest unit that still tells something.
fn long(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let unit = UNITS.into_iter().find(|(unit, _)| seconds >= 2 * unit);
    let (unit, name) = unit.unwrap_or((1, "seconds"));
    format!("{} {name}", seconds / unit)
}

/// On one line, and without what a terminal would take for a command.
fn line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
