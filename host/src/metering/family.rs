//! Metrics of one name that differ in their labels: each handle is made once.

use std::sync::{PoisonError, RwLock};

use metrics::{Counter, Histogram, Key, Label, Level, Metadata, Recorder, with_recorder};

/// Sets of labels of one name. More than any configuration needs; the last defence
/// against labels that a client chooses.
pub const MOST_SERIES: usize = 1_000;

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// Counters of one name.
pub(super) struct Counters<const N: usize>(Family<Counter, N>);

/// Histograms of one name.
pub(super) struct Histograms<const N: usize>(Family<Histogram, N>);

impl<const N: usize> Counters<N> {
    pub(super) const fn new(name: &'static str, labels: [&'static str; N]) -> Self {
        Counters(Family::new(name, labels))
    }

    pub(super) fn increment(&self, values: [&str; N]) {
        self.add(values, 1);
    }

    /// Makes the series, at zero.
    pub(super) fn appear(&self, values: [&str; N]) {
        self.add(values, 0);
    }

    fn add(&self, values: [&str; N], count: u64) {
        self.0.with(
            values,
            |recorder, key| recorder.register_counter(key, &METADATA),
            |counter| counter.increment(count),
        );
    }
}

impl<const N: usize> Histograms<N> {
    pub(super) const fn new(name: &'static str, labels: [&'static str; N]) -> Self {
        Histograms(Family::new(name, labels))
    }

    pub(super) fn record(&self, values: [&str; N], value: f64) {
        self.0.with(
            values,
            |recorder, key| recorder.register_histogram(key, &METADATA),
            |histogram| histogram.record(value),
        );
    }
}

struct Family<H, const N: usize> {
    name: &'static str,
    labels: [&'static str; N],
    /// A few dozen at the most in practice: comparing is faster than hashing.
    known: RwLock<Vec<([Box<str>; N], H)>>,
}

impl<H, const N: usize> Family<H, N> {
    const fn new(name: &'static str, labels: [&'static str; N]) -> Self {
        Family {
            name,
            labels,
            known: RwLock::new(Vec::new()),
        }
    }

    fn with(
        &self,
        values: [&str; N],
        make: impl FnOnce(&dyn Recorder, &Key) -> H,
        act: impl FnOnce(&H),
    ) {
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, handle)) = known.iter().find(|(of, _)| same(of, values)) {
                return act(handle);
            }
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let place = known.iter().position(|(of, _)| same(of, values));
        let place = match place {
            Some(place) => place,
            None if known.len() >= MOST_SERIES => return,
            None => {
                let labels = self.labels.into_iter().zip(values);
                let labels: Vec<Label> = labels
                    .map(|(name, value)| Label::new(name, value.to_owned()))
                    .collect();
                let key = Key::from_parts(self.name, labels);
                known.push((
                    values.map(Box::from),
                    with_recorder(|recorder| make(recorder, &key)),
                ));
                known.len() - 1
            }
        };
        if let Some((_, handle)) = known.get(place) {
            act(handle);
        }
    }
}

fn same<const N: usize>(of: &[Box<str>; N], values: [&str; N]) -> bool {
    of.iter().zip(values).all(|(of, value)| **of == *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h12_series_of_one_name_are_bounded_whatever_the_labels() {
        let counters: Counters<1> = Counters::new("test_total", ["user"]);
        for user in 0..2 * MOST_SERIES {
            counters.increment([&user.to_string()]);
        }
        let known = counters.0.known.read().map(|known| known.len());
        assert_eq!(known.ok(), Some(MOST_SERIES));
    }
}
