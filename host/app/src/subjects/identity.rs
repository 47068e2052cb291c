//! Who a pseudonym is, for those who may know.

use portolan_access::{PersonKey, SealedPerson, TenantKeys};
use portolan_core::Instant;
use portolan_db::TenantTx;
use portolan_db::entity::person;

use super::Subject;
use crate::App;
use crate::web::error::{AppError, AppResult};

/// What is known of who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The channel's id, in its canonical form.
    Known { channel_customer_id: String },
    Erased { at: Instant },
}

/// Opens a person's identity. Only for whoever has `personal:read`, and for privacy requests.
pub async fn identity(app: &App, tx: &TenantTx, subject: &Subject) -> AppResult<Identity> {
    let row = tx.find_by_id::<person::Entity>(subject.person_id).await?;
    let row = row.ok_or_else(|| AppError::not_found("person"))?;
    let (Some(key), Some(identity)) = (&row.key_sealed, &row.identity_sealed) else {
        return Ok(Identity::Erased { at: Instant(row.erased_at.unwrap_or(row.last_seen_at)) });
    };
    let keys = TenantKeys::load(&app.key_ring, tx).await?;
    let id = row.id.to_string();
    let place = SealedPerson { tenant: tx.tenant(), row: &id };
    let opened = PersonKey::open_self(&keys, place, key).and_then(|key| key.open_identity(place, identity));
    Ok(Identity::Known { channel_customer_id: opened.map_err(AppError::internal)? })
}
