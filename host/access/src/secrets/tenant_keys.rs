//! The data keys of one tenant, opened for one transaction.

use portolan_core::{Clock, Random, TenantId, id};
use portolan_db::entity::tenant_key;
use portolan_db::{DbError, Dialect, SystemTx, TenantTx};
use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryOrder};

use super::SecretsError;
use crate::key_ring::KeyRing;
use crate::sealed::{DataKey, SealError, SealedBy, SealedCell};

/// Any number, the same in every version and another than the migrations'.
const LOCK: i64 = 7_207_415;

/// Opens and seals values of one tenant. It belongs to the transaction that it was loaded in: keys and values
/// are of one moment, so whatever stands in the one opens with the other, also while keys are changed.
pub struct TenantKeys<'ring> {
    ring: &'ring KeyRing,
    tenant: TenantId,
    /// The newest first.
    keys: Vec<StoredKey>,
}

pub(crate) struct StoredKey {
    pub row: tenant_key::Model,
    pub key: Result<DataKey, SealError>,
}

impl StoredKey {
    pub fn id(&self) -> Uuid {
        self.row.id
    }

    pub fn wrapped_by(&self) -> Option<SealedBy> {
        SealedBy::of(&self.row.wrapped)
    }
}

/// Who else may work with keys at the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Seals values: beside others who do.
    Seals,
    /// Makes or takes away keys: alone. What was sealed before is committed and seen, and whoever seals
    /// afterwards sees what is left.
    ChangesKeys,
}

/// Waits for the turn, until the transaction ends. SQLite has one writer, whose turn it is.
pub(crate) async fn take_turn(tx: &SystemTx, turn: Turn) -> Result<(), DbError> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let sql = match turn {
        Turn::Seals => "SELECT pg_advisory_xact_lock_shared($1)",
        Turn::ChangesKeys => "SELECT pg_advisory_xact_lock($1)",
    };
    tx.execute_raw(tx.statement(sql, [LOCK.into()])).await?;
    Ok(())
}

impl<'ring> TenantKeys<'ring> {
    /// The keys to open values with. One that does not open is told when a value needs it.
    pub async fn load(ring: &'ring KeyRing, tx: &TenantTx) -> Result<Self, DbError> {
        let tenant = tx.tenant();
        let rows = tx.find::<tenant_key::Entity>().order_by_desc(tenant_key::Column::Version).all(tx).await?;
        let open = |row: tenant_key::Model| StoredKey { key: ring.unwrap(tenant, row.id, &row.wrapped), row };
        Ok(Self { ring, tenant, keys: rows.into_iter().map(open).collect() })
    }

    /// The keys to seal values with, in the transaction that stores them; makes the tenant's first one.
    pub async fn load_to_seal(
        ring: &'ring KeyRing,
        tx: &TenantTx,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<Self, SecretsError> {
        take_turn(tx.host_wide(), Turn::Seals).await?;
        let known = Self::load(ring, tx).await?;
        if !known.keys.is_empty() {
            return Ok(known);
        }
        known.add(tx, clock, random).await?;
        Ok(Self::load(ring, tx).await?)
    }

    /// Opens a value in its own cell, whichever key it says it was sealed with.
    pub fn open(&self, cell: SealedCell<'_>, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        match SealedBy::of(sealed) {
            None => Err(SealError::Refused),
            Some(SealedBy::MasterKey(_)) => self.ring.open_old(cell, sealed),
            Some(SealedBy::DataKey(id)) => {
                let stored = self.keys.iter().find(|key| key.id() == id).ok_or(SealError::NoDataKey(id))?;
                stored.key.as_ref().map_err(Clone::clone)?.open(cell, sealed)
            }
        }
    }

    /// Seals a value for one cell with the newest key.
    pub fn seal(
        &self,
        cell: SealedCell<'_>,
        plain: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, SealError> {
        let newest = self.keys.first().ok_or(SealError::NoDataKey(Uuid::nil()))?;
        newest.key.as_ref().map_err(Clone::clone)?.seal(cell, plain, random)
    }

    /// The newest first.
    pub(crate) fn stored(&self) -> &[StoredKey] {
        &self.keys
    }

    /// Makes a key of the next version. Another transaction may make it at the same moment: one of them counts.
    pub(crate) async fn add(
        &self,
        tx: &TenantTx,
        clock: &dyn Clock,
        random: &dyn Random,
    ) -> Result<(), SecretsError> {
        // Another process may have changed the master keys: what is wrapped with one that was taken out is lost.
        self.ring.reload()?;
        let key = DataKey::generate(id::new_uuid(clock, random), random);
        let row = tenant_key::Model {
            tenant_id: self.tenant.0,
            id: key.id,
            version: self.keys.first().map_or(0, |newest| newest.row.version) + 1,
            wrapped: self.ring.wrap(self.tenant, &key, random)?,
            created_at: clock.now().0,
        };
        tx.insert_many_on_conflict_do_nothing(vec![row.into_active_model()]).await?;
        Ok(())
    }

    /// Wraps with the active master key what another one has wrapped. Gives how many keys that were.
    pub(crate) async fn rewrap(&self, tx: &TenantTx, random: &dyn Random) -> Result<u64, SecretsError> {
        let mut rewrapped = 0;
        let active = Some(SealedBy::MasterKey(self.ring.active_id()));
        for stored in &self.keys {
            if let (Ok(key), true) = (&stored.key, stored.wrapped_by() != active) {
                let mut row = stored.row.clone().into_active_model();
                row.wrapped = sea_orm::ActiveValue::Set(self.ring.wrap(self.tenant, key, random)?);
                tx.update(row).await?;
                rewrapped += 1;
            }
        }
        Ok(rewrapped)
    }
}
