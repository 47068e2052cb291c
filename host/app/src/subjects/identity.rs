//! Who a pseudonym is, for those who may know.

use portolan_access::{PersonKey, SealError, SealedPerson, TenantKeys};
use portolan_core::Instant;
use portolan_db::TenantTx;
use portolan_db::entity::person;

use super::Subject;
use crate::App;
use crate::web::error::{AppError, AppResult};

/// How often key and value are read until they are of one moment.
const LOOKS: u32 = 3;

/// What is known of who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The channel's id, in its canonical form.
    Known {
        channel_customer_id: String,
    },
    Erased {
        at: Instant,
    },
}

/// Opens a person's identity. Only for whoever has `personal:read`, and for privacy requests.
pub async fn identity(app: &App, tx: &TenantTx, subject: &Subject) -> AppResult<Identity> {
    let mut looks = 0;
    loop {
        looks += 1;
        let row = tx.find_by_id::<person::Entity>(subject.person_id).await?;
        let row = row.ok_or_else(|| AppError::not_found("person"))?;
        let (Some(key), Some(identity)) = (&row.key_sealed, &row.identity_sealed) else {
            return Ok(Identity::Erased { at: Instant(row.erased_at.unwrap_or(row.last_seen_at)) });
        };
        let keys = TenantKeys::load(&app.key_ring, tx).await?;
        let id = row.id.to_string();
        let place = SealedPerson { tenant: tx.tenant(), row: &id };
        match PersonKey::open_self(&keys, place, key).and_then(|key| key.open_identity(place, identity)) {
            Ok(channel_customer_id) => return Ok(Identity::Known { channel_customer_id }),
            // In a transaction that writes, a rotation may have passed between the two reads.
            Err(SealError::NoDataKey(_)) if looks < LOOKS => {}
            Err(error) => return Err(AppError::internal(error)),
        }
    }
}
