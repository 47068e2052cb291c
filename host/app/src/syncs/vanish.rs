//! What a channel no longer has. A stream that is taken whole tells it by silence: a document that a complete pass
//! does not show is gone. Silence is also what a channel with trouble says, so three things must hold: the pass is
//! complete, every record of it was understood, and not too much is gone at once; else a person decides.
//!
//! What is gone gets a version of its own that says so, newer than the one that was there and older than whatever
//! the channel shows next: a document that comes back is there again.

use std::sync::Arc;

use portolan_access::audit::{self, Who};
use portolan_commerce::document::Document;
use portolan_core::{ChunkId, ConnectionId, Instant, SyncId, TenantId};
use portolan_db::entity::slice::{self, SliceState};
use portolan_db::entity::{connection, document_version, held_delete};
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::App;
use crate::channels::context::store_calendar;
use crate::channels::{find_connection, plugin_of};
use crate::ingest::batch::{BatchAim, prepare};
use crate::ingest::build_of;
use crate::ingest::post::{PostContext, PostError, post_batch};
use crate::live::LiveMessage;
use crate::web::error::{AppError, AppResult};

/// Fewer than these may go unasked.
pub const UNASKED: u64 = 10;
/// More than this share of a stream, in percent, is not believed unasked.
pub const MOST_PERCENT: u64 = 20;

/// The code of a sync that leaves something to decide.
pub const DELETES_HELD: &str = "deletes_held";

/// Entities whose documents can say that they are gone.
const CAN_GO: [&str; 6] = ["order", "refund", "balance_entry", "payout", "product", "customer"];

/// What a complete pass did not show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vanished {
    pub versions: Vec<Uuid>,
    /// Of so many documents of the stream.
    pub total: u64,
}

impl Vanished {
    /// Whether a person has to decide.
    pub fn is_too_much(&self) -> bool {
        let gone = self.versions.len() as u64;
        gone >= UNASKED && gone * 100 > self.total * MOST_PERCENT
    }
}

/// Whether a pass over a stream is complete: every slice of it is done, and every record became a document.
pub async fn is_complete(tx: &TenantTx, sync: SyncId, stream: &str) -> Result<bool, DbError> {
    let slices = tx
        .find::<slice::Entity>()
        .filter(slice::Column::SyncId.eq(sync.0))
        .filter(slice::Column::Stream.eq(stream))
        .all(tx)
        .await?;
    // One that was split has been replaced by its parts.
    let slices: Vec<slice::Model> =
        slices.into_iter().filter(|slice| slice.state != SliceState::Split).collect();
    let whole = |slice: &slice::Model| {
        slice.mode == "snapshot"
            && slice.file.is_none()
            && slice.state == SliceState::Done
            && slice.skipped == 0
    };
    Ok(!slices.is_empty() && slices.iter().all(whole))
}

/// The documents that this stream brought and this pass did not show in any version. The chunks of the pass are the
/// mark: a version names the newest chunk that says it.
pub async fn vanished(
    tx: &TenantTx,
    connection: ConnectionId,
    sync: SyncId,
    stream: &str,
) -> Result<Vanished, DbError> {
    let entities = CAN_GO.map(|entity| format!("'{entity}'")).join(", ");
    let of_stream = format!(
        "FROM document d \
         JOIN document_version v ON v.tenant_id = d.tenant_id AND v.id = d.version_id \
         JOIN chunk c ON c.tenant_id = v.tenant_id AND c.id = v.source_chunk_id \
         WHERE d.tenant_id = $1 AND d.connection_id = $2 AND d.entity IN ({entities}) \
         AND d.deleted = $4 AND c.stream = $3"
    );
    let values = || -> Vec<sea_orm::Value> {
        vec![tx.tenant().0.into(), connection.0.into(), stream.into(), false.into()]
    };
    let count = tx.statement(format!("SELECT COUNT(*) {of_stream}"), values());
    let total: i64 = match tx.query_one_raw(count).await? {
        Some(row) => row.try_get_by_index(0)?,
        None => 0,
    };
    let sql = format!(
        "SELECT d.version_id {of_stream} AND NOT EXISTS (SELECT 1 FROM document_version s \
         JOIN chunk p ON p.tenant_id = s.tenant_id AND p.id = s.source_chunk_id \
         WHERE s.tenant_id = d.tenant_id AND s.connection_id = d.connection_id AND s.entity = d.entity \
         AND s.key = d.key AND p.sync_id = $5) ORDER BY d.version_id"
    );
    let with_sync = values().into_iter().chain([sync.0.into()]);
    let rows = tx.query_all_raw(tx.statement(sql, with_sync)).await?;
    let versions: Result<Vec<Uuid>, _> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
    Ok(Vanished { versions: versions?, total: u64::try_from(total).unwrap_or_default() })
}

/// Says of these documents that they are gone, in transactions as short as those of a sync. Gives their number.
pub async fn mark_gone(
    app: &Arc<App>,
    tenant: TenantId,
    connection: &connection::Model,
    sync: SyncId,
    versions: &[Uuid],
) -> AppResult<u64> {
    let calendar = store_calendar(connection)?;
    let build = plugin_of(app, connection)?.plugin.sha256;
    let (id, received_at) = (ConnectionId(connection.id), app.clock.now());
    let mut gone = 0;
    for versions in versions.chunks(BatchAim::default().documents) {
        let (versions, calendar, build, app_in_task) =
            (versions.to_vec(), calendar.clone(), build_of(&build), Arc::clone(app));
        gone += app
            .db
            .write_as(portolan_db::WriteClass::Background, tenant, move |tx| {
                Box::pin(async move {
                    let rows = tx
                        .find::<document_version::Entity>()
                        .filter(document_version::Column::Id.is_in(versions))
                        .all(tx)
                        .await?;
                    let documents: Vec<Document> = rows.iter().map(without).collect::<AppResult<Vec<_>>>()?;
                    let context = PostContext {
                        connection: id,
                        // No chunk says so, and none can take it back but one that shows the document again.
                        chunk: ChunkId(sync.0),
                        plugin_build: build,
                        received_at,
                        calendar: &calendar,
                        known_labels: &Arc::default(),
                        clock: &*app_in_task.clock,
                        random: &*app_in_task.random,
                    };
                    let prepared = prepare(tx.tenant(), &context, documents, BatchAim::default());
                    let count = prepared.documents;
                    for batch in prepared.batches {
                        post_batch(tx, &context, batch).await.map_err(post_error)?;
                    }
                    Ok::<_, AppError>(count)
                })
            })
            .await?;
    }
    if gone > 0 {
        tracing::info!(tenant.id = %tenant, connection.id = %id, sync.id = %sync, documents = gone, "documents are gone");
        let tx = app.db.read(tenant).await?;
        let data_version = tx.ledger_head().await?.data_version;
        app.live.publish(LiveMessage::Data { tenant, data_version });
    }
    Ok(gone)
}

/// The document with the word that it is gone.
fn without(row: &document_version::Model) -> AppResult<Document> {
    let mut body: Value = serde_json::from_str(&row.body).map_err(AppError::internal)?;
    body["deleted"] = Value::Bool(true);
    serde_json::from_value(body).map_err(AppError::internal)
}

fn post_error(error: PostError) -> AppError {
    match error {
        PostError::Database(error) => error.into(),
        PostError::Corrupt(detail) => AppError::internal(detail),
    }
}

/// Keeps for a person what is too much to believe; forgets what an earlier pass left to decide.
pub async fn hold(
    tx: &TenantTx,
    connection: ConnectionId,
    sync: SyncId,
    stream: &str,
    vanished: Option<&Vanished>,
    now: i64,
) -> Result<(), DbError> {
    use held_delete::Column;
    let Some(vanished) = vanished else {
        tx.delete_many::<held_delete::Entity>()
            .filter(Column::ConnectionId.eq(connection.0))
            .filter(Column::Stream.eq(stream))
            .exec(tx)
            .await?;
        return Ok(());
    };
    let row = held_delete::ActiveModel {
        tenant_id: Set(tx.tenant().0),
        connection_id: Set(connection.0),
        stream: Set(stream.to_owned()),
        sync_id: Set(sync.0),
        vanished: Set(vanished.versions.len() as i64),
        total: Set(i64::try_from(vanished.total).unwrap_or(i64::MAX)),
        created_at: Set(now),
    };
    let replace = OnConflict::columns([Column::TenantId, Column::ConnectionId, Column::Stream])
        .update_columns([Column::SyncId, Column::Vanished, Column::Total, Column::CreatedAt])
        .to_owned();
    tx.upsert_many(vec![row], &replace).await?;
    Ok(())
}

/// What waits for a person's word, by stream.
pub async fn held(tx: &TenantTx, connection: ConnectionId) -> AppResult<Vec<held_delete::Model>> {
    Ok(tx
        .find::<held_delete::Entity>()
        .filter(held_delete::Column::ConnectionId.eq(connection.0))
        .all(tx)
        .await?)
}

/// A person believes it: what the pass did not show, and no later one has shown, is gone.
pub async fn confirm(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    connection: ConnectionId,
    stream: String,
) -> AppResult<u64> {
    let tx = app.db.read(tenant).await?;
    let row = find_connection(&tx, connection).await?;
    let held = held(&tx, connection).await?.into_iter().find(|held| held.stream == stream);
    let held =
        held.ok_or_else(|| AppError::conflict("Nothing of this stream waits to be decided (any more)."))?;
    let sync = SyncId(held.sync_id);
    let vanished = vanished(&tx, connection, sync, &stream).await?;
    drop(tx);
    let now = app.clock.now().0;
    let entry = who.did("stream.confirm_deletes", "connection", connection).after(json!({
        "stream": stream, "sync_id": sync, "documents": vanished.versions.len(),
    }));
    // The decision comes first: what follows takes several transactions, and may be gone on with later.
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                audit::write(tx, Instant(now), entry);
                Ok::<_, AppError>(())
            })
        })
        .await?;
    let gone = mark_gone(app, tenant, &row, sync, &vanished.versions).await?;
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move { Ok::<_, AppError>(hold(tx, connection, sync, &stream, None, now).await?) })
        })
        .await?;
    Ok(gone)
}
