//! When those who verify our tokens follow a change of our keys.

use super::Terms;

/// Once a key is no longer published: one line for each kind of consumer.
pub(super) fn follow(terms: &Terms) -> Vec<String> {
    told(
        terms,
        "  OpenMetadata: within 24 h (its key cache), or when it is restarted",
    )
}

/// Once a key signs that they have not fetched: likewise.
pub(super) fn learn(terms: &Terms) -> Vec<String> {
    told(
        terms,
        "  OpenMetadata: at once, since it asks for a key that it does not know",
    )
}

fn told(terms: &Terms, openmetadata: &str) -> Vec<String> {
    let max_age = humantime::format_duration(terms.max_age);
    vec![
        "who follows, and when:".into(),
        "  this server, and all others on its store: at once".into(),
        format!("  who keeps our keys as long as they are told (max-age): within {max_age}"),
        "  Airflow: within 1 h, or when its API server is restarted".into(),
        openmetadata.into(),
    ]
}
