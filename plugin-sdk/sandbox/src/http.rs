//! A sandbox behind HTTP: its own routes, and `/_sandbox/state` and `/_sandbox/faults` to control it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::fault::Fault;
use crate::reply::Reply;

const LARGEST_BODY_BYTES: usize = 1 << 20;

/// What can be told to misbehave.
pub trait Upstream: Send + Sync + 'static {
    /// Misbehaves on a later request.
    fn inject(&self, fault: Fault);
    fn clear_faults(&self);
    /// Counters, waiting faults and what it holds.
    fn report(&self) -> Value;
}

/// A running sandbox; it stops when this is dropped.
pub struct Handle<S> {
    pub address: SocketAddr,
    pub sandbox: Arc<S>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<std::io::Result<()>>,
}

impl<S> Handle<S> {
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until the server ends by itself.
    pub async fn wait(mut self) -> std::io::Result<()> {
        (&mut self.task).await.unwrap_or(Ok(()))
    }
}

impl<S> Drop for Handle<S> {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone only when the server has ended already.
            let _ended = stop.send(());
        }
    }
}

/// Serves a sandbox on a listener, inside the current runtime: `routes` beside those that control it.
pub fn serve<S: Upstream>(
    listener: TcpListener,
    sandbox: S,
    routes: Router<Arc<S>>,
) -> std::io::Result<Handle<S>> {
    let address = listener.local_addr()?;
    let sandbox = Arc::new(sandbox);
    let (stop, stopped) = oneshot::channel::<()>();
    let router = routes
        .route("/_sandbox/state", get(read_state::<S>))
        .route("/_sandbox/faults", post(inject_faults::<S>).delete(clear_faults::<S>))
        .layer(DefaultBodyLimit::max(LARGEST_BODY_BYTES))
        .with_state(Arc::clone(&sandbox));
    let task = tokio::spawn(async move {
        axum::serve(listener, router).with_graceful_shutdown(async move { drop(stopped.await) }).await
    });
    Ok(Handle { address, sandbox, stop: Some(stop), task })
}

/// Sends what a sandbox answers; computing it may take long.
pub async fn answer(reply: impl FnOnce() -> Reply + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(reply).await {
        Ok(reply) => send(reply).await,
        Err(_) => failure(StatusCode::INTERNAL_SERVER_ERROR, "the sandbox could not answer"),
    }
}

async fn send(reply: Reply) -> Response {
    if reply.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(reply.delay_ms)).await;
    }
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        builder = builder.header(name, value);
    }
    builder
        .body(Body::from(reply.body))
        .unwrap_or_else(|_| failure(StatusCode::INTERNAL_SERVER_ERROR, "the sandbox could not answer"))
}

/// A complaint about the sandbox itself.
pub fn failure(status: StatusCode, message: &'static str) -> Response {
    let mut response = Response::new(Body::from(message));
    *response.status_mut() = status;
    response
}

pub fn with_type(content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    response
}

async fn read_state<S: Upstream>(State(sandbox): State<Arc<S>>) -> Json<Value> {
    Json(sandbox.report())
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Faults {
    Several(Vec<Fault>),
    One(Fault),
}

async fn inject_faults<S: Upstream>(
    State(sandbox): State<Arc<S>>,
    Json(faults): Json<Faults>,
) -> Json<Value> {
    let faults = match faults {
        Faults::Several(faults) => faults,
        Faults::One(fault) => vec![fault],
    };
    for fault in faults {
        sandbox.inject(fault);
    }
    Json(sandbox.report())
}

async fn clear_faults<S: Upstream>(State(sandbox): State<Arc<S>>) -> Json<Value> {
    sandbox.clear_faults();
    Json(sandbox.report())
}
