//! Keeping the shape of what a sync reads, a row for each stream and day.

use portolan_core::{ConnectionId, Instant};
use portolan_db::entity::stream_shape::{self, Column};
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, QueryFilter};

use super::sample::sample;
use super::shape::Shape;

const DAY_US: i64 = 86_400_000_000;

/// The shape of a chunk's first records; none where it is no JSON.
pub fn shape_of(framing: &str, body: &[u8]) -> Option<Shape> {
    sample(framing, body)
}

/// Adds a shape to that of its day. A row that can't be read begins anew: the radar stands in no sync's way.
pub async fn keep_shape(
    tx: &TenantTx,
    connection: ConnectionId,
    stream: &str,
    received_at: Instant,
    shape: &Shape,
) -> Result<(), DbError> {
    let day = i32::try_from(received_at.0.div_euclid(DAY_US)).unwrap_or_default();
    let known = tx
        .find::<stream_shape::Entity>()
        .filter(Column::ConnectionId.eq(connection.0))
        .filter(Column::Stream.eq(stream))
        .filter(Column::Day.eq(day))
        .one(tx)
        .await?;
    let mut merged: Shape =
        known.and_then(|known| serde_json::from_str(&known.shape).ok()).unwrap_or_default();
    merged.merge(shape);
    let Ok(text) = serde_json::to_string(&merged) else { return Ok(()) };
    let row = stream_shape::ActiveModel {
        tenant_id: Set(tx.tenant().0),
        connection_id: Set(connection.0),
        stream: Set(stream.to_owned()),
        day: Set(day),
        records: Set(i64::try_from(merged.records).unwrap_or(i64::MAX)),
        shape: Set(text),
    };
    let replace = OnConflict::columns([Column::TenantId, Column::ConnectionId, Column::Stream, Column::Day])
        .update_columns([Column::Records, Column::Shape])
        .to_owned();
    tx.upsert_many(vec![row], &replace).await?;
    Ok(())
}
