//! Ending a connection, with everything that it brought.

use std::sync::Arc;

use portolan_access::audit::{self, Who};
use portolan_core::{ConnectionId, TenantId};
use portolan_db::entity::sync::SyncState;
use portolan_db::entity::{
    chunk, connection, connection_secret, document, document_version, egress_grant, person, privacy_request,
    product_label, quarantine, stream, sync, version_source,
};
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::json;

use super::change::has_sales;
use super::ops::find_connection;
use crate::App;
use crate::syncs::jobs::unschedule_streams;
use crate::web::error::{AppError, AppResult};

/// Removes a connection, its secrets and schedules. Possible while it has brought nothing into the
/// ledger: the ledger only grows, so a connection with postings is paused instead.
///
/// Errors: the name was not typed, a sync is open, or the ledger knows the connection.
pub async fn delete_connection(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    id: ConnectionId,
    confirm: Option<&str>,
) -> AppResult<()> {
    let now = app.clock.now();
    let confirm = confirm.unwrap_or_default().to_owned();
    let queue = app.queue.clone();
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let row = find_connection(tx, id).await?;
                if confirm.trim() != row.label {
                    return Err(AppError::invalid("confirm", format!("Type {:?} to delete it.", row.label)));
                }
                let open = tx
                    .find::<sync::Entity>()
                    .filter(sync::Column::ConnectionId.eq(id.0))
                    .filter(sync::Column::State.is_in([SyncState::Queued, SyncState::Running, SyncState::Paused]))
                    .one(tx)
                    .await?;
                if open.is_some() {
                    return Err(AppError::conflict("A sync of this connection is open. Cancel it first."));
                }
                if has_sales(tx, id).await? {
                    return Err(AppError::conflict(
                        "This connection has brought sales or payments into the ledger, which only grows. Pause it instead; its history stays in every report.",
                    ));
                }
                unschedule_streams(&queue, tx, id).await?;
                tx.delete_many::<connection_secret::Entity>()
                    .filter(connection_secret::Column::ConnectionId.eq(id.0))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                tx.delete_many::<egress_grant::Entity>()
                    .filter(egress_grant::Column::ConnectionId.eq(id.0))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                delete_imported(tx, id).await?;
                tx.delete_many::<stream::Entity>()
                    .filter(stream::Column::ConnectionId.eq(id.0))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                tx.delete_many::<connection::Entity>()
                    .filter(connection::Column::Id.eq(id.0))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                tx.bump_data_version().await?;
                let entry = who.did("connection.delete", "connection", id);
                let gone = json!({ "label": row.label, "plugin_id": row.plugin_id });
                audit::write(tx, now, entry.before(gone));
                Ok(())
            })
        })
        .await
}

/// What it brought without moving the ledger: products, customers and who they are, test orders, raw pages.
async fn delete_imported(tx: &TenantTx, id: ConnectionId) -> Result<(), DbError> {
    tx.delete_many::<person::Entity>().filter(person::Column::ConnectionId.eq(id.0)).exec(tx).await?;
    // That somebody asked stays in the list, without whom and what was gathered.
    let gathered = tx.update_many::<privacy_request::Entity>().set(privacy_request::ActiveModel {
        subject: Set(None),
        export: Set(None),
        export_until: Set(None),
        ..Default::default()
    });
    gathered.filter(privacy_request::Column::ConnectionId.eq(id.0)).exec(tx).await?;
    tx.delete_many::<quarantine::Entity>().filter(quarantine::Column::ConnectionId.eq(id.0)).exec(tx).await?;
    tx.delete_many::<chunk::Entity>().filter(chunk::Column::ConnectionId.eq(id.0)).exec(tx).await?;
    tx.delete_many::<document::Entity>().filter(document::Column::ConnectionId.eq(id.0)).exec(tx).await?;
    let labels = tx.delete_many::<product_label::Entity>();
    labels.filter(product_label::Column::ConnectionId.eq(id.0)).exec(tx).await?;
    let sources = tx.delete_many::<version_source::Entity>();
    let own = sea_orm::sea_query::Query::select()
        .column(document_version::Column::Id)
        .from(document_version::Entity)
        .and_where(document_version::Column::TenantId.eq(tx.tenant().0))
        .and_where(document_version::Column::ConnectionId.eq(id.0))
        .to_owned();
    sources.filter(version_source::Column::VersionId.in_subquery(own)).exec(tx).await?;
    let versions = tx.delete_many::<document_version::Entity>();
    versions.filter(document_version::Column::ConnectionId.eq(id.0)).exec(tx).await?;
    Ok(())
}
