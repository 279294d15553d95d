//! From hyper to the routes: requests that two readers could understand differently
//! are refused, the others get their peer's address.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use futures_util::FutureExt;
use hyper::body::{Body as _, Incoming};
use tower::Service;

use super::conversation::Conversation;
use super::framing::Malformed;
use crate::http::error::detail;
use crate::http::peer::Peer;
use crate::metering;

/// The routes for one connection.
pub(super) struct Routes {
    pub(super) router: Router,
    /// None on the admin socket.
    pub(super) peer: Option<Peer>,
    pub(super) conversation: Arc<Conversation>,
}

impl hyper::service::Service<Request<Incoming>> for Routes {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let conversation = Arc::clone(&self.conversation);
        let framed = conversation.begin(request.body().size_hint().exact());
        let problem = match framed {
            Err(malformed) => Some(in_words(malformed)),
            Ok(()) => ambiguous(request.version(), request.headers()),
        };
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(peer);
        }
        // Cloning counts a reference; the routes themselves are shared.
        let mut router = self.router.clone();
        Box::pin(async move {
            let Some(problem) = problem else {
                // The routes are dropped with the request: nobody sees a half of anything.
                let answer = AssertUnwindSafe(router.call(request)).catch_unwind().await;
                let panicked = answer.is_err();
                let mut response = answer.map_or_else(|_| broken(), |Ok(response)| response);
                if conversation.end() || panicked {
                    close(&mut response);
                }
                return Ok(response);
            };
            conversation.end();
            let mut response = detail(StatusCode::BAD_REQUEST, problem);
            close(&mut response);
            Ok(response)
        })
    }
}

/// The panic's text is in the log alone, where the hook has put it.
fn broken() -> Response<Body> {
    metering::panicked();
    detail(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

fn close(response: &mut Response<Body>) {
    let value = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, value);
}

fn in_words(malformed: Malformed) -> &'static str {
    match malformed {
        Malformed::BareLineFeed => "A header line ends without a carriage return",
        Malformed::TwoLengths => "Content-Length and Transfer-Encoding exclude each other",
    }
}

/// What hyper lets pass and a proxy may read otherwise (RFC 9112 sections 3.2, 6.1).
fn ambiguous(version: Version, headers: &HeaderMap) -> Option<&'static str> {
    let hosts = headers.get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && version == Version::HTTP_11) {
        return Some("Exactly one Host header is needed");
    }
    let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
    match (encodings.next(), encodings.next()) {
        (None, _) => None,
        (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"chunked") => None,
        _ => Some("The only Transfer-Encoding understood is chunked"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use axum::routing::get;
    use hyper::server::conn::http1::Builder;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;
    use crate::server::conversation::Times;

    async fn panics() -> &'static str {
        panic!("a mistake of ours")
    }

    #[tokio::test]
    async fn panic_of_a_route_is_a_500_and_the_end_of_its_connection() {
        let second = Duration::from_secs(1);
        let times = Times {
            header: second,
            idle: second,
            write: second,
        };
        let routes = Routes {
            router: Router::new().route("/", get(panics)),
            peer: None,
            conversation: Arc::new(Conversation::new(times)),
        };
        let (ours, mut theirs) = duplex(4096);
        let serving = tokio::spawn(Builder::new().serve_connection(TokioIo::new(ours), routes));
        let head = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        theirs.write_all(head).await.unwrap();
        let mut answer = String::new();
        theirs.read_to_string(&mut answer).await.unwrap();
        serving.await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
        assert!(answer.ends_with(r#"{"detail":"Internal Server Error"}"#));
    }
}
