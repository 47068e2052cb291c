//! Forgetting a person.

use portolan_core::Instant;
use portolan_db::TenantTx;
use portolan_db::entity::person;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::LockType;
use sea_orm::{ColumnTrait, QueryFilter, QuerySelect};

use super::Subject;
use crate::App;
use crate::web::error::{AppError, AppResult};

/// What became of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// When: the first time counts.
    pub erased_at: Instant,
    /// Whether they had been erased before, so that nothing was left to do.
    pub before: bool,
}

/// Takes a person's key and identity away, for good. The row stays as a tombstone, and figures stay as they are.
///
/// Doing it again changes nothing. Errors: nobody knows this person.
pub async fn erase(_app: &App, tx: &TenantTx, subject: &Subject, now: Instant) -> AppResult<Erased> {
    let row = tx
        .find::<person::Entity>()
        .filter(person::Column::Id.eq(subject.person_id))
        .lock(LockType::NoKeyUpdate)
        .one(tx)
        .await?
        .ok_or_else(|| AppError::not_found("person"))?;
    if let Some(erased_at) = row.erased_at {
        return Ok(Erased { erased_at: Instant(erased_at), before: true });
    }
    tx.update(person::ActiveModel {
        tenant_id: Set(row.tenant_id),
        id: Set(row.id),
        key_sealed: Set(None),
        identity_sealed: Set(None),
        erased_at: Set(Some(now.0)),
        ..Default::default()
    })
    .await?;
    Ok(Erased { erased_at: now, before: false })
}
