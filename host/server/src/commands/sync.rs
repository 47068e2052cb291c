//! `portolan sync`: run one here, or look at the newest.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use portolan_app::connections::queries::find_by_name;
use portolan_app::plugins::ops::load_installed;
use portolan_app::syncs::api::SyncResponse;
use portolan_app::syncs::ops::{Trigger, start_sync};
use portolan_app::syncs::overview;
use portolan_core::ConnectionId;
use portolan_jobs::{Worker, WorkerOptions};
use tokio_util::sync::CancellationToken;

use super::plugin::install_folder;
use super::print_line;
use super::user::sentence;
use crate::cli::SyncCommand;
use crate::wire::Portolan;

pub async fn run(command: SyncCommand) -> Result<()> {
    match command {
        SyncCommand::Status { place, json } => {
            let portolan = Portolan::open(&place).await?;
            let syncs = overview::newest_of_all(&portolan.app).await.map_err(sentence)?;
            if json {
                return print_line(&serde_json::to_string(&syncs)?);
            }
            for sync in &syncs {
                print_line(&describe(&sync.connection, &sync.sync))?;
            }
            Ok(())
        }
        SyncCommand::Run { place, connection, plugins } => {
            let portolan = Portolan::open(&place).await?;
            load_installed(&portolan.app).await.map_err(sentence)?;
            if let Some(folder) = plugins {
                install_folder(&portolan, &folder).await?;
            }
            run_here(&portolan, &connection).await
        }
    }
}

async fn run_here(portolan: &Portolan, name: &str) -> Result<()> {
    let found = find_by_name(&portolan.app, name).await.map_err(sentence)?;
    let (tenant, connection) = found.with_context(|| format!("there is no connection called {name}"))?;
    let id = start_sync(&portolan.app, tenant, ConnectionId(connection), Trigger::Manual)
        .await
        .map_err(sentence)?;
    let stop = CancellationToken::new();
    let worker = Worker::new(portolan.app.queue.clone(), portolan.registry(), WorkerOptions::default());
    let working = tokio::spawn(worker.run(stop.clone()));
    let ended = loop {
        let sync = overview::one(&portolan.app, tenant, id).await.map_err(sentence)?;
        if matches!(sync.sync.state.as_str(), "succeeded" | "failed" | "cancelled" | "paused") {
            break sync;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    stop.cancel();
    working.await?;
    print_line(&describe(&ended.connection, &ended.sync))?;
    if ended.sync.state != "succeeded" {
        bail!("{}", ended.sync.error_detail.unwrap_or_else(|| format!("the sync is {}", ended.sync.state)));
    }
    Ok(())
}

fn describe(connection: &str, sync: &SyncResponse) -> String {
    let mut line = format!(
        "{connection}: {}, {} records seen, {} skipped, {} documents, {} events",
        sync.state, sync.seen, sync.skipped, sync.documents, sync.events_posted
    );
    if let Some(detail) = &sync.error_detail {
        line.push_str(": ");
        line.push_str(detail);
    }
    line
}
