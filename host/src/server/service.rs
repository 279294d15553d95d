//! From hyper to the routes: requests that two readers could understand differently
//! are refused, the others get their peer's address.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use tower::Service;

use super::conversation::Conversation;
use super::framing::Malformed;
use crate::http::error::detail;
use crate::http::peer::Peer;

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
                let Ok(mut response) = router.call(request).await;
                if conversation.end() {
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
