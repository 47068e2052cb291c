//! Which key is needed by how much.

use std::collections::BTreeMap;

use portolan_core::TenantId;
use portolan_db::{DbError, SystemTx, TenantTx};
use sea_orm::prelude::Uuid;

use super::columns::SEALED_COLUMNS;
use super::house::HOUSE_COLUMNS;
use super::tenant_keys::TenantKeys;
use super::{Secrets, SecretsError};
use crate::key_ring::{KeyRing, MasterKeyId};
use crate::sealed::SealedBy;

/// Every key with what needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The active one first, then the others of the ring, then such as are needed and not there.
    pub master_keys: Vec<MasterKeyUse>,
    pub data_keys: Vec<DataKeyUse>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterKeyUse {
    pub id: MasterKeyId,
    pub active: bool,
    /// Whether it is in the ring at all.
    pub present: bool,
    /// Data keys that it has wrapped.
    pub data_keys: u64,
    /// Values that it has sealed itself: those of no tenant, and those from before tenants had data keys.
    pub values: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKeyUse {
    pub tenant: TenantId,
    pub id: Uuid,
    /// Absent where a value names a key that is not stored.
    pub version: Option<i32>,
    pub newest: bool,
    pub values: u64,
}

impl Secrets {
    /// Looks at every value's header; opens none.
    pub async fn status(&self) -> Result<Status, SecretsError> {
        self.ring.reload()?;
        let mut needs = Needs::default();
        needs.add_house(&self.database.system_read().await?).await?;
        for tenant in self.tenants().await? {
            let tx = self.database.read(tenant).await?;
            needs.add(&self.ring, &tx).await?;
        }
        Ok(needs.status(&self.ring))
    }
}

/// What needs which key.
#[derive(Default)]
pub(super) struct Needs {
    wrapped: BTreeMap<MasterKeyId, u64>,
    sealed: BTreeMap<MasterKeyId, u64>,
    data_keys: Vec<DataKeyUse>,
}

impl Needs {
    /// Adds what belongs to no tenant.
    pub async fn add_house(&mut self, tx: &SystemTx) -> Result<(), DbError> {
        for column in HOUSE_COLUMNS {
            for (by, count) in column.counts(tx).await? {
                if let Some(SealedBy::MasterKey(id)) = by {
                    *self.sealed.entry(id).or_default() += count;
                }
            }
        }
        Ok(())
    }

    /// Adds those of one tenant.
    pub async fn add(&mut self, ring: &KeyRing, tx: &TenantTx) -> Result<(), DbError> {
        let mut values: BTreeMap<Uuid, u64> = BTreeMap::new();
        for column in SEALED_COLUMNS {
            for (by, count) in column.counts(tx).await? {
                match by {
                    Some(SealedBy::MasterKey(id)) => *self.sealed.entry(id).or_default() += count,
                    Some(SealedBy::DataKey(id)) => *values.entry(id).or_default() += count,
                    None => {}
                }
            }
        }
        let keys = TenantKeys::load(ring, tx).await?;
        for (place, stored) in keys.stored().iter().enumerate() {
            if let Some(SealedBy::MasterKey(id)) = stored.wrapped_by() {
                *self.wrapped.entry(id).or_default() += 1;
            }
            self.data_keys.push(DataKeyUse {
                tenant: tx.tenant(),
                id: stored.id(),
                version: Some(stored.row.version),
                newest: place == 0,
                values: values.remove(&stored.id()).unwrap_or_default(),
            });
        }
        let gone =
            |(id, values)| DataKeyUse { tenant: tx.tenant(), id, version: None, newest: false, values };
        self.data_keys.extend(values.into_iter().map(gone));
        Ok(())
    }

    /// How many data keys and values need a master key.
    pub fn of(&self, id: MasterKeyId) -> (u64, u64) {
        let count = |needs: &BTreeMap<MasterKeyId, u64>| needs.get(&id).copied().unwrap_or_default();
        (count(&self.wrapped), count(&self.sealed))
    }

    fn status(self, ring: &KeyRing) -> Status {
        let mut ids = ring.ids();
        let present = ids.len();
        let named: Vec<MasterKeyId> = self.wrapped.keys().chain(self.sealed.keys()).copied().collect();
        for id in named {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let master_keys = ids.iter().enumerate().map(|(place, id)| {
            let (data_keys, values) = self.of(*id);
            MasterKeyUse { id: *id, active: place == 0, present: place < present, data_keys, values }
        });
        Status { master_keys: master_keys.collect(), data_keys: self.data_keys }
    }
}
