//! Counters in a fixed number of places. Each belongs to one of many small groups, by its
//! hashed key; a full group gives up what is spent, else what has counted least. So a
//! flood of fresh names wipes out fresh names, not the count of whoever is near his limit.

use std::time::{Duration, Instant};

/// Places in a group.
const GROUP: usize = 8;

/// A burst of parallel tries is counted in full, and worked off window by window; but
/// whoever sends thousands waits for this many windows at the most.
const DEBT: u32 = 60;

/// What one window forgives; `most` = 0 is no limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) most: u32,
    pub(super) window: Duration,
}

/// Where the count of a typed name leads, and which backend said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) to: u64,
    pub(super) by: u64,
}

#[derive(Debug)]
struct Entry {
    key: u64,
    since: Instant,
    count: u32,
    link: Option<Link>,
}

#[derive(Debug)]
pub(super) struct Table {
    groups: Vec<Vec<Entry>>,
    length: usize,
}

impl Table {
    /// At most about `places` counters.
    pub(super) fn new(places: usize) -> Self {
        let groups = (0..places / GROUP).map(|_| Vec::new()).collect();
        Table { groups, length: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How long the key has to wait; none: it need not.
    pub(super) fn pause(&self, key: u64, limit: &Limit, now: Instant) -> Option<Duration> {
        let entry = self.get(key).filter(|_| limit.most > 0)?;
        if entry.level(limit, now) < limit.most {
            return None;
        }
        let windows = (entry.count - limit.most) / limit.most + 1;
        let over = limit.window.saturating_mul(windows);
        Some(over.saturating_sub(now.saturating_duration_since(entry.since)))
    }

    pub(super) fn link(&self, key: u64) -> Option<Link> {
        self.get(key)?.link
    }

    /// Counts one failure.
    pub(super) fn count(&mut self, key: u64, limit: &Limit, link: Option<Link>, now: Instant) {
        if limit.most == 0 {
            return;
        }
        let at = self.group(key);
        let Some(group) = self.groups.get_mut(at) else {
            return;
        };
        if let Some(entry) = group.iter_mut().find(|entry| entry.key == key) {
            entry.count_one(limit, now);
            entry.link = link.or(entry.link);
            return;
        }
        let entry = Entry {
            key,
            since: now,
            count: 1,
            link,
        };
        if group.len() < GROUP {
            group.push(entry);
            self.length += 1;
        } else if let Some(least) = group.iter_mut().min_by_key(|entry| entry.level(limit, now)) {
            *least = entry;
        }
    }

    /// Was there something to clear?
    pub(super) fn clear(&mut self, key: u64) -> bool {
        let at = self.group(key);
        let Some(group) = self.groups.get_mut(at) else {
            return false;
        };
        let place = group.iter().position(|entry| entry.key == key);
        if let Some(place) = place {
            group.swap_remove(place);
            self.length -= 1;
        }
        place.is_some()
    }

    fn get(&self, key: u64) -> Option<&Entry> {
        let group = self.groups.get(self.group(key))?;
        group.iter().find(|entry| entry.key == key)
    }

    fn group(&self, key: u64) -> usize {
        usize::try_from(key % self.groups.len().max(1) as u64).unwrap_or_default()
    }
}

impl Entry {
    /// What is left of the count after the windows that have passed.
    fn level(&self, limit: &Limit, now: Instant) -> u32 {
        let forgiven = limit.most.saturating_mul(self.windows(limit, now));
        self.count.saturating_sub(forgiven)
    }

    fn count_one(&mut self, limit: &Limit, now: Instant) {
        let level = self.level(limit, now);
        let passed = limit.window.saturating_mul(self.windows(limit, now));
        self.since = match self.since.checked_add(passed) {
            Some(since) if level > 0 => since,
            _ => now,
        };
        self.count = (level + 1).min(limit.most.saturating_mul(DEBT));
    }

    fn windows(&self, limit: &Limit, now: Instant) -> u32 {
        let passed = now.saturating_duration_since(self.since).as_nanos();
        let windows = passed / limit.window.as_nanos().max(1);
        // More than the longest debt is all the same.
        u32::try_from(windows).unwrap_or(DEBT).min(DEBT + 1)
    }
}
