//! A time as pages tell it.

use time::OffsetDateTime;

/// A time for people and for programs.
pub(in crate::http) struct Moment {
    /// `1 January 2026, 00:01 UTC`.
    pub text: String,
    /// For `datetime` (RFC 3339).
    pub machine: String,
}

impl Moment {
    /// From seconds since 1970.
    pub(in crate::http) fn of(seconds: u64) -> Self {
        let seconds = i64::try_from(seconds).unwrap_or_default();
        let at = OffsetDateTime::from_unix_timestamp(seconds);
        let at = at.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, second) = at.to_hms();
        let number = u8::from(month);
        Moment {
            text: format!("{day} {month} {year}, {hour:02}:{minute:02} UTC"),
            machine: format!("{year}-{number:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_to_people_and_to_programs() {
        let moment = Moment::of(1_767_225_661);
        assert_eq!(moment.text, "1 January 2026, 00:01 UTC");
        assert_eq!(moment.machine, "2026-01-01T00:01:01Z");
    }
}
