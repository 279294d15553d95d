//! What the host offers to a plugin instance: a vtable that grows only at its end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use abi_stable::StableAbi;
use abi_stable::prefix_type::PrefixTypeTrait;
use abi_stable::std_types::RStr;

use crate::panic::panic_text;
use crate::received::line;

/// Severity of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Very fine detail.
    Trace = 1,
    /// Detail for the author of the plugin.
    Debug = 2,
    /// What an operator wants to see.
    Info = 3,
    /// Something to look at.
    Warn = 4,
    /// Something failed.
    Error = 5,
}

/// Kinds of metrics, in Prometheus' sense. An integer on the wire; an unknown one is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Adds to a count.
    Counter = 1,
    /// Sets a level.
    Gauge = 2,
    /// Observes one value of a distribution; times are in seconds.
    Histogram = 3,
}

/// What the host offers to one instance. Calls come from any thread and must not block.
pub trait Services: Send + Sync + 'static {
    /// Would a line of this severity be written?
    fn enabled(&self, level: Level) -> bool;

    /// Writes a log line. `fields` is a JSON object or empty.
    fn log(&self, level: Level, target: &str, message: &str, fields: &str);

    /// Records a metric. `labels` is a JSON object of texts or empty.
    fn metric(&self, kind: Metric, name: &str, labels: &str, value: f64);

    /// Code of the plugin's panicked, on whatever thread.
    fn panicked(&self, place: &str, text: &str);
}

/// The frozen table; `context` is the host's and opaque to the plugin.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = HostRef, prefix_fields = HostPrefix)))]
#[sabi(missing_field(option))]
pub(crate) struct Host {
    context: usize,
    enabled: extern "C" fn(usize, u8) -> bool,
    log: extern "C" fn(usize, u8, RStr<'_>, RStr<'_>, RStr<'_>),
    metric: extern "C" fn(usize, u8, RStr<'_>, RStr<'_>, f64),
    panicked: extern "C" fn(usize, RStr<'_>, RStr<'_>),
    /// The plugin calls nothing of this table any more.
    #[sabi(last_prefix_field)]
    released: extern "C" fn(usize),
}

/// Host side: the table over `services`. A plugin's threads may log long after its
/// instance is gone, so the plugin says when the services may go. The table itself, a few
/// words, stays for the life of the process.
pub(crate) fn table(services: Arc<dyn Services>) -> HostRef {
    let context = Box::into_raw(Box::new(services)).expose_provenance();
    Host {
        context,
        enabled,
        log,
        metric,
        panicked,
        released,
    }
    .leak_into_prefix()
}

/// Plugin side: the host's table as plain [`Services`], given back when it is dropped.
/// There is one of it for each table.
pub(crate) struct HostServices(HostRef);

impl HostServices {
    pub(crate) fn new(table: HostRef) -> Self {
        HostServices(table)
    }
}

impl Drop for HostServices {
    fn drop(&mut self) {
        (self.0.released())(self.0.context());
    }
}

impl Services for HostServices {
    fn enabled(&self, level: Level) -> bool {
        (self.0.enabled())(self.0.context(), level as u8)
    }

    fn log(&self, level: Level, target: &str, message: &str, fields: &str) {
        (self.0.log())(
            self.0.context(),
            level as u8,
            target.into(),
            message.into(),
            fields.into(),
        );
    }

    fn metric(&self, kind: Metric, name: &str, labels: &str, value: f64) {
        (self.0.metric())(
            self.0.context(),
            kind as u8,
            name.into(),
            labels.into(),
            value,
        );
    }

    fn panicked(&self, place: &str, text: &str) {
        (self.0.panicked())(self.0.context(), place.into(), text.into());
    }
}

extern "C" fn enabled(context: usize, level: u8) -> bool {
    guarded(context, |services| {
        services.enabled(Level::from_number(level))
    })
    .unwrap_or(false)
}

extern "C" fn log(
    context: usize,
    level: u8,
    target: RStr<'_>,
    message: RStr<'_>,
    fields: RStr<'_>,
) {
    guarded(context, |services| {
        services.log(
            Level::from_number(level),
            &line(target.as_bytes()),
            &line(message.as_bytes()),
            &line(fields.as_bytes()),
        );
    });
}

extern "C" fn metric(context: usize, kind: u8, name: RStr<'_>, labels: RStr<'_>, value: f64) {
    let kind = match kind {
        1 => Metric::Counter,
        2 => Metric::Gauge,
        3 => Metric::Histogram,
        _ => return,
    };
    guarded(context, |services| {
        services.metric(
            kind,
            &line(name.as_bytes()),
            &line(labels.as_bytes()),
            value,
        );
    });
}

extern "C" fn panicked(context: usize, place: RStr<'_>, text: RStr<'_>) {
    guarded(context, |services| {
        services.panicked(&line(place.as_bytes()), &line(text.as_bytes()));
    });
}

extern "C" fn released(context: usize) {
    // SAFETY: `context` is the pointer that `table` leaked, and the plugin gives it back once:
    // when the only `HostServices` over the table is dropped.
    let services = unsafe {
        Box::from_raw(std::ptr::with_exposed_provenance_mut::<Arc<dyn Services>>(
            context,
        ))
    };
    let _ = catch_unwind(AssertUnwindSafe(|| drop(services))).map_err(panic_text);
}

/// A panic must not cross into the plugin.
fn guarded<T>(context: usize, call: impl FnOnce(&dyn Services) -> T) -> Option<T> {
    // SAFETY: `context` is the pointer that `table` leaked. The plugin received it together
    // with these functions and nothing else, and calls none of them after `released`.
    let services = unsafe { &*std::ptr::with_exposed_provenance::<Arc<dyn Services>>(context) };
    catch_unwind(AssertUnwindSafe(|| call(services.as_ref())))
        .map_err(panic_text)
        .ok()
}

impl Level {
    fn from_number(number: u8) -> Self {
        match number {
            1 => Level::Trace,
            2 => Level::Debug,
            3 => Level::Info,
            4 => Level::Warn,
            _ => Level::Error,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Keeps what it is told; its drop panics, if it is told to.
    struct Ear {
        heard: Arc<Mutex<Vec<String>>>,
        explodes: bool,
    }

    impl Ear {
        fn hear(&self, what: String) {
            if let Ok(mut heard) = self.heard.lock() {
                heard.push(what);
            }
        }
    }

    impl Services for Ear {
        fn enabled(&self, level: Level) -> bool {
            level >= Level::Warn
        }

        fn log(&self, level: Level, target: &str, message: &str, fields: &str) {
            self.hear(format!("{level:?} {target} {message} {fields}"));
        }

        fn metric(&self, kind: Metric, name: &str, labels: &str, value: f64) {
            self.hear(format!("{kind:?} {name} {labels} {value}"));
        }

        fn panicked(&self, _: &str, text: &str) {
            panic!("{text}")
        }
    }

    impl Drop for Ear {
        fn drop(&mut self) {
            assert!(!self.explodes, "in drop");
        }
    }

    fn ear(explodes: bool) -> (HostServices, Arc<Mutex<Vec<String>>>) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ear = Ear {
            heard: Arc::clone(&heard),
            explodes,
        };
        (HostServices::new(table(Arc::new(ear))), heard)
    }

    #[test]
    fn what_a_plugin_says_arrives_and_a_panic_of_the_host_stays_there() {
        let (services, heard) = ear(false);
        assert!(services.enabled(Level::Error) && !services.enabled(Level::Info));
        services.log(Level::Warn, "door", "creaks", "{}");
        services.metric(Metric::Gauge, "open", "", 1.0);
        services.panicked("here", "and there");
        let heard = heard.lock().map(|heard| heard.join("|"));
        assert_eq!(
            heard.ok().as_deref(),
            Some("Warn door creaks {}|Gauge open  1")
        );
    }

    #[test]
    fn services_that_the_plugin_gives_back_are_let_go_of() {
        for explodes in [false, true] {
            let (services, heard) = ear(explodes);
            assert_eq!(Arc::strong_count(&heard), 2);
            drop(services);
            assert_eq!(Arc::strong_count(&heard), 1);
        }
    }
}
