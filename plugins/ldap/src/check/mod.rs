//! What no schema can say of the settings. Each mistake is told by its key, with what was
//! expected, what was found and what to do, and all of them at once.

mod attribute;
mod flow;
mod odd;
#[cfg(test)]
mod tests;

use std::time::Duration;

use countersign_sdk::{AuthError, Result};

use crate::config::Config;
use crate::dn::Dn;
use crate::filter::Filter;
use crate::groups;
pub(crate) use flow::Flow;
use flow::{accounts, flow};

/// Longer than this nobody waits for a login.
const LONGEST: Duration = Duration::from_secs(300);

/// How a user comes in, and who is looked for at all.
pub(crate) struct Checked {
    pub(crate) flow: Flow,
    /// `search.filter`.
    pub(crate) filter: Option<Filter>,
}

/// All mistakes of these settings; what is only odd is logged.
pub(crate) fn check(config: &Config) -> Result<Checked> {
    let mut wrong = Vec::new();
    let mut add = |key: &str, found: Result<(), String>| {
        if let Err(text) = found {
            wrong.push(format!("{key}: {text}"));
        }
    };
    for (key, result) in accounts(config) {
        add(key, result);
    }
    for (key, name, may_be_empty) in names(config) {
        add(key, attribute::check(name, may_be_empty));
    }
    for (key, found, range) in sizes(config) {
        let fits = range.contains(&found);
        add(
            key,
            fits.then_some(()).ok_or_else(|| {
                format!(
                    "expected {} to {}, found {found}",
                    range.start(),
                    range.end()
                )
            }),
        );
    }
    for (key, time) in times(config) {
        let fits = time <= LONGEST;
        add(
            key,
            fits.then_some(())
                .ok_or_else(|| format!("expected at most 5m, found {}s", time.as_secs())),
        );
    }
    for (key, base) in [
        ("search.base", &config.search.base),
        ("groups.base", &config.groups.base),
    ] {
        let is_name = base.is_empty() || Dn::parse(base).is_some();
        add(
            key,
            is_name.then_some(()).ok_or_else(|| {
                format!("expected a distinguished name as in dc=example,dc=com, found {base:?}")
            }),
        );
    }
    let filter = users(&config.search.filter);
    add(
        "search.filter",
        filter.as_ref().map(drop).map_err(Clone::clone),
    );
    let flow = flow(config);
    if let Err((key, text)) = &flow {
        add(key, Err(text.clone()));
    }
    wrong.extend(groups::check(config).err());
    match (flow, filter) {
        (Ok(flow), Ok(filter)) if wrong.is_empty() => {
            odd::warn(config);
            Ok(Checked { flow, filter })
        }
        _ => Err(AuthError::invalid(wrong.join("; "))),
    }
}

fn users(text: &str) -> Result<Option<Filter>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.contains("{username}") || text.contains("%s") {
        return Err(format!(
            "expected what users must match besides their name, found {text:?}; the name is compared with \
             `search.uid_attribute` anyway, so leave it out"
        ));
    }
    Filter::parse(text).map(Some)
}

/// Names of attributes, and whether there may be none.
fn names(config: &Config) -> [(&'static str, &str, bool); 7] {
    let own = &config.attributes;
    [
        ("search.uid_attribute", &config.search.uid_attribute, false),
        ("attributes.id", &own.id, false),
        ("attributes.username", &own.username, true),
        ("attributes.first_name", &own.first_name, true),
        ("attributes.last_name", &own.last_name, true),
        ("attributes.email", &own.email, true),
        ("attributes.groups", &own.groups, true),
    ]
}

fn sizes(config: &Config) -> [(&'static str, usize, std::ops::RangeInclusive<usize>); 3] {
    [
        ("pool.size", config.pool.size, 1..=1_000),
        ("groups.depth", config.groups.depth, 1..=100),
        ("groups.most", config.groups.most, 1..=100_000),
    ]
}

fn times(config: &Config) -> [(&'static str, Duration); 2] {
    [
        ("timeouts.connect", config.timeouts.connect),
        ("timeouts.operation", config.timeouts.operation),
    ]
}
