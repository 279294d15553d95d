//! A span for each request, where traces are wanted.

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, Method, Response};
use axum::middleware::Next;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;

use super::Face;
use super::peer::Peer;
use crate::telemetry::otel;

/// Answers inside a span. Its parent is the caller's where the caller is a trusted
/// proxy; anybody else could fill somebody's trace, or switch sampling off.
pub async fn trace(State(face): State<Face>, request: Request, next: Next) -> Response<Body> {
    let Some(tracer) = otel::tracer() else {
        return next.run(request).await;
    };
    let peer = request.extensions().get::<Peer>();
    let parent = match peer {
        Some(Peer(peer)) if face.latest().proxies.trusts(*peer) => {
            let headers = Headers(request.headers());
            TraceContextPropagator::new().extract_with_context(&Context::new(), &headers)
        }
        _ => Context::new(),
    };
    let method = method(request.method());
    let mut attributes = vec![KeyValue::new("http.request.method", method)];
    let mut name = method.to_owned();
    if let Some(route) = request.extensions().get::<MatchedPath>() {
        name = format!("{method} {}", route.as_str());
        attributes.push(KeyValue::new("http.route", route.as_str().to_owned()));
    }
    let span = tracer
        .span_builder(name)
        .with_kind(SpanKind::Server)
        .with_attributes(attributes);
    let within = parent.with_span(tracer.build_with_context(span, &parent));

    let response = next.run(request).with_context(within.clone()).await;

    let (span, status) = (within.span(), response.status());
    span.set_attribute(KeyValue::new(
        "http.response.status_code",
        i64::from(status.as_u16()),
    ));
    let id = response.headers().get("x-request-id");
    if let Some(id) = id.and_then(|id| id.to_str().ok()) {
        span.set_attribute(KeyValue::new("countersign.request_id", id.to_owned()));
    }
    if status.is_server_error() {
        span.set_status(Status::error(""));
    }
    span.end();
    response
}

/// Any word can be a method; only those that mean something become names.
fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}
