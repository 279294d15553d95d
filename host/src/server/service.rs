//! From hyper to the routes: requests that two readers could understand differently
//! are refused, the others get their peer's address.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::Router;
use axum::body::Body;
use axum::http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use axum::routing::future::RouteFuture;
use hyper::body::{Body as _, Incoming};
use pin_project_lite::pin_project;
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
    type Future = Answering;

    fn call(&self, mut request: Request<Incoming>) -> Answering {
        let framed = self.conversation.begin(request.body().size_hint().exact());
        let problem = match framed {
            Err(malformed) => Some(in_words(malformed)),
            Ok(()) => ambiguous(request.version(), request.headers()),
        };
        let answer = match problem {
            Some(problem) => Answer::Refused { problem },
            None => {
                if let Some(peer) = self.peer {
                    request.extensions_mut().insert(peer);
                }
                // Cloning counts a reference; the routes themselves are shared.
                let future = self.router.clone().call(request);
                Answer::Routed { future }
            }
        };
        Answering {
            conversation: Arc::clone(&self.conversation),
            answer,
        }
    }
}

pin_project! {
    /// A request that is answered: without a box of its own, since each one would pay for it.
    pub(super) struct Answering {
        conversation: Arc<Conversation>,
        #[pin]
        answer: Answer,
    }
}

pin_project! {
    #[project = Answered]
    enum Answer {
        Refused { problem: &'static str },
        Routed { #[pin] future: RouteFuture<Infallible> },
    }
}

impl Future for Answering {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (mut response, refused) = match this.answer.project() {
            Answered::Routed { future } => {
                let Ok(response) = ready!(future.poll(cx));
                (response, false)
            }
            Answered::Refused { problem } => (detail(StatusCode::BAD_REQUEST, problem), true),
        };
        if this.conversation.end() || refused {
            close(&mut response);
        }
        Poll::Ready(Ok(response))
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
