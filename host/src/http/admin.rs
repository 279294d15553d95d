//! The read-only listener: `/healthz`, `/readyz` and `/metrics`. It names backends and
//! key ids, so it is a listener of its own, on loopback by default (H13).

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::Serving;
use super::error::{answer, detail, method_not_allowed, not_found};
use crate::accounts::store::Store;
use crate::backends::backend::Backend;
use crate::config::shapes::Follow;
use crate::keys::KeyState;
use crate::live::Live;
use crate::metering::{Moment, Page, StoreMoment};

/// What the probes look at. Cheap to clone.
#[derive(Clone)]
pub struct Probes {
    /// What serves.
    pub live: Arc<Live<Serving>>,
    /// Is the end near? Then no new requests should be sent here.
    pub draining: Arc<dyn Fn() -> bool + Send + Sync>,
    /// The metrics; none where another service's recorder has them.
    pub page: Option<Page>,
}

/// The routes of this listener.
///
/// `/healthz`: the process answers, whatever its backends do; a restart mends nothing
/// else. `/readyz`: it can mint: 200, or 503 with the reason, in JSON with the state of
/// each backend. `/metrics`: for Prometheus.
pub fn routes(probes: Probes) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(not_found)
        .method_not_allowed_fallback(|| async { method_not_allowed("GET, HEAD") })
        .with_state(probes)
}

async fn ready(State(probes): State<Probes>) -> Response<Body> {
    let serving = probes.live.latest();
    let backends: Map<String, Value> = serving
        .tokens
        .registry
        .iter()
        .map(|backend| (backend.id.clone(), state(backend)))
        .collect();
    let reason = if (probes.draining)() {
        Some("draining".to_owned())
    } else {
        let down = serving.tokens.registry.iter().filter(|backend| {
            // A breaker that waits for a call to probe gets one only where requests come.
            is_required(backend) && backend.state().refuses
        });
        let down: Vec<&str> = down.map(|backend| backend.id.as_str()).collect();
        let down = (!down.is_empty()).then(|| format!("unavailable: {}", down.join(", ")));
        down.or_else(|| lost(&serving))
    };
    let keys = serving.tokens.keys.load();
    let key = keys.shared().active().kid();
    let mut report = json!({ "status": "ready", "key": key, "backends": backends });
    if let Some(store) = serving.tokens.accounts.store() {
        report["store"] = store_state(store);
    }
    let status = match reason {
        None => StatusCode::OK,
        Some(reason) => {
            report["status"] = "unready".into();
            report["reason"] = reason.into();
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    answer(status, &report)
}

/// Why no token is made any more, if it is for the store.
fn lost(serving: &Serving) -> Option<String> {
    let since = serving.tokens.accounts.store()?.lost()?;
    let since = humantime::format_duration(Duration::from_secs(since.as_secs()));
    Some(format!(
        "the store has been out of sight for {since}, longer than store.outage"
    ))
}

/// Out of sight, tokens are still made, for a while. Revocations that wait are known to this host
/// alone.
fn store_state(store: &Store) -> Value {
    let kind = if store.is_shared() {
        "postgresql"
    } else {
        "sqlite"
    };
    let mut state = match store.outage() {
        None => json!({ "kind": kind, "state": "ready" }),
        Some(outage) => json!({
            "kind": kind,
            "state": "unreachable",
            "unseen_seconds": outage.since.as_secs(),
            "minting_ends_in_seconds": outage.left.as_secs(),
            "reason": outage.reason,
        }),
    };
    let owed = store.count_owed();
    if owed > 0 {
        state["revocations_waiting"] = owed.into();
    }
    state
}

/// Without it logins fail: the chain asks it, and does not go on when it is unavailable.
fn is_required(backend: &Backend) -> bool {
    backend.settings.login && backend.settings.on_unavailable == Follow::Stop
}

fn state(backend: &Backend) -> Value {
    let state = backend.state();
    json!({
        "state": if state.refuses { "unavailable" } else { "ready" },
        "required": is_required(backend),
        "breaker": state.circuit.name(),
        "permits_free": state.permits_free,
        "in_flight": state.in_flight,
        "stuck": state.stuck,
    })
}

async fn metrics(State(probes): State<Probes>) -> Response<Body> {
    let Some(page) = &probes.page else {
        return detail(
            StatusCode::NOT_FOUND,
            "the metrics go to the recorder of the service that embeds this one",
        );
    };
    let mut response = Response::new(Body::from(page.render(&moment(&probes.live.latest()))));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
    );
    response
}

fn moment(serving: &Serving) -> Moment {
    let states = [
        KeyState::Active,
        KeyState::Next,
        KeyState::Retiring,
        KeyState::Extra,
    ];
    let keys = serving.tokens.keys.load();
    let list: Vec<KeyState> = keys
        .all()
        .flat_map(|(_, keys)| keys.list())
        .map(|key| key.state)
        .collect();
    Moment {
        keys: states.map(|state| {
            let keys = list.iter().filter(|each| **each == state);
            (state.name(), keys.count())
        }),
        throttle_entries: serving.tokens.throttle.entries(),
        store: serving.tokens.accounts.store().map(|store| StoreMoment {
            unseen: store.outage().map_or(Duration::ZERO, |outage| outage.since),
            revoked: store.count_revoked(),
        }),
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::SystemTime;

    use axum::http::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::accounts::Accounts;
    use crate::accounts::throttle::Throttle;
    use crate::backends::Registry;
    use crate::config::Config;
    use crate::http::browser::Browser;
    use crate::http::openapi::Document;
    use crate::http::peer::TrustedProxies;
    use crate::keys::{Current, KeySet, Mode, Opening, Rings, Sealer};
    use crate::token::{Issuer, Roles, Tokens};
    use std::collections::BTreeMap;

    /// What serves without a backend; nothing is written.
    pub(in crate::http) fn serving() -> Serving {
        let config = Config::default();
        let opening = Opening {
            mode: Mode::Check,
            exposed: false,
            now: SystemTime::now(),
            progress: &|_| {},
        };
        let nowhere = std::env::temp_dir().join("countersign-no-such-state");
        let keys = KeySet::open(&config.keys, &[], &nowhere, &opening).unwrap();
        Serving {
            tokens: Tokens {
                registry: Registry::default(),
                accounts: Accounts::default(),
                roles: Arc::new(Roles::new(&config)),
                issuer: Arc::new(Issuer::new(&config, config.issuer())),
                keys: Arc::new(Current::new(Rings::new(keys, BTreeMap::new()))),
                trusted: Arc::default(),
                throttle: Throttle::new(&config.server.throttle),
            },
            proxies: TrustedProxies::default(),
            browser: Browser::new(&config, Sealer::open(&nowhere, Mode::Check).unwrap()),
            bots: Arc::default(),
            managers: Arc::default(),
            identity: Arc::default(),
            openapi: Document::new("http://localhost"),
        }
    }

    async fn get(router: &Router, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn h15_readiness_ends_with_the_drain_and_liveness_does_not() {
        let ending = Arc::new(AtomicBool::new(false));
        let router = routes(Probes {
            live: Arc::new(Live::new(serving())),
            draining: Arc::new({
                let ending = Arc::clone(&ending);
                move || ending.load(Ordering::Relaxed)
            }),
            page: None,
        });
        assert_eq!(get(&router, "/readyz").await.0, StatusCode::OK);
        ending.store(true, Ordering::Relaxed);
        let (status, report) = get(&router, "/readyz").await;
        let report: Value = serde_json::from_str(&report).unwrap();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(report["reason"], "draining");
        assert_eq!(get(&router, "/healthz").await.0, StatusCode::OK);
        let (status, told) = get(&router, "/metrics").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(told.contains("embeds"), "{told}");
    }
}
