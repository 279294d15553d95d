//! From the command line to a running server, over its admin socket.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde_json::Value;
use tokio::net::UnixStream;

use super::failure::{Failure, INTERNAL, REFUSED};
use crate::state::socket;

/// An import of many users takes a while.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Sends the request to the server that holds this state folder; none if none runs.
pub(super) async fn ask(
    state: &Path,
    path: &'static str,
    request: &impl Serialize,
) -> Result<Option<Value>, Failure> {
    let stream = match UnixStream::connect(socket(state)).await {
        Ok(stream) => stream,
        // No socket, or a dead server's: none runs.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::ConnectionRefused
            ) =>
        {
            return Ok(None);
        }
        Err(error) => {
            let error = format!(
                "the running server cannot be reached over {}: {error}",
                socket(state).display()
            );
            return Err(Failure::new(
                REFUSED,
                error,
                "run this command as the server's user or root",
            ));
        }
    };
    let answer = tokio::time::timeout(TIMEOUT, exchange(stream, path, request)).await;
    answer.unwrap_or_else(|_| {
        let error = format!(
            "the running server did not answer within {} s",
            TIMEOUT.as_secs()
        );
        Err(Failure::new(INTERNAL, error, "see the server's log"))
    })
}

async fn exchange(
    stream: UnixStream,
    path: &'static str,
    request: &impl Serialize,
) -> Result<Option<Value>, Failure> {
    let broken = |error: &dyn std::error::Error| {
        Failure::new(
            INTERNAL,
            format!("the running server did not answer: {error}"),
            "see the server's log",
        )
    };
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error))?;
    tokio::spawn(connection);
    let body = serde_json::to_vec(request).map_err(|error| broken(&error))?;
    let request = Request::post(path)
        .header("host", "countersign")
        .body(Full::new(Bytes::from(body)));
    let response = sender
        .send_request(request.map_err(|error| broken(&error))?)
        .await
        .map_err(|error| broken(&error))?;
    let status = response.status();
    let bytes = response
        .into_body()
        .collect()
        .await
        .map_err(|error| broken(&error))?
        .to_bytes();
    let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    if status == StatusCode::OK {
        return Ok(Some(answer));
    }
    if let Some(report) = answer["report"].as_str() {
        return Err(Failure::told(REFUSED, report));
    }
    let text = |key: &str, otherwise: &str| answer[key].as_str().unwrap_or(otherwise).to_owned();
    Err(Failure::new(
        REFUSED,
        text("detail", "the server refused"),
        text("help", "see the server's log"),
    ))
}
