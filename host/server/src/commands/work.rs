//! Work of the queue, done by the command line itself until something has ended.

use std::time::Duration;

use anyhow::{Context, Result};
use portolan_app::connections::queries::find_by_name;
use portolan_core::{ConnectionId, TenantId};
use portolan_jobs::{Worker, WorkerOptions};
use tokio_util::sync::CancellationToken;

use super::user::sentence;
use crate::wire::Portolan;

const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The connection with this label or id.
pub async fn find_connection(portolan: &Portolan, name: &str) -> Result<(TenantId, ConnectionId)> {
    let found = find_by_name(&portolan.app, name).await.map_err(sentence)?;
    let (tenant, connection) = found.with_context(|| format!("there is no connection called {name}"))?;
    Ok((tenant, ConnectionId(connection)))
}

/// Runs what is due until `look` gives what has ended.
pub async fn work_until<T>(
    portolan: &Portolan,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let stop = CancellationToken::new();
    let worker = Worker::new(portolan.app.queue.clone(), portolan.registry(), WorkerOptions::default());
    let working = tokio::spawn(worker.run(stop.clone()));
    let ended = loop {
        match look().await {
            Ok(None) => tokio::time::sleep(LOOK_EVERY).await,
            Ok(Some(ended)) => break Ok(ended),
            Err(error) => break Err(error),
        }
    };
    stop.cancel();
    working.await?;
    ended
}
