//! `portolan replay`: read stored pages again.

use anyhow::{Context, Result, bail};
use portolan_access::audit::Who;
use portolan_app::plugins::ops::load_installed;
use portolan_app::replays::api::ReplayResponse;
use portolan_app::replays::ops::{
    ReplayScope as Scope, cancel_replay, open_replay, settle_dead, start_replay,
};
use portolan_app::replays::queries::{find_replay, page_of_record, replays_of};
use portolan_core::{ConnectionId, TenantId};
use uuid::Uuid;

use super::user::sentence;
use super::work::{find_connection, work_until};
use super::{print_line, print_progress};
use crate::cli::{ReplayCommand, ReplayScope};
use crate::wire::Portolan;

/// How many a list shows.
const NEWEST: u64 = 20;

pub async fn run(command: ReplayCommand) -> Result<()> {
    match command {
        ReplayCommand::Run { place, connection, scope, json } => {
            let portolan = Portolan::open(&place).await?;
            load_installed(&portolan.app).await.map_err(sentence)?;
            let (tenant, id) = find_connection(&portolan, &connection).await?;
            let scope = resolve(&portolan, tenant, id, scope).await?;
            let replay =
                start_replay(&portolan.app, tenant, Who::operator(), id, scope).await.map_err(sentence)?;
            let ended = finish(&portolan, tenant, id, replay).await?;
            print_line(&if json { serde_json::to_string(&ended)? } else { describe(&ended) })?;
            refuse_failure(&ended)
        }
        ReplayCommand::Status { place, connection, json } => {
            let portolan = Portolan::open(&place).await?;
            let (tenant, id) = find_connection(&portolan, &connection).await?;
            settle_dead(&portolan.app, tenant, id).await.map_err(sentence)?;
            let tx = portolan.app.db.read(tenant).await?;
            let rows = replays_of(&tx, id, NEWEST).await.map_err(sentence)?;
            let replays: Vec<ReplayResponse> = rows.into_iter().map(ReplayResponse::from).collect();
            if json {
                return print_line(&serde_json::to_string(&replays)?);
            }
            replays.iter().try_for_each(|replay| print_line(&describe(replay)))
        }
        ReplayCommand::Cancel { place, connection } => {
            let portolan = Portolan::open(&place).await?;
            let (tenant, id) = find_connection(&portolan, &connection).await?;
            let tx = portolan.app.db.read(tenant).await?;
            let open = open_replay(&tx, id).await.map_err(sentence)?;
            drop(tx);
            let open = open.with_context(|| format!("no replay of {connection} waits or runs"))?;
            cancel_replay(&portolan.app, tenant, Who::operator(), id, open.id).await.map_err(sentence)?;
            print_line("Cancelled. What was read again stays so.")
        }
    }
}

async fn resolve(
    portolan: &Portolan,
    tenant: TenantId,
    connection: ConnectionId,
    scope: ReplayScope,
) -> Result<Scope> {
    let chunk = match (scope.page, scope.record) {
        (Some(page), _) => Some(page.parse::<Uuid>().with_context(|| format!("{page} is no id of a page"))?),
        (None, Some(record)) => {
            let tx = portolan.app.db.read(tenant).await?;
            Some(page_of_record(&tx, connection, &record).await.map_err(sentence)?)
        }
        (None, None) => None,
    };
    Ok(Scope { stream: scope.stream, chunk })
}

/// Works until a replay has ended, and says how far it is.
pub async fn finish(
    portolan: &Portolan,
    tenant: TenantId,
    connection: ConnectionId,
    id: Uuid,
) -> Result<ReplayResponse> {
    let mut told = -1;
    work_until(portolan, async || {
        settle_dead(&portolan.app, tenant, connection).await.map_err(sentence)?;
        let tx = portolan.app.db.read(tenant).await?;
        let row = find_replay(&tx, connection, id).await.map_err(sentence)?;
        drop(tx);
        if row.chunks_done != told {
            told = row.chunks_done;
            print_progress(row.chunks_done, row.chunks_total, "pages read")?;
        }
        Ok((!row.state.is_open()).then(|| ReplayResponse::from(row)))
    })
    .await
}

/// The exit code says whether all of it could be read.
pub fn refuse_failure(replay: &ReplayResponse) -> Result<()> {
    match replay.state.as_str() {
        "succeeded" => Ok(()),
        state => bail!("{}", replay.error_detail.clone().unwrap_or_else(|| format!("the replay is {state}"))),
    }
}

pub fn describe(replay: &ReplayResponse) -> String {
    let scope = match (&replay.stream, replay.chunk_id) {
        (_, Some(chunk)) => format!("page {chunk}"),
        (Some(stream), None) => stream.clone(),
        (None, None) => "everything".to_owned(),
    };
    format!(
        "{} {scope} ({}): {}, {} of {} pages, {} records seen, {} skipped, {} released, {} documents, {} events",
        replay.created_at,
        replay.reason,
        replay.state,
        replay.chunks_done,
        replay.chunks_total,
        replay.seen,
        replay.skipped,
        replay.released,
        replay.documents,
        replay.events_posted
    )
}
