//! Rate limits → `server.throttle`.

use super::Source;
use crate::config::compat::fab::document::Map;
use crate::config::compat::fab::value::Value;

/// What the units of the `limits` library last, in seconds.
const UNITS: [(&str, u64); 6] = [
    ("second", 1),
    ("minute", 60),
    ("hour", 3_600),
    ("day", 86_400),
    ("month", 2_592_000),
    ("year", 31_104_000),
];

pub(super) fn convert(source: &mut Source<'_>, server: &mut Map) {
    let on = source.flag("AUTH_RATE_LIMITED", "server.throttle");
    let enabled = source.flag("RATELIMIT_ENABLED", "server.throttle");
    for key in ["AUTH_RATE_LIMITED", "RATELIMIT_ENABLED"] {
        if let Some(at) = source.module.assigned.get(key)
            && at.value.truth() == Some(false)
        {
            let what = "log-ins were not limited; here ten failures a minute of one user are";
            source.note(
                key,
                at,
                what,
                "server.throttle: { user: 0, address: 0 } limits nothing",
            );
        }
    }
    const KEY: &str = "AUTH_RATE_LIMIT";
    let Some(at) = source.take(KEY) else { return };
    if on == Some(false) || enabled == Some(false) || at.value == Value::None {
        return;
    }
    let Value::Text(text) = &at.value else {
        return source.by_hand(KEY, at, at.value.kind(), "server.throttle");
    };
    let Some((count, seconds)) = limit(text) else {
        let help = "write one at server.throttle: { user, address, window }";
        return source.lacking(
            KEY,
            at,
            "several limits, or one that is not understood",
            help,
        );
    };
    let mut throttle = Map::default();
    throttle.put(
        "user",
        count.to_string(),
        "AUTH_RATE_LIMIT; only failures count here",
    );
    throttle.put(
        "address",
        count.to_string(),
        "FAB counts by address: behind a proxy set trusted_proxies",
    );
    throttle.put("window", format!("{seconds}s"), "");
    server.map("throttle", throttle, "");
}

/// `5 per 40 second`, `10/minute`, `3 per 2 hours`: how many, in how many seconds.
fn limit(text: &str) -> Option<(u32, u64)> {
    let text = text.trim().to_lowercase().replace('/', " per ");
    let mut words = text.split_whitespace();
    let count = words
        .next()?
        .parse()
        .ok()
        .filter(|count| (1..=1_000_000).contains(count))?;
    if words.next()? != "per" {
        return None;
    }
    let word = words.next()?;
    let (times, unit) = match word.parse::<u64>() {
        Ok(times) => (times, words.next()?),
        Err(_) => (1, word),
    };
    let unit = unit.strip_suffix('s').unwrap_or(unit);
    let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let seconds = seconds.checked_mul(times).filter(|seconds| *seconds > 0)?;
    words.next().is_none().then_some((count, seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_table() {
        for (text, expected) in [
            ("5 per 40 second", Some((5, 40))),
            ("10 per 20 seconds", Some((10, 20))),
            ("10/minute", Some((10, 60))),
            ("1 per 2 HOURS", Some((1, 7_200))),
            ("10 per minute; 100 per hour", None),
            ("0 per minute", None),
            ("many per minute", None),
            ("10 per 99999999999999999999 second", None),
            ("", None),
        ] {
            assert_eq!(limit(text), expected, "{text}");
        }
    }
}
