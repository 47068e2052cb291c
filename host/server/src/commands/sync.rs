//! `portolan sync`: run one here, or look at the newest.

use anyhow::{Result, bail};
use portolan_access::audit::Who;
use portolan_app::plugins::ops::load_installed;
use portolan_app::syncs::api::SyncResponse;
use portolan_app::syncs::ops::{Trigger, start_sync};
use portolan_app::syncs::overview;

use super::plugin::install_folder;
use super::print_line;
use super::user::sentence;
use super::work::{find_connection, work_until};
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
    let (tenant, connection) = find_connection(portolan, name).await?;
    let id = start_sync(&portolan.app, tenant, Who::operator(), connection, Trigger::Manual)
        .await
        .map_err(sentence)?;
    let ended = work_until(portolan, async || {
        let sync = overview::one(&portolan.app, tenant, id).await.map_err(sentence)?;
        let over = matches!(sync.sync.state.as_str(), "succeeded" | "failed" | "cancelled" | "paused");
        Ok(over.then_some(sync))
    })
    .await?;
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
