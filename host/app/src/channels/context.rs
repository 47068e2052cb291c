//! A stored connection as a plugin call needs it: secrets opened, grants and waiting files attached.

use std::sync::Arc;

use portolan_access::{CONNECTION_SECRET, TenantKeys};
use portolan_connector::{ConnectionContext, EgressGrant, SecretValue, StagedFile};
use portolan_core::calendar::StoreCalendar;
use portolan_core::{ConnectionId, Instant};
use portolan_db::TenantTx;
use portolan_db::entity::{connection, connection_secret, egress_grant, upload};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};

use crate::App;
use crate::web::error::{AppError, AppResult};

/// The state of an upload that waits for its plugin.
pub const UPLOAD_WAITING: &str = "waiting";
/// The state of an upload whose rows are staged.
pub const UPLOAD_STAGED: &str = "staged";
/// The state of an upload that was set aside, with the reason beside it.
pub const UPLOAD_REFUSED: &str = "refused";

/// The row name a secret is sealed to.
pub fn secret_row(connection: ConnectionId, field: &str) -> String {
    format!("{connection}/{field}")
}

/// Everything that a call to the connection's plugin needs.
pub async fn load_context(
    app: &App,
    tx: &TenantTx,
    connection: &connection::Model,
) -> AppResult<ConnectionContext> {
    let id = ConnectionId(connection.id);
    let mut secrets = Vec::new();
    let sealed = tx
        .find::<connection_secret::Entity>()
        .filter(connection_secret::Column::ConnectionId.eq(connection.id))
        .all(tx)
        .await?;
    let keys = TenantKeys::load(&app.key_ring, tx).await?;
    for secret in sealed {
        let row = secret_row(id, &secret.field);
        let cell = CONNECTION_SECRET.cell(tx.tenant(), &row);
        let plain = keys.open(cell, &secret.sealed).map_err(AppError::internal)?;
        let plain = String::from_utf8(plain).map_err(AppError::internal)?;
        secrets.push((secret.field, SecretValue::new(plain)));
    }
    let grants = tx
        .find::<egress_grant::Entity>()
        .filter(egress_grant::Column::ConnectionId.eq(connection.id))
        .all(tx)
        .await?;
    let waiting = tx
        .find::<upload::Entity>()
        .filter(upload::Column::ConnectionId.eq(connection.id))
        .filter(upload::Column::State.eq(UPLOAD_WAITING))
        .order_by_asc(upload::Column::Number)
        .all(tx)
        .await?;
    Ok(ConnectionContext {
        tenant: tx.tenant(),
        id,
        config: Arc::from(connection.config.as_str()),
        secrets,
        egress_grants: grants
            .into_iter()
            .map(|grant| EgressGrant {
                scheme: grant.scheme,
                host: grant.host,
                port: u16::try_from(grant.port).unwrap_or_default(),
            })
            .collect(),
        time_zone: connection.time_zone.clone(),
        files: waiting.into_iter().map(|upload| staged_file(app, upload)).collect(),
    })
}

fn staged_file(app: &App, upload: upload::Model) -> StagedFile {
    StagedFile {
        id: u64::try_from(upload.number).unwrap_or_default(),
        stream: upload.stream,
        name: upload.name,
        size_bytes: u64::try_from(upload.size_bytes).unwrap_or_default(),
        content_type: upload.content_type,
        received_at: Instant(upload.received_at),
        path: app.data_dir.join(upload.path),
    }
}

/// The days of the connection's store.
pub fn store_calendar(connection: &connection::Model) -> AppResult<StoreCalendar> {
    StoreCalendar::new(&connection.time_zone, connection.day_cutover_minutes)
        .map_err(|error| AppError::invalid("time_zone", error.to_string()))
}
