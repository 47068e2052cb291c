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
    let key =
        ActiveModel { tenant_id: Set(tx.tenant().0), connection_id: Set(connection.0), ..Default::default() };
    tx.insert_many_on_conflict_do_nothing(vec![key.clone()]).await?;
    let mut row = key;
    change(&mut row);
    tx.update(row).await?;
    Ok(())
}
