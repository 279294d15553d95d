//! Countersign inside another service: `/hello` is the service's own, all other paths are
//! Countersign's. It is configured as `countersign` is, by files and variables.
//!
//! ```sh
//! cargo build && COUNTERSIGN_PLUGINS__DIRECTORIES=target/debug cargo run --example embed 127.0.0.1:8080
//! curl http://127.0.0.1:8080/hello
//! curl http://127.0.0.1:8080/.well-known/jwks.json
//! ```

use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use countersign::config::Sources;
use countersign::embed::Embedded;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listen = std::env::args().nth(1);
    let listener = TcpListener::bind(listen.as_deref().unwrap_or("127.0.0.1:8080")).await?;

    let sources = Sources::from_process(Vec::new(), Vec::new())?;
    let countersign = Embedded::start(sources).await?;
    let service = Router::new()
        .route("/hello", get(|| async { "hello\n" }))
        .fallback_service(countersign.router());

    println!("serving http://{}", listener.local_addr()?);
    let service = service.into_make_service_with_connect_info::<SocketAddr>();
    let interrupted = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, service)
        .with_graceful_shutdown(interrupted)
        .await?;
    countersign.shutdown().await;
    Ok(())
}
