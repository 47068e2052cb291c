//! Changing the keys while everybody goes on reading and writing.
//!
//! How far a rotation is stands in the data and nowhere else: a data key says which master key has wrapped it, a
//! value says which data key has sealed it. So one that was interrupted is finished by running it again.

use std::time::Duration;

use portolan_core::TenantId;
use portolan_db::{DbError, TenantTx, Work, WriteClass};

use super::columns::{SEALED_COLUMNS, SealedColumn, SealedRow};
use super::house::{HOUSE_COLUMNS, HouseRotation};
use super::tenant_keys::{TenantKeys, Turn, take_turn};
use super::{Secrets, SecretsError};
use crate::audit::{self, Who};
use crate::key_ring::MasterKeyId;
use crate::sealed::SealedBy;

/// Values in one transaction: people wait behind it.
const BATCH: usize = 50;
/// How often rows are looked for again that somebody else held.
const PASSES: usize = 5;
const BETWEEN_PASSES: Duration = Duration::from_millis(200);

/// What a rotation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The master key that is active now.
    pub master_key: MasterKeyId,
    /// Whether it finished what an earlier one had begun, without a new master key.
    pub resumed: bool,
    /// Data keys that were wrapped anew.
    pub rewrapped: u64,
    /// Data keys that nothing needs any more and that are gone.
    pub forgotten: u64,
    /// One per tenant and column.
    pub columns: Vec<ColumnRotation>,
    /// One per column of what belongs to no tenant.
    pub house: Vec<HouseRotation>,
}

/// What a rotation did to the values of one tenant in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnRotation {
    pub tenant: TenantId,
    pub column: SealedColumn,
    pub resealed: u64,
    /// Rows that do not open: they stay as they are. The doctor says why.
    pub closed: Vec<String>,
    /// Rows that others held all the time: run it again.
    pub left: u64,
}

impl Rotated {
    fn did_something(&self) -> bool {
        self.rewrapped > 0
            || self.columns.iter().any(|column| column.resealed > 0)
            || self.house.iter().any(|column| column.resealed > 0)
    }
}

impl Secrets {
    /// A new master key, new data keys, and every value sealed anew; or the rest of a rotation that was begun.
    pub async fn rotate(&self) -> Result<Rotated, SecretsError> {
        self.ring.reload()?;
        if self.is_begun().await? {
            let rest = self.renew_everything(true).await?;
            if rest.did_something() {
                return Ok(rest);
            }
            // What is left does not open, and is no reason to go on with the old keys.
        }
        self.ring.add_key(&*self.random)?;
        self.renew_everything(false).await
    }

    /// Whether something needs another key than the newest, which it would not after a whole rotation.
    async fn is_begun(&self) -> Result<bool, SecretsError> {
        if self.house_is_behind().await? {
            return Ok(true);
        }
        let active = SealedBy::MasterKey(self.ring.active_id());
        for tenant in self.tenants().await? {
            let tx = self.database.read(tenant).await?;
            let keys = TenantKeys::load(&self.ring, &tx).await?;
            if keys.stored().iter().any(|key| key.key.is_ok() && key.wrapped_by() != Some(active)) {
                return Ok(true);
            }
            let older: Vec<SealedBy> =
                keys.stored().iter().skip(1).map(|key| SealedBy::DataKey(key.id())).collect();
            for column in SEALED_COLUMNS {
                let needs_other = |by: &Option<SealedBy>| match by {
                    Some(SealedBy::MasterKey(id)) => *by != Some(active) && self.ring.ids().contains(id),
                    Some(by) => older.contains(by),
                    None => false,
                };
                if column.counts(&tx).await?.iter().any(|(by, _)| needs_other(by)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    async fn renew_everything(&self, resumed: bool) -> Result<Rotated, SecretsError> {
        let master_key = self.ring.active_id();
        let mut rotated = Rotated {
            master_key,
            resumed,
            rewrapped: 0,
            forgotten: 0,
            columns: Vec::new(),
            house: Vec::new(),
        };
        for column in HOUSE_COLUMNS {
            rotated.house.push(self.reseal_house(*column).await?);
        }
        for tenant in self.tenants().await? {
            rotated.rewrapped += self.renew_data_key(tenant).await?;
            for column in SEALED_COLUMNS {
                rotated.columns.push(self.reseal(tenant, *column).await?);
            }
            rotated.forgotten += self.forget_unneeded_keys(tenant).await?;
        }
        Ok(rotated)
    }

    /// Wraps the tenant's data keys with the active master key and makes a new one, both or none of it; nothing
    /// where that was done. Gives how many were wrapped anew.
    async fn renew_data_key(&self, tenant: TenantId) -> Result<u64, SecretsError> {
        let secrets = self.clone();
        self.write(tenant, move |tx| {
            Box::pin(async move {
                take_turn(tx.host_wide(), Turn::ChangesKeys).await?;
                let keys = TenantKeys::load(&secrets.ring, tx).await?;
                let rewrapped = keys.rewrap(tx, &*secrets.random).await?;
                if rewrapped > 0 {
                    let entry = Who::operator().did("secrets.rotate", "tenant", tx.tenant());
                    audit::write(tx, secrets.clock.now(), entry);
                }
                if rewrapped > 0 || (keys.stored().is_empty() && has_values(tx).await?) {
                    keys.add(tx, &*secrets.clock, &*secrets.random).await?;
                }
                Ok(rewrapped)
            })
        })
        .await
    }

    /// Seals with the newest key what another one has sealed, in short transactions.
    async fn reseal(&self, tenant: TenantId, column: SealedColumn) -> Result<ColumnRotation, SecretsError> {
        let mut done = ColumnRotation { tenant, column, resealed: 0, closed: Vec::new(), left: 0 };
        for pass in 0..PASSES {
            if pass > 0 {
                tokio::time::sleep(BETWEEN_PASSES).await;
            }
            done.closed.clear();
            let mut after: Option<SealedRow> = None;
            loop {
                let batch = self.reseal_batch(tenant, column, after).await?;
                done.resealed += batch.resealed;
                done.closed.extend(batch.closed);
                after = batch.last;
                if after.is_none() {
                    break;
                }
            }
            let others = self.sealed_by_others(tenant, column).await?;
            done.left = others.saturating_sub(done.closed.len() as u64);
            if done.left == 0 {
                break;
            }
        }
        Ok(done)
    }

    async fn reseal_batch(
        &self,
        tenant: TenantId,
        column: SealedColumn,
        after: Option<SealedRow>,
    ) -> Result<Batch, SecretsError> {
        let secrets = self.clone();
        self.write(tenant, move |tx| {
            Box::pin(async move {
                take_turn(tx.host_wide(), Turn::Seals).await?;
                let keys = TenantKeys::load(&secrets.ring, tx).await?;
                let mut batch = Batch::default();
                let Some(newest) = keys.stored().first().map(|key| SealedBy::DataKey(key.id())) else {
                    return Ok(batch);
                };
                let rows = column.rows(tx, after.as_ref(), Some(newest), BATCH).await?;
                for row in &rows {
                    let cell = column.cell(tenant, &row.name);
                    match keys.open(cell, &row.sealed) {
                        Ok(plain) => {
                            let sealed = keys.seal(cell, &plain, &*secrets.random)?;
                            column.replace(tx, row, sealed).await?;
                            batch.resealed += 1;
                        }
                        Err(error) => {
                            tracing::warn!(
                                tenant.id = %tenant, table = column.table, row.key = row.name, %error,
                                "a sealed value stays as it is"
                            );
                            batch.closed.push(row.name.clone());
                        }
                    }
                }
                batch.last = rows.into_iter().last();
                Ok(batch)
            })
        })
        .await
    }

    /// How many values another key than the newest has sealed.
    async fn sealed_by_others(&self, tenant: TenantId, column: SealedColumn) -> Result<u64, SecretsError> {
        let tx = self.database.read(tenant).await?;
        let keys = TenantKeys::load(&self.ring, &tx).await?;
        let newest = keys.stored().first().map(|key| SealedBy::DataKey(key.id()));
        let counts = column.counts(&tx).await?;
        Ok(counts.iter().filter(|(by, _)| *by != newest).map(|(_, count)| count).sum())
    }

    /// Forgets the tenant's older data keys that no value needs. Alone: whatever was being sealed is there to be seen.
    async fn forget_unneeded_keys(&self, tenant: TenantId) -> Result<u64, SecretsError> {
        use portolan_db::entity::tenant_key;
        use sea_orm::{ColumnTrait, QueryFilter};
        let secrets = self.clone();
        self.write(tenant, move |tx| {
            Box::pin(async move {
                take_turn(tx.host_wide(), Turn::ChangesKeys).await?;
                let keys = TenantKeys::load(&secrets.ring, tx).await?;
                let mut needed = Vec::new();
                for column in SEALED_COLUMNS {
                    needed.extend(column.counts(tx).await?.into_iter().filter_map(|(by, _)| by));
                }
                let older = keys.stored().iter().skip(1).map(|key| key.id());
                let unneeded: Vec<_> = older.filter(|id| !needed.contains(&SealedBy::DataKey(*id))).collect();
                let forget = tx
                    .delete_many::<tenant_key::Entity>()
                    .filter(tenant_key::Column::Id.is_in(unneeded))
                    .exec(tx)
                    .await
                    .map_err(DbError::from)?;
                Ok(forget.rows_affected)
            })
        })
        .await
    }

    async fn write<T, F>(&self, tenant: TenantId, work: F) -> Result<T, SecretsError>
    where
        F: for<'tx> FnOnce(&'tx TenantTx) -> Work<'tx, T, SecretsError> + Send + 'static,
        T: Send + 'static,
    {
        self.database.write_as(WriteClass::Background, tenant, work).await
    }
}

#[derive(Default)]
struct Batch {
    resealed: u64,
    closed: Vec<String>,
    /// Where the next one begins; none after the last.
    last: Option<SealedRow>,
}

async fn has_values(tx: &TenantTx) -> Result<bool, DbError> {
    for column in SEALED_COLUMNS {
        if !column.counts(tx).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
