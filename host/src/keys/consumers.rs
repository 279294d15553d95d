//! When those who verify our tokens follow, once a key is no longer published.

use super::Terms;

/// One line for each kind of consumer.
pub(super) fn follow(terms: &Terms) -> Vec<String> {
    let max_age = humantime::format_duration(terms.max_age);
    vec![
        "who follows, and when:".into(),
        "  this server, and all others on its store: at once".into(),
        format!("  who keeps our keys as long as they are told (max-age): within {max_age}"),
        "  Airflow: within 1 h, or when its API server is restarted".into(),
        "  OpenMetadata: within 24 h (its key cache), or when it is restarted".into(),
    ]
}
