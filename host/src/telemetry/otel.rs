//! OpenTelemetry traces, where the environment names a collector: a span for each
//! request, one for each call of a backend. Names, counts and outcomes, never a body,
//! a header or a query.
//!
//! The SDK's own variables are the configuration, so that what sets up every other
//! service sets up this one: `OTEL_EXPORTER_OTLP_ENDPOINT` or `…_TRACES_ENDPOINT`
//! turns traces on; `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`,
//! `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER`, `OTEL_BSP_…` do what they do
//! everywhere. Without an endpoint nothing here is set up: no thread, no buffer.
//!
//! Spans wait in a bounded queue for a thread that sends them; a collector that is
//! slow or gone costs spans, never a request.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::{FutureExt, SpanKind, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanData};

/// How long the last spans may take at the end.
const LAST: Duration = Duration::from_secs(3);

static TRACING: OnceLock<Tracing> = OnceLock::new();

struct Tracing {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// Starts traces if `environment`, the process's own, asks for them. What is wrong
/// with its variables is told, and there are no traces.
pub fn start(environment: &BTreeMap<String, String>) {
    if !is_wanted(environment) {
        return;
    }
    match exporter() {
        Ok(exporter) => {
            let provider = SdkTracerProvider::builder()
                .with_batch_exporter(exporter)
                .with_resource(resource(environment))
                .build();
            let scope = InstrumentationScope::builder("countersign")
                .with_version(env!("CARGO_PKG_VERSION"));
            let tracer = provider.tracer_with_scope(scope.build());
            if TRACING.set(Tracing { provider, tracer }).is_ok() {
                tracing::info!("traces are sent over OTLP (OTEL_EXPORTER_OTLP_…)");
            }
        }
        Err(error) => tracing::error!(
            %error,
            "no traces: the OTEL_EXPORTER_OTLP_… variables cannot be used"
        ),
    }
}

/// Sends what is left, within seconds. Not for a thread of the runtime: it blocks.
pub fn stop() {
    let Some(tracing) = TRACING.get() else {
        return;
    };
    if tracing.provider.shutdown_with_timeout(LAST).is_err() {
        tracing::warn!("the last spans could not be sent");
    }
}

/// What makes spans; none where nobody wants them.
pub fn tracer() -> Option<&'static SdkTracer> {
    TRACING.get().map(|tracing| &tracing.tracer)
}

/// Waits for a backend's answer inside a span; `outcome` is what the answer is called.
pub async fn call<T>(
    backend: &str,
    answer: impl Future<Output = T>,
    outcome: impl Fn(&T) -> &'static str,
) -> T {
    let Some(tracer) = tracer() else {
        return answer.await;
    };
    let span = tracer
        .span_builder(format!("backend {backend}"))
        .with_kind(SpanKind::Internal)
        .with_attributes([KeyValue::new("countersign.backend", backend.to_owned())]);
    let within = Context::current_with_span(tracer.build(span));
    let answer = answer.with_context(within.clone()).await;
    let span = within.span();
    span.set_attribute(KeyValue::new("countersign.outcome", outcome(&answer)));
    span.end();
    answer
}

/// Notes on the request's span who decided, and how.
pub fn decided(backend: Option<&str>, outcome: &'static str) {
    if TRACING.get().is_none() {
        return;
    }
    let context = Context::current();
    let span = context.span();
    span.set_attribute(KeyValue::new("countersign.outcome", outcome));
    if let Some(backend) = backend {
        span.set_attribute(KeyValue::new("countersign.backend", backend.to_owned()));
    }
}

/// An endpoint is named, and nothing says no.
fn is_wanted(environment: &BTreeMap<String, String>) -> bool {
    let get = |name: &str| environment.get(name).map_or("", |value| value.trim());
    let endpoint = !get("OTEL_EXPORTER_OTLP_ENDPOINT").is_empty()
        || !get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").is_empty();
    let exporters = get("OTEL_TRACES_EXPORTER");
    let exported = exporters.is_empty() || exporters.split(',').any(|one| one.trim() == "otlp");
    endpoint && exported && !get("OTEL_SDK_DISABLED").eq_ignore_ascii_case("true")
}

fn exporter() -> Result<Told, opentelemetry_otlp::ExporterBuildError> {
    let inner = SpanExporter::builder().with_http().build()?;
    Ok(Told {
        inner,
        failing: AtomicBool::new(false),
    })
}

/// Who we are: what the environment says, else our own name.
fn resource(environment: &BTreeMap<String, String>) -> Resource {
    let set = |name: &str| environment.get(name).is_some_and(|value| !value.is_empty());
    let attributes = environment.get("OTEL_RESOURCE_ATTRIBUTES");
    let named = attributes.is_some_and(|all| {
        all.split(',')
            .any(|one| one.trim().starts_with("service.name="))
    });
    let builder = Resource::builder();
    if set("OTEL_SERVICE_NAME") || named {
        return builder.build();
    }
    builder.with_service_name("countersign").build()
}

/// An exporter whose failures are told once, and whose recovery, too.
#[derive(Debug)]
struct Told {
    inner: SpanExporter,
    failing: AtomicBool,
}

impl opentelemetry_sdk::trace::SpanExporter for Told {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let sent = self.inner.export(batch).await;
        let failed = self.failing.swap(sent.is_err(), Ordering::Relaxed);
        match (&sent, failed) {
            (Err(error), false) => tracing::warn!(%error, "spans cannot be sent and are lost"),
            (Ok(()), true) => tracing::info!("spans are sent again"),
            _ => {}
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(variables: &[(&str, &str)]) -> bool {
        let owned = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        is_wanted(&owned.collect())
    }

    #[test]
    fn traces_are_wanted_where_an_endpoint_is_named_and_nothing_says_no() {
        let general = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector/t");
        assert!(wanted(&[general]) && wanted(&[traces]));
        assert!(wanted(&[
            general,
            ("OTEL_TRACES_EXPORTER", "console, otlp")
        ]));
        assert!(!wanted(&[]));
        assert!(!wanted(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]));
        assert!(!wanted(&[general, ("OTEL_TRACES_EXPORTER", "none")]));
        assert!(!wanted(&[general, ("OTEL_SDK_DISABLED", "TRUE")]));
    }
}
