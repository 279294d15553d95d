//! What a plugin measures, as `countersign_plugin_<name>{backend="…", …}`.
//!
//! Names and values are the plugin's, and untrusted: names are brought into
//! Prometheus' alphabet, values must be finite, and a backend has at most
//! [`MOST_SERIES`] series, since each stays in memory for ever.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use countersign_abi::Metric;
use metrics::{Counter, Gauge, Histogram, Label, counter, gauge, histogram};
use serde_json::Value;

use super::printable::printable;
use super::secrets::Secrets;

/// Series of one backend.
const MOST_SERIES: usize = 200;

/// Labels of one series, beside `backend`.
const MOST_LABELS: usize = 8;

/// Characters of a name.
const LONGEST_NAME: usize = 64;

/// Characters of a label's value.
const LONGEST_VALUE: usize = 128;

/// Names that the host itself uses under the same prefix.
const OURS: [&str; 2] = ["panics_total", "log_lines_dropped_total"];

pub(super) struct PluginMetrics {
    backend: String,
    secrets: Arc<Secrets>,
    /// By kind, name and labels as the plugin gave them; none: it is not to be had.
    series: Mutex<HashMap<(u8, String, String), Option<Series>>>,
    told: AtomicBool,
    panics: OnceLock<Counter>,
    dropped_lines: OnceLock<Counter>,
}

#[derive(Clone)]
enum Series {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

impl PluginMetrics {
    pub(super) fn of(backend: &str, secrets: Arc<Secrets>) -> Self {
        PluginMetrics {
            backend: backend.to_owned(),
            secrets,
            series: Mutex::default(),
            told: AtomicBool::new(false),
            panics: OnceLock::new(),
            dropped_lines: OnceLock::new(),
        }
    }

    /// Records a value. What cannot be recorded is passed over, and told once.
    pub(super) fn record(&self, kind: Metric, name: &str, labels: &str, value: f64) {
        if !value.is_finite() {
            return self.tell("a value that is no finite number");
        }
        match self.series(kind, name, labels) {
            // A count never goes back; the conversion saturates.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Some(Series::Counter(counter)) => counter.increment(value.round() as u64),
            Some(Series::Gauge(gauge)) => gauge.set(value),
            Some(Series::Histogram(histogram)) => histogram.record(value),
            None => {}
        }
    }

    /// Counts a panic.
    pub(super) fn panicked(&self) {
        let panics =
            || counter!("countersign_plugin_panics_total", "backend" => self.backend.clone());
        self.panics.get_or_init(panics).increment(1);
    }

    /// Counts a log line that was dropped.
    pub(super) fn line_dropped(&self) {
        let dropped = || counter!("countersign_plugin_log_lines_dropped_total", "backend" => self.backend.clone());
        self.dropped_lines.get_or_init(dropped).increment(1);
    }

    fn series(&self, kind: Metric, name: &str, labels: &str) -> Option<Series> {
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (kind as u8, name.to_owned(), labels.to_owned());
        if let Some(known) = all.get(&key) {
            return known.clone();
        }
        if all.len() >= MOST_SERIES {
            drop(all);
            self.tell(&format!("more than {MOST_SERIES} series"));
            return None;
        }
        let made = self.make(kind, name, labels);
        let series = made.as_ref().ok().cloned();
        all.insert(key, series.clone());
        drop(all);
        if let Err(why) = made {
            self.tell(why);
        }
        series
    }

    fn make(&self, kind: Metric, name: &str, labels: &str) -> Result<Series, &'static str> {
        let name = word(name);
        if name.is_empty() || OURS.contains(&name.as_str()) {
            return Err("a name that is empty or the host's own");
        }
        let labels = self.labels(labels)?;
        if !is_of_one_kind(&name, kind) {
            return Err("one name for two kinds of metric");
        }
        let name = format!("countersign_plugin_{name}");
        Ok(match kind {
            Metric::Counter => Series::Counter(counter!(name, labels)),
            Metric::Gauge => Series::Gauge(gauge!(name, labels)),
            Metric::Histogram => Series::Histogram(histogram!(name, labels)),
        })
    }

    fn labels(&self, json: &str) -> Result<Vec<Label>, &'static str> {
        let mut all = BTreeMap::from([("backend".to_owned(), self.backend.clone())]);
        if !json.is_empty() {
            let Ok(Value::Object(given)) = serde_json::from_str(json) else {
                return Err("labels that are no JSON object");
            };
            if given.len() > MOST_LABELS {
                return Err("more than 8 labels");
            }
            for (name, value) in given {
                let name = word(&name);
                // Prometheus keeps two underscores for itself.
                let usable = name.starts_with(|c: char| c.is_ascii_lowercase());
                let Value::String(value) = value else {
                    return Err("a label whose value is no text");
                };
                if !usable || all.contains_key(&name) {
                    return Err("a label without a usable name of its own");
                }
                let value = printable(&self.secrets.hide(&value));
                all.insert(name, value.chars().take(LONGEST_VALUE).collect());
            }
        }
        Ok(all
            .into_iter()
            .map(|(name, value)| Label::new(name, value))
            .collect())
    }

    fn tell(&self, why: &str) {
        if !self.told.swap(true, Ordering::Relaxed) {
            let backend = self.backend.as_str();
            tracing::warn!(
                backend,
                "metrics of the plugin are dropped: {why}; this is said once"
            );
        }
    }
}

impl fmt::Debug for PluginMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PluginMetrics({})", self.backend)
    }
}

/// A name in the alphabet `[a-z0-9_]`.
fn word(name: &str) -> String {
    let letter = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_lowercase() || c.is_ascii_digit() => c,
        _ => '_',
    };
    name.chars().take(LONGEST_NAME).map(letter).collect()
}

/// Two kinds under one name would make the whole of `/metrics` unreadable, so the kind of
/// a name is the first that any plugin of the process gave it.
fn is_of_one_kind(name: &str, kind: Metric) -> bool {
    static KINDS: Mutex<BTreeMap<String, Metric>> = Mutex::new(BTreeMap::new());
    let mut kinds = KINDS.lock().unwrap_or_else(PoisonError::into_inner);
    *kinds.entry(name.to_owned()).or_insert(kind) == kind
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    /// What Prometheus reads after `record`.
    fn shown(record: impl FnOnce(&PluginMetrics)) -> String {
        let recorder = PrometheusBuilder::new().build_recorder();
        let shown = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            record(&PluginMetrics::of("b", Arc::new(Secrets::none())));
        });
        shown.render()
    }

    #[test]
    fn each_kind_is_recorded_with_the_backend_and_its_own_labels() {
        let text = shown(|metrics| {
            metrics.record(Metric::Counter, "t1_binds", r#"{"server":"a"}"#, 2.0);
            metrics.record(Metric::Counter, "t1_binds", r#"{"server":"a"}"#, 3.0);
            metrics.record(Metric::Gauge, "t1 Pool-Idle", "", 4.5);
            metrics.record(Metric::Histogram, "t1_search_seconds", "{}", 0.5);
            metrics.panicked();
        });
        for line in [
            r#"countersign_plugin_t1_binds{backend="b",server="a"} 5"#,
            r#"countersign_plugin_t1_pool_idle{backend="b"} 4.5"#,
            r#"countersign_plugin_t1_search_seconds_count{backend="b"} 1"#,
            r#"countersign_plugin_panics_total{backend="b"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is missing in:\n{text}");
        }
    }

    #[test]
    fn h12_series_of_one_backend_are_bounded() {
        let text = shown(|metrics| {
            for user in 0..MOST_SERIES * 3 {
                metrics.record(
                    Metric::Counter,
                    "t2",
                    &format!(r#"{{"user":"{user}"}}"#),
                    1.0,
                );
            }
        });
        let series = text
            .lines()
            .filter(|line| line.starts_with("countersign_plugin_t2{"));
        assert_eq!(series.count(), MOST_SERIES);
    }

    #[test]
    fn what_is_no_metric_is_dropped() {
        let text = shown(|metrics| {
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                metrics.record(Metric::Gauge, "t3", "", value);
            }
            let many: BTreeMap<String, String> =
                (0..9).map(|n| (format!("l{n}"), "x".to_owned())).collect();
            for labels in [
                "[]",
                "no json",
                r#"{"a":1}"#,
                r#"{"__x":"1"}"#,
                r#"{"1x":"1"}"#,
                r#"{"backend":"other"}"#,
                &serde_json::json!(many).to_string(),
            ] {
                metrics.record(Metric::Gauge, "t3", labels, 1.0);
            }
            for name in ["", "panics_total", "Panics.Total"] {
                metrics.record(Metric::Counter, name, "", 1.0);
            }
        });
        assert_eq!(text.trim(), "");
    }

    #[test]
    fn name_keeps_the_kind_that_it_had_first() {
        let text = shown(|metrics| {
            metrics.record(Metric::Counter, "t4", "", 1.0);
            metrics.record(Metric::Gauge, "t4", "", 7.0);
        });
        assert!(text.contains(r#"t4{backend="b"} 1"#), "{text}");
        assert_eq!(text.matches("# TYPE").count(), 1, "{text}");
    }

    #[test]
    fn label_that_would_break_a_line_is_made_printable_and_cut() {
        let long = "x".repeat(LONGEST_VALUE * 2);
        let text = shown(|metrics| {
            metrics.record(Metric::Gauge, "t5", r#"{"a":"1\n2"}"#, 1.0);
            metrics.record(Metric::Gauge, "t5", &format!(r#"{{"a":"{long}"}}"#), 1.0);
        });
        assert!(text.contains("1\u{fffd}2"), "{text}");
        assert!(!text.contains(&"x".repeat(LONGEST_VALUE + 1)), "{text}");
    }
}
