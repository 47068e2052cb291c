//! What is known of a connection's streams, read from their slices.

use std::collections::BTreeMap;

use portolan_connector::StreamDeclaration;
use portolan_connector::manifest::StreamMode;
use portolan_core::{ConnectionId, Instant};
use portolan_db::TenantTx;
use portolan_db::entity::slice::{self, SliceState};
use portolan_db::entity::{connection, stream};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use super::spans::{Coverage, Window, WindowState};
use crate::App;
use crate::channels::build_of_connection;
use crate::web::error::AppResult;

/// A stream with the map of what has been fetched of it.
pub struct StreamCoverage {
    pub row: stream::Model,
    /// Absent for files and for what is taken whole: they have no windows.
    pub coverage: Option<Coverage>,
    /// How each incremental fetch reaches back before the last, in seconds: later edits and late arrivals.
    pub lookback_seconds: Option<u64>,
    /// How long the channel may take to show a change, in seconds.
    pub lag_seconds: Option<u64>,
    pub retention_seconds: Option<u64>,
    pub mode: Option<StreamMode>,
}

/// Every stream of a connection.
pub async fn coverage_of(
    app: &App,
    tx: &TenantTx,
    connection: &connection::Model,
) -> AppResult<Vec<StreamCoverage>> {
    let streams = tx
        .find::<stream::Entity>()
        .filter(stream::Column::ConnectionId.eq(connection.id))
        .order_by_asc(stream::Column::Name)
        .all(tx)
        .await?;
    let plugin = build_of_connection(app, connection);
    let declared = |name: &str| plugin.as_ref().and_then(|plugin| plugin.manifest.stream(name)).cloned();
    let mut windows = windows_of(tx, ConnectionId(connection.id)).await?;
    let now = app.clock.now();
    Ok(streams
        .into_iter()
        .map(|row| {
            let declaration = declared(&row.name);
            let parts = windows.remove(&row.name).unwrap_or_default();
            StreamCoverage {
                coverage: declaration
                    .as_ref()
                    .filter(|declaration| declaration.mode == StreamMode::Incremental)
                    .map(|declaration| map(declaration, &parts, now)),
                lookback_seconds: declaration.as_ref().map(|declaration| declaration.lookback_seconds),
                lag_seconds: declaration.as_ref().map(|declaration| declaration.lag_seconds),
                retention_seconds: declaration.as_ref().and_then(|declaration| declaration.retention_seconds),
                mode: declaration.map(|declaration| declaration.mode),
                row,
            }
        })
        .collect())
}

/// Up to the last window: what came after it is told as freshness, not as a gap.
fn map(declaration: &StreamDeclaration, parts: &[Vec<Window>], now: Instant) -> Coverage {
    let horizon = declaration.retention().map(|retention| now - retention);
    let until = parts.iter().flatten().map(|window| window.until).max().unwrap_or(now);
    Coverage::of(parts, horizon, until)
}

/// A slice as far as it is about time.
#[derive(sea_orm::FromQueryResult)]
struct SliceWindow {
    stream: String,
    partition: Option<String>,
    since: Option<i64>,
    until: Option<i64>,
    state: SliceState,
}

/// The windows of every stream, each part's by itself.
async fn windows_of(
    tx: &TenantTx,
    connection: ConnectionId,
) -> AppResult<BTreeMap<String, Vec<Vec<Window>>>> {
    use slice::Column;
    let rows: Vec<SliceWindow> = tx
        .find::<slice::Entity>()
        .select_only()
        .columns([Column::Stream, Column::Partition, Column::Since, Column::Until, Column::State])
        .filter(Column::ConnectionId.eq(connection.0))
        .filter(Column::Until.is_not_null())
        // Others answer for what was split.
        .filter(Column::State.is_not_in([SliceState::Cancelled, SliceState::Split]))
        .into_model()
        .all(tx)
        .await?;
    let mut parts: BTreeMap<String, BTreeMap<Option<String>, Vec<Window>>> = BTreeMap::new();
    for row in &rows {
        let (Some(since), Some(until)) = (row.since, row.until) else { continue };
        let state = match row.state {
            SliceState::Done => WindowState::Done,
            SliceState::Failed => WindowState::Failed,
            SliceState::Pending | SliceState::Running | SliceState::Cancelled | SliceState::Split => {
                WindowState::Running
            }
        };
        let of_stream = parts.entry(row.stream.clone()).or_default();
        let window = Window { since: Instant(since), until: Instant(until), state };
        of_stream.entry(row.partition.clone()).or_default().push(window);
    }
    Ok(parts.into_iter().map(|(stream, parts)| (stream, parts.into_values().collect())).collect())
}
