//! `portolan serve`: pages and API on one address, syncs in the background, a graceful stop.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use portolan_app::audit::jobs::schedule_anchors;
use portolan_app::connections::passing::sweep_left_over;
use portolan_app::mail::outbox::forget_old;
use portolan_app::plugins::ops::load_installed;
use portolan_app::web::serve::{Patience, serve as serve_connections};
use portolan_app::{App, router};
use portolan_jobs::{Worker, WorkerOptions};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::plugin::install_folder;
use super::print_line;
use super::user::sentence;
use crate::cli::Place;
use crate::wire::Portolan;

/// How long requests in flight may take once the server stops.
const DRAIN: Duration = Duration::from_secs(25);
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

pub async fn serve(place: &Place, listen: SocketAddr, plugins: Option<&Path>, workers: usize) -> Result<()> {
    let portolan = Portolan::open(place).await?;
    load_installed(&portolan.app).await.map_err(sentence)?;
    if let Some(folder) = plugins {
        install_folder(&portolan, folder).await?;
    }
    let stop = portolan.app.stopping.clone();
    let options = WorkerOptions { concurrency: workers.max(1), ..WorkerOptions::default() };
    let worker = Worker::new(portolan.app.queue.clone(), portolan.registry(), options);
    let working = tokio::spawn(worker.run(stop.clone()));

    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on {listen}: choose another address with --listen"))?;
    tracing::info!(address = %listener.local_addr()?, "Portolan is up");
    announce_set_up(&portolan.app, listener.local_addr()?).await?;
    tokio::spawn(stop_on_signal(stop.clone()));
    tokio::spawn(tidy_up(Arc::clone(&portolan.app), stop.clone()));
    let app = Arc::clone(&portolan.app);
    let stopped = stop.clone();
    let router = router::router(app);
    let serving =
        serve_connections(listener, router, Patience::default(), async move { stopped.cancelled().await });
    tokio::select! {
        served = serving => served?,
        () = patience_after(stop.clone()) => tracing::warn!("some connections did not end in time and are closed"),
    }
    tracing::info!("waiting for running jobs to stop");
    working.await?;
    portolan.app.db.close().await?;
    Ok(())
}

/// While nobody is there: prints the address by which the first owner is made. To standard output, as answers are:
/// logs travel further.
async fn announce_set_up(app: &App, listens: SocketAddr) -> Result<()> {
    let Some(token) = app.sessions.make_set_up_token().await? else { return Ok(()) };
    let address = match &app.public_address {
        Some(address) => address.to_string(),
        None if listens.ip().is_unspecified() => format!("http://127.0.0.1:{}", listens.port()),
        None => format!("http://{listens}"),
    };
    tracing::info!("nobody is there yet: the address to set this Portolan up stands on standard output");
    print_line(&format!("Set up Portolan, once and within 24 hours: {address}/setup?token={token}"))
}

/// Ends some time after the stop: a client that never finishes must not keep the server up.
async fn patience_after(stop: CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(DRAIN).await;
}

/// Forgets sessions and links whose time is over, and files that nobody waits for, now and then; and has the audits of new
/// tenants signed.
async fn tidy_up(app: Arc<App>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = app.sessions.forget_expired().await {
            tracing::warn!(%error, "failed to forget expired sessions");
        }
        if let Err(error) = forget_old(&app).await {
            tracing::warn!(error = error.full_detail(), "failed to forget old mails");
        }
        if let Err(error) = schedule_anchors(&app).await {
            tracing::warn!(error = error.full_detail(), "failed to schedule the signatures of audits");
        }
        match sweep_left_over(&app).await {
            Ok(0) => {}
            Ok(files) => {
                tracing::info!(files, "removed files that an earlier server had left while receiving them")
            }
            Err(error) => tracing::warn!(%error, "failed to remove files that were left over"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(FORGET_EVERY) => {}
        }
    }
}

async fn stop_on_signal(stop: CancellationToken) {
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::error!(%error, "cannot listen for SIGTERM");
            return;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("stopping: no new work is taken");
    stop.cancel();
}
