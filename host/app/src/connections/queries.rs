//! Reads about connections.

use std::collections::BTreeMap;

use portolan_analytics::Visibility;
use portolan_core::{ConnectionId, TenantId};
use portolan_db::TenantTx;
use portolan_db::entity::{connection, connection_secret, document, egress_grant, stream, sync, upload};
use sea_orm::{ColumnTrait, Order, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::App;
use crate::channels::context::UPLOAD_STAGED;
use crate::channels::seen::of_seen_connections;
use crate::people::all_tenants;
use crate::web::error::AppResult;
use crate::web::page::Beside;

/// Every connection of the tenant, by label.
pub async fn list_connections(tx: &TenantTx) -> AppResult<Vec<connection::Model>> {
    Ok(tx.find::<connection::Entity>().order_by_asc(connection::Column::Label).all(tx).await?)
}

/// Connections beside one, oldest first; one more than `limit` where there are more.
pub async fn page_of_connections(
    tx: &TenantTx,
    seen: &Visibility,
    beside: Option<Beside>,
    limit: u64,
) -> AppResult<Vec<connection::Model>> {
    // Ids are UUIDv7: their order is the order of creation.
    let of_seen = of_seen_connections(tx, seen, connection::Column::Id).await?;
    let mut wanted = tx.find::<connection::Entity>().filter(of_seen);
    let back = beside.is_some_and(Beside::is_back);
    if let Some(Beside { item, .. }) = beside {
        let id = connection::Column::Id;
        wanted = wanted.filter(if back { id.lt(item) } else { id.gt(item) });
    }
    let order = if back { Order::Desc } else { Order::Asc };
    let mut found = wanted.order_by(connection::Column::Id, order).limit(limit + 1).all(tx).await?;
    if back {
        found.reverse();
    }
    Ok(found)
}

pub async fn streams_of(tx: &TenantTx, connection: ConnectionId) -> AppResult<Vec<stream::Model>> {
    Ok(tx
        .find::<stream::Entity>()
        .filter(stream::Column::ConnectionId.eq(connection.0))
        .order_by_asc(stream::Column::Name)
        .all(tx)
        .await?)
}

pub async fn secrets_of(tx: &TenantTx, connection: ConnectionId) -> AppResult<Vec<connection_secret::Model>> {
    Ok(tx
        .find::<connection_secret::Entity>()
        .filter(connection_secret::Column::ConnectionId.eq(connection.0))
        .all(tx)
        .await?)
}

pub async fn grants_of(tx: &TenantTx, connection: ConnectionId) -> AppResult<Vec<egress_grant::Model>> {
    Ok(tx
        .find::<egress_grant::Entity>()
        .filter(egress_grant::Column::ConnectionId.eq(connection.0))
        .all(tx)
        .await?)
}

/// The newest files given to a connection, those first that are not imported.
pub async fn uploads_of(
    tx: &TenantTx,
    connection: ConnectionId,
    limit: u64,
) -> AppResult<Vec<upload::Model>> {
    Ok(tx
        .find::<upload::Entity>()
        .filter(upload::Column::ConnectionId.eq(connection.0))
        .order_by_asc(upload::Column::State.eq(UPLOAD_STAGED))
        .order_by_desc(upload::Column::Number)
        .limit(limit)
        .all(tx)
        .await?)
}

/// Files of one stream that wait for the next sync or were set aside, newest first.
pub async fn waiting_uploads(
    tx: &TenantTx,
    connection: ConnectionId,
    stream: &str,
) -> AppResult<Vec<upload::Model>> {
    Ok(tx
        .find::<upload::Entity>()
        .filter(upload::Column::ConnectionId.eq(connection.0))
        .filter(upload::Column::Stream.eq(stream))
        .filter(upload::Column::State.ne(UPLOAD_STAGED))
        .order_by_desc(upload::Column::Number)
        .all(tx)
        .await?)
}

/// The newest sync of each connection.
pub async fn newest_syncs(tx: &TenantTx) -> AppResult<BTreeMap<Uuid, sync::Model>> {
    let mut newest = BTreeMap::new();
    for connection in list_connections(tx).await? {
        let found = tx
            .find::<sync::Entity>()
            .filter(sync::Column::ConnectionId.eq(connection.id))
            .order_by_desc(sync::Column::Id)
            .one(tx)
            .await?;
        if let Some(found) = found {
            newest.insert(connection.id, found);
        }
    }
    Ok(newest)
}

/// How many documents of each kind a connection has.
pub async fn document_counts(tx: &TenantTx, connection: ConnectionId) -> AppResult<BTreeMap<String, i64>> {
    let counts: Vec<(String, i64)> = tx
        .find::<document::Entity>()
        .select_only()
        .column(document::Column::Entity)
        .column_as(document::Column::Id.count(), "documents")
        .filter(document::Column::ConnectionId.eq(connection.0))
        .group_by(document::Column::Entity)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(counts.into_iter().collect())
}

/// The labels of a tenant's connections.
pub async fn labels_of(app: &App, tenant: TenantId) -> AppResult<Vec<String>> {
    let tx = app.db.read(tenant).await?;
    Ok(list_connections(&tx).await?.into_iter().map(|connection| connection.label).collect())
}

/// A connection of any tenant by its label or id: for the operator's command line.
pub async fn find_by_name(app: &App, name: &str) -> AppResult<Option<(TenantId, Uuid)>> {
    for tenant in all_tenants(app).await? {
        let tenant = TenantId(tenant.id);
        let tx = app.db.read(tenant).await?;
        let found = list_connections(&tx).await?;
        let found = found.into_iter().find(|row| row.label == name || row.id.to_string() == name);
        if let Some(found) = found {
            return Ok(Some((tenant, found.id)));
        }
    }
    Ok(None)
}
