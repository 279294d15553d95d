//! Times as operators read them: how long ago, or how long until.

use askama::Template;

use crate::http::login::moment::Moment;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A time beside now.
#[derive(Template)]
#[template(path = "console/when.html")]
pub(super) struct When {
    pub moment: Moment,
    /// `in 3 days`, `2 hours ago`.
    pub told: String,
}

impl When {
    /// Both in seconds since 1970.
    pub(super) fn of(at: u64, now: u64) -> Self {
        let told = match (at.checked_sub(now), now.checked_sub(at)) {
            (_, Some(ago)) if ago < MINUTE => "just now".to_owned(),
            (_, Some(ago)) => format!("{} ago", words(ago)),
            (Some(left), _) => format!("in {}", words(left)),
            (None, None) => String::new(),
        };
        Self {
            moment: Moment::of(at),
            told,
        }
    }
}

/// A span in one unit: `59 minutes`, `35 hours`, `2 days`.
pub(super) fn words(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..MINUTE => (seconds, "second"),
        MINUTE..5_400 => (seconds / MINUTE, "minute"),
        5_400..129_600 => ((seconds + HOUR / 2) / HOUR, "hour"),
        _ => ((seconds + DAY / 2) / DAY, "day"),
    };
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_now() {
        const NOW: u64 = 1_767_225_600;
        for (at, told) in [
            (NOW, "just now"),
            (NOW - 59, "just now"),
            (NOW - 60, "1 minute ago"),
            (NOW - 7_200, "2 hours ago"),
            (NOW + 1, "in 1 second"),
            (NOW + 3_600, "in 60 minutes"),
            (NOW + 86_400, "in 24 hours"),
            (NOW + 30 * 86_400, "in 30 days"),
            (0, "20454 days ago"),
        ] {
            assert_eq!(When::of(at, NOW).told, told);
        }
    }
}
