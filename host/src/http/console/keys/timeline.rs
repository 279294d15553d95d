//! The lives of a ring's keys beside each other, as bars: published, signing, retiring.

use super::seconds;
use crate::keys::{KeyState, KeyView};

/// The width of all bars.
const WIDTH: f64 = 1_000.0;

/// A bar is at least this wide, to be seen.
const NARROWEST: f64 = 6.0;

/// No ring's bars reach over less time than this, in seconds.
const SHORTEST: u64 = 60;

/// The time that the bars reach over, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub from: u64,
    pub to: u64,
}

/// A stretch of a key's life.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar {
    /// The state's name, which is its class, too.
    pub class: &'static str,
    pub x: f64,
    pub width: f64,
}

impl Span {
    /// From the first thing that happened to the last that will, and a little more.
    pub(super) fn of(keys: &[KeyView], now: u64) -> Self {
        let times = || keys.iter().flat_map(times);
        let from = times().min().unwrap_or(now).min(now);
        let to = times().max().unwrap_or(now).max(now);
        let margin = (to - from).max(SHORTEST) / 20;
        Span {
            from: from.saturating_sub(margin),
            to: to + margin,
        }
    }

    /// Where a time is.
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
    pub(super) fn place(&self, at: u64) -> f64 {
        let whole = self.to - self.from;
        let part = at.clamp(self.from, self.to) - self.from;
        (part as f64 / whole.max(1) as f64 * WIDTH).round()
    }
}

/// The stretches of a key's life. What has no end yet reaches to the end of the picture.
pub(super) fn bars(key: &KeyView, span: &Span) -> Vec<Bar> {
    let at = |time: &Option<String>| seconds(time.as_deref());
    let published = at(&key.published).or_else(|| at(&key.created));
    let (activated, retired) = (at(&key.activated), at(&key.retired));
    let (ready, rotates, leaves) = (at(&key.ready), at(&key.rotates), at(&key.leaves));
    if key.state == KeyState::Extra {
        return vec![bar("extra", span.from, span.to, span)];
    }
    let mut bars = Vec::new();
    // A standby that is ready goes on being one until somebody rotates.
    let first = activated.or(retired);
    if let Some(from) = published.filter(|from| first.is_none_or(|first| *from < first)) {
        bars.push(bar("next", from, first.unwrap_or(span.to), span));
    }
    if let (KeyState::Next, Some(from)) = (key.state, ready) {
        bars.push(bar("ready", from, span.to, span));
    }
    if let Some(from) = activated {
        let to = retired.or(rotates).unwrap_or(span.to);
        bars.push(bar("active", from, to.max(from), span));
    }
    if let Some(from) = retired {
        bars.push(bar("retiring", from, leaves.unwrap_or(span.to), span));
    }
    bars
}

fn bar(class: &'static str, from: u64, to: u64, span: &Span) -> Bar {
    let (x, end) = (span.place(from), span.place(to));
    let x = x.min(WIDTH - NARROWEST);
    Bar {
        class,
        x,
        width: (end - x).max(NARROWEST),
    }
}

fn times(key: &KeyView) -> impl Iterator<Item = u64> {
    let times = [
        &key.published,
        &key.activated,
        &key.retired,
        &key.ready,
        &key.rotates,
        &key.leaves,
    ];
    let times = times.map(|time| seconds(time.as_deref()));
    times.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    use super::*;
    use crate::config::shapes::Algorithm;

    const NOW: u64 = 1_767_225_600;

    fn text(at: u64) -> Option<String> {
        let at = OffsetDateTime::from_unix_timestamp(at.try_into().unwrap());
        Some(at.unwrap().format(&Rfc3339).unwrap())
    }

    fn key(state: KeyState) -> KeyView {
        KeyView::new("k", Algorithm::RS256, state, "/k".into())
    }

    fn classes(bars: &[Bar]) -> Vec<&'static str> {
        bars.iter().map(|bar| bar.class).collect()
    }

    #[test]
    fn lives_of_a_rotated_ring_lie_beside_each_other_in_one_span() {
        let retiring = KeyView {
            published: text(NOW - 900),
            activated: text(NOW - 800),
            retired: text(NOW - 300),
            leaves: text(NOW + 100),
            ..key(KeyState::Retiring)
        };
        let active = KeyView {
            published: text(NOW - 500),
            activated: text(NOW - 300),
            ..key(KeyState::Active)
        };
        let next = KeyView {
            published: text(NOW - 300),
            ready: text(NOW + 60),
            ..key(KeyState::Next)
        };
        let keys = [active, next, retiring, key(KeyState::Extra)];
        let span = Span::of(&keys, NOW);
        assert_eq!((span.from, span.to), (NOW - 950, NOW + 150));
        let all: Vec<Vec<Bar>> = keys.iter().map(|key| bars(key, &span)).collect();
        assert_eq!(classes(&all[0]), ["next", "active"]);
        assert_eq!(classes(&all[1]), ["next", "ready"]);
        assert_eq!(classes(&all[2]), ["next", "active", "retiring"]);
        assert_eq!(classes(&all[3]), ["extra"]);
        for bar in all.iter().flatten() {
            assert!(
                bar.x >= 0.0 && bar.width >= NARROWEST && bar.x + bar.width <= WIDTH + 1.0,
                "{bar:?}"
            );
        }
        let end = all[2][2].x + all[2][2].width;
        assert!((end - span.place(NOW + 100)).abs() < 1.0);
    }

    #[test]
    fn ring_that_was_just_made_and_one_without_times_have_a_span() {
        let just = KeyView {
            published: text(NOW),
            activated: text(NOW),
            ..key(KeyState::Active)
        };
        for keys in [vec![just], vec![key(KeyState::Extra)], Vec::new()] {
            let span = Span::of(&keys, NOW);
            assert!(span.from < NOW && NOW < span.to, "{span:?}");
            assert!(keys.iter().all(|key| !bars(key, &span).is_empty()));
        }
    }
}
