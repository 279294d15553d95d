//! Logs: the plugin's `tracing` events and panics go to the host's log.
//!
//! The plugin's own events pass as the host's level lets them, those of its
//! dependencies (the `log` crate's records too) from WARN on.
//!
//! Each library has its own copy of `tracing`, so a subscriber of ours takes the
//! events and hands them across. Instances share the library: which one is
//! speaking is known from the call that is being run.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Once, OnceLock};

use countersign_abi::{Lease, Level, Services};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::util::SubscriberInitExt;

/// On whose behalf code runs.
pub(crate) struct Speaker {
    services: Arc<dyn Services>,
    /// The host's id of the request; may be empty.
    request: String,
    /// Whoever speaks for a call is a part of it, on the CPU pool's threads too: while
    /// one of them is left, the host counts the call.
    _lease: Lease,
}

impl Speaker {
    /// An instance, outside of every call.
    pub(crate) fn new(services: &Arc<dyn Services>) -> Arc<Self> {
        Speaker::of_call(services, "", Lease::none())
    }

    /// An instance in the course of a call.
    pub(crate) fn of_call(
        services: &Arc<dyn Services>,
        request: impl Into<String>,
        lease: Lease,
    ) -> Arc<Self> {
        Arc::new(Speaker {
            services: Arc::clone(services),
            request: request.into(),
            _lease: lease,
        })
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<Speaker>>> = const { RefCell::new(None) };
}

/// Whoever speaks outside of every call (a thread of the author's, a pool's worker)
/// speaks as the library's first instance: better under a wrong name than unheard.
static FALLBACK: OnceLock<Arc<Speaker>> = OnceLock::new();

/// Installs the subscriber and the panic hook, once per library. `plugin` is the path
/// of the plugin's type; its first part names the crate.
pub(crate) fn install(services: &Arc<dyn Services>, plugin: &'static str) {
    FALLBACK.get_or_init(|| Speaker::new(services));
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let own = plugin.split("::").next().unwrap_or_default();
        // Takes the records of the `log` crate too.
        let _ = Registry::default().with(Forward { own }).try_init();
        std::panic::set_hook(Box::new(|panic| {
            let place = panic
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            let text = panic.payload_as_str().unwrap_or("no text");
            if let Some(speaker) = current() {
                speaker.services.panicked(&place, text);
            }
        }));
    });
}

/// Who is being run on this thread, else the library's first instance.
pub(crate) fn current() -> Option<Arc<Speaker>> {
    CURRENT
        .try_with(|current| current.borrow().clone())
        .ok()
        .flatten()
        .or_else(|| FALLBACK.get().cloned())
}

/// Runs `work` on behalf of an instance.
pub(crate) fn within<T>(speaker: Option<Arc<Speaker>>, work: impl FnOnce() -> T) -> T {
    let before = CURRENT.replace(speaker);
    // Put back also when `work` unwinds, or a later panic would be told to the wrong instance.
    struct Restore(Option<Arc<Speaker>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    let _restore = Restore(before);
    work()
}

/// Runs every poll of `call` on behalf of an instance.
pub(crate) async fn on_behalf<F: Future>(speaker: Arc<Speaker>, call: F) -> F::Output {
    let mut call = pin!(call);
    std::future::poll_fn(move |cx| within(Some(Arc::clone(&speaker)), || call.as_mut().poll(cx)))
        .await
}

struct Forward {
    /// The plugin's crate.
    own: &'static str,
}

impl Forward {
    /// A dependency's finer lines tell of what it sends and receives, passwords too.
    fn is_wanted(&self, metadata: &Metadata<'_>) -> bool {
        let module = metadata.target().strip_prefix(self.own);
        *metadata.level() <= tracing::Level::WARN
            || module.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Forward {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        // The host's level may change while tracing would cache "never".
        tracing::subscriber::Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        self.is_wanted(metadata)
            && current().is_some_and(|speaker| speaker.services.enabled(level(metadata)))
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(speaker) = current() else { return };
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(outer) = span.extensions().get::<Fields>() {
                let missing = outer
                    .rest
                    .iter()
                    .map(|(name, value)| (name.clone(), value.clone()));
                let inner = std::mem::take(&mut fields.rest);
                fields.rest = missing.chain(inner).collect();
            }
        }
        event.record(&mut fields);
        let target = fields.take_origin_of_a_log_record();
        if !speaker.request.is_empty() {
            let request = speaker.request.as_str();
            fields.rest.insert("request".into(), request.into());
        }
        let json = if fields.rest.is_empty() {
            String::new()
        } else {
            Value::Object(fields.rest).to_string()
        };
        speaker.services.log(
            level(event.metadata()),
            target.as_deref().unwrap_or(event.metadata().target()),
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

impl Fields {
    /// The `log` crate's records come with their origin among the fields.
    fn take_origin_of_a_log_record(&mut self) -> Option<String> {
        for name in ["log.module_path", "log.file", "log.line"] {
            self.rest.remove(name);
        }
        match self.rest.remove("log.target") {
            Some(Value::String(target)) => Some(target),
            _ => None,
        }
    }
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
