//! What every request gets, whatever becomes of it: an id, which its answer and all its
//! log lines carry; the client's address; an access line at debug level; a count.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use axum::middleware::Next;
use futures_util::FutureExt;
use tracing::{Instrument, Span};

use super::peer::Peer;
use super::{Face, error, jwks};
use crate::token::Refusal;
use crate::{audit, clock, metering};

/// The header that names a request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// An id that a proxy gave is at most this long.
const LONGEST_ID: usize = 128;

/// A path in the access line is cut to this many characters.
const PATH: usize = 256;

/// What is known of a request before its route runs.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The request's id.
    pub id: String,
    /// The client's address; none where the server does not tell a [`Peer`].
    pub address: Option<IpAddr>,
}

/// The layer around all routes, the fallback too.
pub async fn observe(
    State(face): State<Face>,
    mut request: Request<Body>,
    next: Next,
) -> Response<Body> {
    let started = Instant::now();
    let caller = caller(&face, &request);
    let id = HeaderValue::from_str(&caller.id);
    let address = caller.address;
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let path = tracing::enabled!(target: "http", tracing::Level::DEBUG)
        .then(|| audit::clean(request.uri().path(), PATH));
    let is_said = !route.as_ref().is_some_and(jwks::is_one);
    let span = match is_said {
        // Of the gravest level, so that no filter takes the id from the lines that it lets through.
        true => tracing::error_span!(target: "http", "request", request = caller.id),
        // Nothing is said while it is answered, and a span costs half of what the answer does.
        false => Span::none(),
    };
    request.extensions_mut().insert(caller);
    // What the route held is dropped with it: nobody sees a half of anything.
    let answer = AssertUnwindSafe(next.run(request).instrument(span.clone()));
    let mut response = answer.catch_unwind().await.unwrap_or_else(|_| {
        metering::panicked();
        let id = id.as_ref().ok().and_then(|id| id.to_str().ok());
        error::refusal(&Refusal::Fault, id.unwrap_or_default())
    });

    let took = started.elapsed();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    metering::answered(route, known(&method), response.status().as_u16(), took);
    if let Some(path) = path {
        let (status, micros) = (response.status().as_u16(), took.as_micros());
        let address = address.map(tracing::field::display);
        let id = id.as_ref().ok().and_then(|id| id.to_str().ok());
        let request = id.filter(|_| !is_said);
        tracing::debug!(target: "http", parent: &span, request, method = known(&method), path, status, micros, address, "answered");
    }
    if let Ok(id) = id {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn caller(face: &Face, request: &Request<Body>) -> Caller {
    let Some(Peer(peer)) = request.extensions().get::<Peer>() else {
        return Caller {
            id: new_id(),
            address: None,
        };
    };
    let serving = face.latest();
    let proxies = &serving.proxies;
    let told = || given_id(request.headers());
    let told = proxies.trusts(*peer).then(told).flatten();
    Caller {
        id: told.unwrap_or_else(new_id),
        address: Some(proxies.client(*peer, request.headers())),
    }
}

/// The id that a proxy gave, if it is one: it stands in logs and in answers.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:/+=@".contains(c);
    let good = (1..=LONGEST_ID).contains(&id.len()) && id.chars().all(fits);
    good.then(|| id.to_owned())
}

/// Unique within this process and, by its start time, among its restarts.
fn new_id() -> String {
    static START: LazyLock<u64> = LazyLock::new(clock::unix_now);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!(
        "{:08x}{:08x}",
        *START & 0xffff_ffff,
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A method as a label; clients may invent others.
fn known(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use http_body_util::BodyExt;
    use serde_json::json;
    use tower::ServiceExt;

    use super::*;
    use crate::http::admin::tests::serving;
    use crate::live::Live;

    #[test]
    fn id_of_a_proxy_is_taken_only_if_it_can_do_no_harm() {
        let given = |id: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(id).unwrap());
            given_id(&headers)
        };
        let long = "x".repeat(LONGEST_ID);
        for good in [
            "6f1ed002ab5595859014ebf0951522d9",
            "Root=1-67891233-abc",
            &long,
        ] {
            assert_eq!(given(good.as_bytes()).as_deref(), Some(good));
        }
        let longer = format!("{long}x");
        for bad in ["", "a b", "a\"b", "a,b", "{}", "a\\b", "é", &longer] {
            assert_eq!(given(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(given(b"\xff"), None);
        assert_eq!(given_id(&HeaderMap::new()), None);
    }

    #[tokio::test]
    async fn panic_of_a_route_is_a_500_that_names_its_request() {
        async fn panics() -> &'static str {
            panic!("a mistake of ours")
        }
        let face = Face::new(Arc::new(Live::new(serving())));
        let router: Router = Router::new()
            .route("/", get(panics))
            .layer(from_fn_with_state(face, observe));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let answer = router.oneshot(request).await.unwrap();
        assert_eq!(answer.status(), 500);
        let id = answer.headers()[REQUEST_ID].to_str().unwrap().to_owned();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let expected = json!({ "detail": "Internal Server Error", "request_id": id });
        assert_eq!(body, expected);
    }

    #[test]
    fn new_ids_differ() {
        assert_ne!(new_id(), new_id());
    }
}
