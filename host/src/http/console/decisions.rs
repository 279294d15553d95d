//! `/console/decisions`: the last lines of the audit log, by user, outcome and request.

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use url::form_urlencoded::Serializer;

use super::DECISIONS;
use super::door::Inside;
use super::shell::{Badge, Shell};
use super::when::When;
use crate::audit::recent::{self, Decision, Filter};

/// On one page.
const LIMIT: usize = 50;

#[derive(Template)]
#[template(path = "console/decisions.html")]
struct Page<'a> {
    shell: Shell<'a>,
    action: String,
    user: &'a str,
    request: &'a str,
    outcomes: Vec<Choice>,
    is_filtered: bool,
    most: usize,
    rows: Vec<Row>,
    /// The next page's address.
    older: Option<String>,
    /// The first page's address, where this is another.
    newest: Option<String>,
}

struct Choice {
    value: Box<str>,
    is_chosen: bool,
}

struct Row {
    when: When,
    badge: Badge,
    decision: Decision,
    /// Every other field that is there.
    more: Vec<(&'static str, Box<str>)>,
}

/// The page.
pub(super) fn show(inside: &Inside) -> Response<Body> {
    let parameter = |name| inside.visit.parameter(name).unwrap_or_default();
    let (user, outcome, request) = (
        parameter("user"),
        parameter("outcome"),
        parameter("request"),
    );
    let before = parameter("before").parse().ok();
    let filter = Filter {
        user: user.trim(),
        outcome: &outcome,
        request: request.trim(),
        before,
    };
    let (found, more) = recent::decisions(&filter, LIMIT);
    let last = found.last().map(|decision| decision.number);
    let action = inside.path(DECISIONS);
    let address = |before: Option<u64>| address(&action, &filter, before);
    let mut outcomes = recent::outcomes();
    if !outcome.is_empty() {
        outcomes.insert(outcome.clone().into());
    }
    let choice = |value: Box<str>| Choice {
        is_chosen: *value == *outcome,
        value,
    };
    let page = Page {
        shell: inside.shell(DECISIONS),
        user: filter.user,
        request: filter.request,
        outcomes: outcomes.into_iter().map(choice).collect(),
        is_filtered: [filter.user, filter.outcome, filter.request] != [""; 3],
        most: recent::MOST,
        rows: found
            .into_iter()
            .map(|decision| row(decision, inside.visit.now))
            .collect(),
        older: more.then(|| address(last)),
        newest: before.map(|_| address(None)),
        action: action.clone(),
    };
    inside.page(StatusCode::OK, &page)
}

fn address(action: &str, filter: &Filter<'_>, before: Option<u64>) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in [
        ("user", filter.user),
        ("outcome", filter.outcome),
        ("request", filter.request),
    ] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    if let Some(before) = before {
        query.append_pair("before", &before.to_string());
    }
    match query.finish() {
        query if query.is_empty() => action.to_owned(),
        query => format!("{action}?{query}"),
    }
}

fn row(decision: Decision, now: u64) -> Row {
    let kind = match &*decision.outcome {
        "authenticated" | "changed" => "good",
        "denied" | "invalid" | "throttled" | "malformed" | "not_applicable" => "late",
        "abandoned" => "soft",
        _ => "bad",
    };
    let more = [
        ("Request", &decision.request),
        ("Route", &decision.path),
        ("Subject", &decision.sub),
        ("Token", &decision.jti),
        ("Audience", &decision.audience),
        ("Client", &decision.client),
        ("Browser", &decision.agent),
    ];
    let more = more.into_iter().filter(|(_, value)| !value.is_empty());
    Row {
        when: When::of(decision.at, now),
        badge: Badge::new(kind, decision.outcome.replace('_', " ")),
        more: more.map(|(name, value)| (name, value.clone())).collect(),
        decision,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_the_filter() {
        let filter = Filter {
            user: "a&b",
            outcome: "denied",
            ..Filter::default()
        };
        assert_eq!(
            address("/d", &filter, Some(7)),
            "/d?user=a%26b&outcome=denied&before=7"
        );
        assert_eq!(address("/d", &Filter::default(), None), "/d");
    }
}
