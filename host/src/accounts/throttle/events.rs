//! What one host has counted and the others should count, too: gathered for a moment, and
//! written as short as it goes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::table::Link;

/// This many wait to be told; under a flood of failures the others learn no more than that.
const MOST: usize = 2_000;

/// Bytes of one text, before base64.
const LONGEST: usize = 4_500;

/// What has happened to a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// A failure of an address.
    Address(u64),
    /// A failure of a user from an address.
    User(u64, Option<Link>),
    /// He succeeded.
    Cleared(u64),
}

/// What waits to be told.
#[derive(Debug, Default)]
pub(super) struct Events(Vec<Event>);

impl Events {
    pub(super) fn push(&mut self, event: Event) {
        if self.0.len() < MOST {
            self.0.push(event);
        }
    }

    /// Takes them all.
    pub(super) fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.0)
    }
}

/// Texts of a bounded length, each numbered: two of the same are two.
pub(super) fn texts(events: &[Event], first: u64) -> Vec<String> {
    let mut texts = Vec::new();
    let mut bytes: Vec<u8> = Vec::new();
    for event in events {
        if bytes.len() > LONGEST {
            texts.push(std::mem::take(&mut bytes));
        }
        write(event, &mut bytes);
    }
    texts.push(bytes);
    let numbered = (first..).zip(texts.iter().filter(|bytes| !bytes.is_empty()));
    numbered
        .map(|(number, bytes)| format!("{number:x} {}", STANDARD_NO_PAD.encode(bytes)))
        .collect()
}

/// The events of such a text; nothing of one that is none.
pub(super) fn events(text: &str) -> Vec<Event> {
    let encoded = text.split_once(' ').map(|(_, encoded)| encoded);
    let bytes = encoded.and_then(|encoded| STANDARD_NO_PAD.decode(encoded).ok());
    let mut events = Vec::new();
    let mut rest = bytes.as_deref().unwrap_or_default();
    while let Some(event) = read(&mut rest) {
        events.push(event);
    }
    events
}

fn write(event: &Event, to: &mut Vec<u8>) {
    let (kind, numbers) = match event {
        Event::Address(key) => (b'a', vec![*key]),
        Event::User(key, None) => (b'u', vec![*key]),
        Event::User(key, Some(link)) => (b'l', vec![*key, link.to, link.by]),
        Event::Cleared(key) => (b'c', vec![*key]),
    };
    to.push(kind);
    to.extend(numbers.into_iter().flat_map(u64::to_le_bytes));
}

fn read(rest: &mut &[u8]) -> Option<Event> {
    let (kind, after) = rest.split_first()?;
    *rest = after;
    let mut number = || {
        let (number, after) = rest.split_first_chunk::<8>()?;
        *rest = after;
        Some(u64::from_le_bytes(*number))
    };
    match kind {
        b'a' => Some(Event::Address(number()?)),
        b'u' => Some(Event::User(number()?, None)),
        b'l' => {
            let (key, to, by) = (number()?, number()?, number()?);
            Some(Event::User(key, Some(Link { to, by })))
        }
        b'c' => Some(Event::Cleared(number()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(count: u64) -> Vec<Event> {
        let link = Link {
            to: 7,
            by: u64::MAX,
        };
        let kinds = [
            Event::Address(1),
            Event::User(2, None),
            Event::User(3, Some(link)),
            Event::Cleared(u64::MAX),
        ];
        (0..count)
            .filter_map(|n| kinds.get(n as usize % 4).copied())
            .collect()
    }

    #[test]
    fn events_come_back_from_their_texts_which_are_short_and_each_another() {
        assert!(texts(&[], 0).is_empty());
        for count in [1, 4, 2_000] {
            let written = texts(&all(count), 9);
            assert!(written.iter().all(|text| text.len() < 7_000));
            let read: Vec<_> = written.iter().flat_map(|text| events(text)).collect();
            assert_eq!(read, all(count));
        }
        let same = texts(&[Event::Address(1); 2_000], 0);
        assert!(same.len() > 1 && same.iter().all(|text| events(text).len() > 1));
        let mut different = same.clone();
        different.dedup();
        assert_eq!(different, same);
    }

    #[test]
    fn text_of_anybody_else_is_harmless() {
        for text in ["", "x", "0 !", "0 YQ", "0 bGxsbGxsbGxs", "0 enp6enp6enp6"] {
            assert!(events(text).len() <= 1, "{text}");
        }
    }

    #[test]
    fn flood_is_bounded() {
        let mut waiting = Events::default();
        (0..100_000).for_each(|key| waiting.push(Event::Address(key)));
        assert_eq!(waiting.take().len(), MOST);
        assert!(waiting.take().is_empty());
    }
}
