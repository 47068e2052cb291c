//! How a connection's customers are treated: a row that is there once something was said.

use portolan_core::ConnectionId;
use portolan_db::TenantTx;
use portolan_db::entity::connection_privacy::{ActiveModel, Entity, Model};
use sea_orm::ActiveValue::Set;

use crate::web::error::AppResult;

/// What is said of a connection; nothing, where nobody has said anything.
pub async fn of(tx: &TenantTx, connection: ConnectionId) -> AppResult<Option<Model>> {
    Ok(tx.find_by_id::<Entity>(connection.0).await?)
}

/// Changes what is said of a connection.
pub async fn change(
    tx: &TenantTx,
    connection: ConnectionId,
    change: impl FnOnce(&mut ActiveModel),
) -> AppResult<()> {
    let (tenant_id, connection_id) = (Set(tx.tenant().0), Set(connection.0));
    let nothing_said = ActiveModel {
        tenant_id: tenant_id.clone(),
        connection_id: connection_id.clone(),
        retention_days: Set(None),
        hook_sha256: Set(None),
        hook_made_at: Set(None),
        hook_received_at: Set(None),
    };
    tx.insert_many_on_conflict_do_nothing(vec![nothing_said]).await?;
    let mut row = ActiveModel { tenant_id, connection_id, ..Default::default() };
    change(&mut row);
    tx.update(row).await?;
    Ok(())
}
