//! Where the browser brings the code: a port of this computer that answers one path, once
//! (RFC 8252 section 7.3). What else knocks is turned away, and the wait goes on: another page
//! in the same browser must not be able to end it.

mod page;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{HOST, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::cli::failure::{Failure, INTERNAL, REFUSED};
use page::page;

/// The path that the browser is sent to.
const PATH: &str = "/callback";

/// More connections at once wait.
const MOST: usize = 16;

/// A connection that sends no request is closed.
const HEAD: Duration = Duration::from_secs(10);

/// A request's head is at most this large.
const LARGEST: usize = 32 * 1024;

/// Waited where no connection can be taken, such as for want of open files.
const PAUSE: Duration = Duration::from_millis(50);

/// The browser gets this long to take the last page.
const LAST: Duration = Duration::from_secs(2);

/// A bound port.
pub(super) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// What the browser brought.
pub(super) struct Callback {
    /// The code, or the error of RFC 6749 section 4.1.2.1 and its description.
    pub(super) result: Result<Zeroizing<String>, (String, String)>,
    /// Who says so (RFC 9207).
    pub(super) issuer: Option<String>,
}

/// What the connections share.
struct Shared {
    host: String,
    state: Zeroizing<String>,
    /// Until the callback has come.
    waiting: Mutex<Option<oneshot::Sender<Callback>>>,
}

impl Listener {
    /// Binds a port that is free.
    pub(super) async fn bind() -> Result<Listener, Failure> {
        let work = async {
            let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let address = socket.local_addr()?;
            Ok(Listener { socket, address })
        };
        work.await.map_err(|error: std::io::Error| {
            Failure::new(
                INTERNAL,
                format!("no port of 127.0.0.1 can be listened on: {error}"),
                "sign in without a browser: --username NAME",
            )
        })
    }

    /// The `redirect_uri`.
    pub(super) fn redirect_uri(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Waits until the browser comes with this state.
    pub(super) async fn wait(
        self,
        state: Zeroizing<String>,
        most: Duration,
    ) -> Result<Callback, Failure> {
        let (came, mut callback) = oneshot::channel();
        let shared = Arc::new(Shared {
            host: self.address.to_string(),
            state,
            waiting: Mutex::new(Some(came)),
        });
        let connections = GracefulShutdown::new();
        let accepting = accept(&self.socket, &shared, &connections);
        let callback = tokio::select! {
            () = accepting => None,
            callback = timeout(most, &mut callback) => callback.ok().and_then(Result::ok),
        };
        // The last page is still on its way.
        let _ = timeout(LAST, connections.shutdown()).await;
        callback.ok_or_else(|| {
            let minutes = most.as_secs() / 60;
            Failure::new(
                REFUSED,
                format!("nobody signed in within {minutes} minutes"),
                "start again; or sign in without a browser: --username NAME",
            )
        })
    }
}

async fn accept(socket: &TcpListener, shared: &Arc<Shared>, connections: &GracefulShutdown) {
    let places = Arc::new(Semaphore::new(MOST));
    while let Ok(place) = Arc::clone(&places).acquire_owned().await {
        // A connection that is gone already, or too many files for a moment.
        let Ok((stream, _)) = socket.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let shared = Arc::clone(shared);
        let answer = service_fn(move |request| {
            let page = shared.answer(&request);
            async move { Ok::<_, Infallible>(page) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(LARGEST)
            .serve_connection(TokioIo::new(stream), answer);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // What a browser does to its connections is no concern of ours.
            let _ = timeout(2 * HEAD, connection).await;
            drop(place);
        });
    }
}

impl Shared {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let host = request.headers().get(HOST).map(HeaderValue::as_bytes);
        // Another name would be a page elsewhere whose name was made to lead here.
        let ours = host == Some(self.host.as_bytes()) && request.uri().path() == PATH;
        if !ours || request.method() != Method::GET {
            return page(StatusCode::NOT_FOUND, "Not found", "There is nothing here.");
        }
        let foreign = || {
            let text = "This is not the sign-in that the terminal waits for. It still waits.";
            page(StatusCode::BAD_REQUEST, "Not this one", text)
        };
        let Some(callback) = self.read(request.uri().query().unwrap_or_default()) else {
            return foreign();
        };
        let waiting = self.waiting.lock();
        let waiting = waiting.unwrap_or_else(PoisonError::into_inner).take();
        let Some(waiting) = waiting else {
            return foreign();
        };
        let last = match &callback.result {
            Ok(_) => page(
                StatusCode::OK,
                "You can close this window",
                "The sign-in goes on in the terminal.",
            ),
            Err(_) => page(
                StatusCode::OK,
                "No token was given",
                "The terminal says why. You can close this window.",
            ),
        };
        // Nobody waits any more: then the page is all there is left to do.
        let _ = waiting.send(callback);
        last
    }

    /// The callback, if its state is ours; each parameter stands there once.
    fn read(&self, query: &str) -> Option<Callback> {
        let mut state = None;
        let mut code = None;
        let mut error = None;
        let mut description = None;
        let mut issuer = None;
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "state" => &mut state,
                "code" => &mut code,
                "error" => &mut error,
                "error_description" => &mut description,
                "iss" => &mut issuer,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        let state = state?;
        verify_slices_are_equal(state.as_bytes(), self.state.as_bytes()).ok()?;
        let result = match (code, error) {
            (Some(code), None) if !code.is_empty() => Ok(Zeroizing::new(code)),
            (None, Some(error)) => Err((error, description.unwrap_or_default())),
            _ => return None,
        };
        Some(Callback { result, issuer })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn ask(address: SocketAddr, host: &str, target: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn start(listener: Listener) -> tokio::task::JoinHandle<Result<Callback, Failure>> {
        let state = Zeroizing::new("right".to_owned());
        tokio::spawn(listener.wait(state, Duration::from_secs(60)))
    }

    #[tokio::test]
    async fn o01_only_a_callback_with_this_state_ends_the_wait() {
        let listener = Listener::bind().await.unwrap();
        let (address, uri) = (listener.address, listener.redirect_uri());
        assert_eq!(uri, format!("http://{address}/callback"));
        let waiting = start(listener);
        let host = address.to_string();
        for (host, target, status) in [
            (host.as_str(), "/", "404"),
            (&host, "/callback/", "404"),
            ("evil.example", "/callback?code=c&state=right", "404"),
            (&host, "/callback", "400"),
            (&host, "/callback?code=c", "400"),
            (&host, "/callback?code=c&state=wrong", "400"),
            (&host, "/callback?code=c&state=right&state=wrong", "400"),
            (&host, "/callback?code=c&code=d&state=right", "400"),
            (&host, "/callback?code=c&error=e&state=right", "400"),
            (&host, "/callback?state=right", "400"),
        ] {
            let answer = ask(address, host, target).await;
            let begins = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&begins), "{target}: {answer}");
            assert!(!waiting.is_finished());
        }
        let target = "/callback?code=a%2Bb&iss=https%3A%2F%2Fme&state=right&more=1";
        let answer = ask(address, &host, target).await;
        assert!(answer.contains("You can close this window"), "{answer}");
        let callback = waiting.await.unwrap().unwrap();
        assert_eq!(callback.issuer.as_deref(), Some("https://me"));
        assert_eq!(callback.result.unwrap().as_str(), "a+b");
    }

    #[tokio::test]
    async fn error_of_the_server_ends_the_wait_too() {
        let listener = Listener::bind().await.unwrap();
        let address = listener.address;
        let waiting = start(listener);
        let target = "/callback?error=access_denied&error_description=no&state=right";
        let answer = ask(address, &address.to_string(), target).await;
        assert!(answer.contains("No token was given"), "{answer}");
        let callback = waiting.await.unwrap().unwrap();
        let told = ("access_denied".to_owned(), "no".to_owned());
        assert_eq!(callback.result.unwrap_err(), told);
    }

    #[tokio::test]
    async fn wait_ends_when_its_time_is_over() {
        let listener = Listener::bind().await.unwrap();
        let state = Zeroizing::new("right".to_owned());
        let failure = listener.wait(state, Duration::ZERO).await.err().unwrap();
        assert_eq!(failure.code, REFUSED);
        assert!(failure.to_string().contains("nobody signed in"));
    }
}
