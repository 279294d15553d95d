//! Logs: the plugin's `tracing` events and panics go to the host's log.
//!
//! Each library has its own copy of `tracing`, so a subscriber of ours takes the
//! events and hands them across. Instances share the library: which one is
//! speaking is known from the call that is being run.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Once};

use countersign_abi::{Level, Services};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::Registry;

thread_local! {
    static CURRENT: RefCell<Option<Arc<dyn Services>>> = const { RefCell::new(None) };
}

/// Installs the subscriber and the panic hook, once per library.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = tracing::subscriber::set_global_default(Registry::default().with(Forward));
        std::panic::set_hook(Box::new(|panic| {
            let place = panic
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            let text = panic.payload_as_str().unwrap_or("no text");
            if let Some(services) = current() {
                services.log(
                    Level::Error,
                    "panic",
                    &format!("the plugin panicked at {place}: {text}"),
                    "",
                );
            }
        }));
    });
}

/// The services of the instance that is being run on this thread.
pub(crate) fn current() -> Option<Arc<dyn Services>> {
    CURRENT
        .try_with(|current| current.borrow().clone())
        .ok()
        .flatten()
}

/// Runs `work` on behalf of an instance.
pub(crate) fn within<T>(services: Option<Arc<dyn Services>>, work: impl FnOnce() -> T) -> T {
    let before = CURRENT.replace(services);
    // Put back also when `work` unwinds, or a later panic would be told to the wrong instance.
    struct Restore(Option<Arc<dyn Services>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    let _restore = Restore(before);
    work()
}

/// Runs every poll of `call` on behalf of an instance.
pub(crate) async fn on_behalf<F: Future>(services: Arc<dyn Services>, call: F) -> F::Output {
    let mut call = pin!(call);
    std::future::poll_fn(move |cx| within(Some(Arc::clone(&services)), || call.as_mut().poll(cx)))
        .await
}

struct Forward;

impl<S: Subscriber> Layer<S> for Forward {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        // The host's level may change while tracing would cache "never".
        tracing::subscriber::Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        current().is_some_and(|services| services.enabled(level(metadata)))
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let Some(services) = current() else { return };
        let mut fields = Fields::default();
        event.record(&mut fields);
        let json = if fields.rest.is_empty() {
            String::new()
        } else {
            Value::Object(fields.rest).to_string()
        };
        services.log(
            level(event.metadata()),
            event.metadata().target(),
            &fields.message,
            &json,
        );
    }
}

fn level(metadata: &Metadata<'_>) -> Level {
    match *metadata.level() {
        tracing::Level::ERROR => Level::Error,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::INFO => Level::Info,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::TRACE => Level::Trace,
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    rest: Map<String, Value>,
}

impl Visit for Fields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.rest.insert(field.name().into(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.rest.insert(field.name().into(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.rest.insert(field.name().into(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.rest.insert(field.name().into(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format!("{value:?}");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.rest.insert(field.name().into(), text.into());
        }
    }
}
