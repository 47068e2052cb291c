//! Serving connections: whoever stops sending is let go, and a stop finishes what is in flight.
//!
//! A server without patience limits can be held up by a handful of clients that send a byte a minute.
//! How long an answer or an upload takes as a whole is nobody's business here: large files and event
//! streams last.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tower_http::add_extension::AddExtension;
use tower_http::timeout::RequestBodyTimeoutLayer;

use crate::web::client::Peer;

/// How long a client is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a request's whole head, and for the next request on a connection that stays open.
    pub head: Duration,
    /// For the next bytes of a body, counted anew with each that come.
    pub body: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head: Duration::from_secs(30), body: Duration::from_secs(30) }
    }
}

/// After a failed `accept` that concerns the server and not one client: no file descriptors, for example.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Serves until `stop`; requests in flight are finished.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Patience,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let router = router.layer(RequestBodyTimeoutLayer::new(patience.body));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience.head);
    let open = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            () = &mut stop => break,
            stream = accept(&listener) => stream,
        };
        let service = TowerToHyperService::new(AddExtension::new(router.clone(), Peer(peer)));
        let connection = open.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    // Nobody new comes in while the others finish.
    drop(listener);
    open.shutdown().await;
    Ok(())
}

/// The next client.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if concerns_one_client(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted, trying again");
                tokio::time::sleep(REST_AFTER_FAILURE).await;
            }
        }
    }
}

fn concerns_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
mod tests;
