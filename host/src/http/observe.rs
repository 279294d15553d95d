//! What every request gets, whatever becomes of it: an id, which its answer and all its
//! log lines carry; the client's address; an access line at debug level; a count.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use futures_util::FutureExt;
use tower::{Layer, Service};
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

/// The layer around all routes, the fallback too. Written out, since every request pays for what
/// `axum::middleware::from_fn` clones and boxes.
#[derive(Debug, Clone)]
pub struct Observe {
    face: Face,
}

impl Observe {
    /// For requests of this face.
    pub fn new(face: Face) -> Self {
        Observe { face }
    }
}

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        let face = self.face.clone();
        Observed { face, inner }
    }
}

/// A route that is observed.
#[derive(Debug, Clone)]
pub struct Observed<S> {
    face: Face,
    inner: S,
}

impl<S> Service<Request<Body>> for Observed<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let begun = Begun::with(&self.face, &mut request);
        // What the route held is dropped with it: nobody sees a half of anything.
        let answer = AssertUnwindSafe(self.inner.call(request).instrument(begun.span.clone()));
        Box::pin(async move {
            let answer = answer.catch_unwind().await;
            Ok(begun.done(answer.ok().map(|answer| match answer {
                Ok(response) => response,
                Err(never) => match never {},
            })))
        })
    }
}

/// A request that is being answered.
struct Begun {
    at: Instant,
    id: Option<HeaderValue>,
    address: Option<IpAddr>,
    route: Option<MatchedPath>,
    method: &'static str,
    /// Only where lines of it are written.
    path: Option<String>,
    span: Span,
}

impl Begun {
    /// Its caller is put on the request, in place of the peer.
    fn with(face: &Face, request: &mut Request<Body>) -> Self {
        let at = Instant::now();
        let peer = request.extensions_mut().remove::<Peer>();
        let caller = caller(face, peer, request.headers());
        let route = request.extensions().get::<MatchedPath>().cloned();
        let begun = Begun {
            at,
            id: HeaderValue::from_str(&caller.id).ok(),
            address: caller.address,
            method: known(request.method()),
            path: tracing::enabled!(target: "http", tracing::Level::DEBUG)
                .then(|| audit::clean(request.uri().path(), PATH)),
            span: match route.as_ref().is_some_and(jwks::is_one) {
                // Nothing is said while it is answered, and nothing is asked for more often.
                true => Span::none(),
                // Of the gravest level, so that no filter takes the id from the lines that it
                // lets through.
                false => tracing::error_span!(target: "http", "request", request = caller.id),
            },
            route,
        };
        request.extensions_mut().insert(caller);
        begun
    }

    /// The answer as it is sent; none = a panic.
    fn done(self, answer: Option<Response<Body>>) -> Response<Body> {
        let mut response = answer.unwrap_or_else(|| {
            metering::panicked();
            error::refusal(&Refusal::Fault, self.id().unwrap_or_default())
        });
        let (status, took) = (response.status().as_u16(), self.at.elapsed());
        let route = self.route.as_ref().map_or("unmatched", MatchedPath::as_str);
        metering::answered(route, self.method, status, took);
        if let Some(path) = &self.path {
            let (method, micros) = (self.method, took.as_micros());
            let address = self.address.map(tracing::field::display);
            let request = self.id().filter(|_| self.span.is_none());
            tracing::debug!(target: "http", parent: &self.span, request, method, path, status, micros, address, "answered");
        }
        if let Some(id) = self.id {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }

    fn id(&self) -> Option<&str> {
        self.id.as_ref()?.to_str().ok()
    }
}

fn caller(face: &Face, peer: Option<Peer>, headers: &HeaderMap) -> Caller {
    let Some(Peer(peer)) = peer else {
        return Caller {
            id: new_id(),
            address: None,
        };
    };
    let serving = face.latest();
    let proxies = &serving.proxies;
    let told = || given_id(headers);
    let told = proxies.trusts(peer).then(told).flatten();
    Caller {
        id: told.unwrap_or_else(new_id),
        address: Some(proxies.client(peer, headers)),
    }
}

/// The id that a proxy gave, if it is one: it stands in logs and in answers.
fn given_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:/+=@".contains(c);
    let good = (1..=LONGEST_ID).contains(&id.len()) && id.chars().all(fits);
    good.then(|| id.to_owned())
}

/// Unique within this process and, by its start time, among its restarts: sixteen digits.
fn new_id() -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    static START: LazyLock<u64> = LazyLock::new(clock::unix_now);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) & 0xffff_ffff;
    let number = *START << 32 | count;
    // By hand: every request has one, and formatting costs several times this.
    let digit = |place: u32| char::from(DIGITS[(number >> (60 - 4 * place) & 0xf) as usize]);
    (0..16).map(digit).collect()
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
            .layer(Observe::new(face));
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
    fn new_ids_differ_and_begin_with_the_time_of_the_start() {
        let (one, two) = (new_id(), new_id());
        assert_ne!(one, two);
        let start = |id: &str| u64::from_str_radix(&id[..8], 16).unwrap();
        assert_eq!((one.len(), start(&one)), (16, start(&two)));
        assert!(clock::unix_now() - start(&one) < 3600, "{one}");
    }
}
