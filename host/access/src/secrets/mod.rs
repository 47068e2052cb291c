//! Sealed secrets as a whole: which columns hold them, the keys they are sealed with, and what is done to all of
//! them at once.
//!
//! A master key outside the database wraps the data keys of the tenants ([`TenantKeys`]); those seal the values
//! of [`SEALED_COLUMNS`]; what belongs to no tenant it seals itself ([`HOUSE_COLUMNS`]). [`Secrets`] changes keys while everybody goes on reading: what is stored says which
//! key it needs, both are read at one moment, and no key goes before a look at everything found nothing that
//! needs it.

mod columns;
mod examine;
mod house;
mod removal;
mod rotation;
mod status;
mod tenant_keys;

use std::sync::Arc;

use portolan_core::{Clock, Random, TenantId};
use portolan_db::entity::tenant;
use portolan_db::{Database, DbError};
use sea_orm::QueryOrder;

pub use columns::{AUDIT_SIGNER, CONNECTION_SECRET, KeyPart, SEALED_COLUMNS, SealedColumn, WRAPPED_KEYS};
pub use examine::{ColumnReport, examine};
pub use house::{
    HOUSE_COLUMNS, HouseColumn, HouseRotation, MAIL, PASSKEY, PASSKEY_CEREMONY, SECOND_FACTOR_SEED,
    examine_house,
};
pub use removal::Shredded;
pub use rotation::{ColumnRotation, Rotated};
pub use status::{DataKeyUse, MasterKeyUse, Status};
pub use tenant_keys::TenantKeys;

use crate::key_ring::{KeyRing, KeyRingError, MasterKeyId};
use crate::sealed::SealError;

/// Why something that is done to keys did not work out. What was done before stays good.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    #[error(transparent)]
    Database(#[from] DbError),
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(
        "the master key {id} is needed by {data_keys} data keys and {values} values: run `portolan secrets rotate`, then this again"
    )]
    Needed { id: MasterKeyId, data_keys: u64, values: u64 },
}

/// What is done to all secrets at once.
#[derive(Clone)]
pub struct Secrets {
    database: Database,
    ring: Arc<KeyRing>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Secrets {
    pub fn new(
        database: Database,
        ring: Arc<KeyRing>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self { database, ring, clock, random }
    }

    async fn tenants(&self) -> Result<Vec<TenantId>, DbError> {
        let tx = self.database.system_read().await?;
        let rows = tx.find::<tenant::Entity>().order_by_asc(tenant::Column::Slug).all(&tx).await?;
        Ok(rows.into_iter().map(|row| TenantId(row.id)).collect())
    }
}
