//! Reads about the shapes of streams.

use std::collections::BTreeMap;

use portolan_core::{ConnectionId, LocalDate};
use portolan_db::TenantTx;
use portolan_db::entity::stream_shape::{self, Column};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};

use super::compare::{PathDrift, drift};
use super::shape::Shape;
use crate::web::error::AppResult;

/// Days that the last one is held against.
const DAYS_BEFORE: i32 = 14;

/// How the raw records of a stream have changed.
pub struct StreamDrift {
    pub stream: String,
    /// The last day on which records came.
    pub day: LocalDate,
    /// Records looked at on that day, and on those before.
    pub records: u64,
    pub records_before: u64,
    pub paths: usize,
    pub drift: Vec<PathDrift>,
}

/// Of every stream of a connection that sends JSON.
pub async fn drift_of(tx: &TenantTx, connection: ConnectionId) -> AppResult<Vec<StreamDrift>> {
    let rows = tx
        .find::<stream_shape::Entity>()
        .filter(Column::ConnectionId.eq(connection.0))
        .order_by_asc(Column::Stream)
        .order_by_asc(Column::Day)
        .all(tx)
        .await?;
    let mut days_of: BTreeMap<String, Vec<(i32, Shape)>> = BTreeMap::new();
    for row in rows {
        let Ok(shape) = serde_json::from_str::<Shape>(&row.shape) else { continue };
        days_of.entry(row.stream).or_default().push((row.day, shape));
    }
    let streams = days_of.into_iter().filter_map(|(stream, mut days)| {
        let (day, now) = days.pop()?;
        let mut before = Shape::default();
        let earlier = days.iter().filter(|(earlier, _)| *earlier >= day - DAYS_BEFORE);
        earlier.for_each(|(_, shape)| before.merge(shape));
        Some(StreamDrift {
            stream,
            day: LocalDate(day),
            records: now.records,
            records_before: before.records,
            paths: now.paths().len(),
            drift: drift(&before, &now),
        })
    });
    Ok(streams.collect())
}
