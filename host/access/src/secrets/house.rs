//! Sealed values that belong to no tenant: what people prove themselves with, in whichever company.
//!
//! A master key seals them itself, by a key of their own purpose, so they are sealed anew whenever the master key
//! changes. There is about one per person: few, beside what tenants have sealed.

use portolan_core::Random;
use portolan_db::{DbError, SystemTx, Work, WriteClass};
use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait, QueryResult};

use super::examine::{ColumnReport, key_name};
use super::tenant_keys::{Turn, take_turn};
use super::{Secrets, SecretsError};
use crate::key_ring::KeyRing;
use crate::sealed::{HouseCell, SealedBy};

/// Values in one transaction, as for tenants' values.
const BATCH: usize = 50;

/// A column of a table without tenants whose values are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HouseColumn {
    pub table: &'static str,
    pub column: &'static str,
    /// The id that names a row, which a value is bound to.
    pub key: &'static str,
}

/// What people's codes are made from.
pub const SECOND_FACTOR_SEED: HouseColumn =
    HouseColumn { table: "second_factor", column: "sealed", key: "user_id" };

/// To whom mails go that wait, and what they say.
pub const MAIL: HouseColumn = HouseColumn { table: "mail", column: "sealed", key: "id" };

/// What answers of passkeys are held against.
pub const PASSKEY: HouseColumn = HouseColumn { table: "passkey", column: "sealed", key: "id" };

/// What passkeys were asked and have not answered yet.
pub const PASSKEY_CEREMONY: HouseColumn =
    HouseColumn { table: "passkey_ceremony", column: "sealed", key: "id" };

/// All of them; tenants' are in [`crate::SEALED_COLUMNS`].
pub const HOUSE_COLUMNS: &[HouseColumn] = &[SECOND_FACTOR_SEED, MAIL, PASSKEY, PASSKEY_CEREMONY];

/// What a rotation did to the values of one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HouseRotation {
    pub column: HouseColumn,
    pub resealed: u64,
    /// Rows that do not open: they stay as they are. The doctor says why.
    pub closed: Vec<String>,
}

struct HouseRow {
    key: Uuid,
    sealed: Vec<u8>,
}

impl HouseColumn {
    pub(crate) fn cell<'name>(&self, row: &'name str) -> HouseCell<'name> {
        HouseCell { table: self.table, column: self.column, row }
    }

    /// Seals a value for the transaction that stores it: with the master key that is active now, and that nobody takes
    /// away before the transaction has ended.
    pub async fn seal(
        &self,
        ring: &KeyRing,
        tx: &SystemTx,
        row: Uuid,
        plain: &[u8],
        random: &dyn Random,
    ) -> Result<Vec<u8>, SecretsError> {
        take_turn(tx, Turn::Seals).await?;
        ring.reload()?;
        Ok(ring.seal_for_house(self.cell(&row.to_string()), plain, random)?)
    }

    /// Opens a value of this row.
    pub fn open(&self, ring: &KeyRing, row: Uuid, sealed: &[u8]) -> Result<Vec<u8>, SecretsError> {
        Ok(ring.open_for_house(self.cell(&row.to_string()), sealed)?)
    }

    /// The next rows after one, in the order of their keys; of those only that `not_by` has not sealed, where it is
    /// given, and those are locked.
    async fn rows(
        &self,
        tx: &SystemTx,
        after: Option<Uuid>,
        not_by: Option<SealedBy>,
    ) -> Result<Vec<HouseRow>, DbError> {
        let Self { table, column, key } = self;
        let mut values = vec![after.unwrap_or_else(Uuid::nil).into()];
        let mut sql = format!("SELECT {key}, {column} FROM {table} WHERE {key} > $1");
        if let Some(by) = not_by {
            let header = by.header();
            sql += &format!(" AND substr({column}, 1, {}) <> $2", header.len());
            values.push(header.into());
        }
        sql += &format!(" ORDER BY {key} LIMIT {BATCH}");
        if not_by.is_some() {
            sql += tx.dialect().for_update();
        }
        let rows = tx.query_all_raw(tx.statement(sql, values)).await?;
        let row = |row: &QueryResult| {
            Ok(HouseRow { key: row.try_get_by_index(0)?, sealed: row.try_get_by_index(1)? })
        };
        rows.iter().map(row).collect()
    }

    /// How many values each key has sealed; `None` for bytes that no key of ours has.
    pub(super) async fn counts(&self, tx: &SystemTx) -> Result<Vec<(Option<SealedBy>, u64)>, DbError> {
        let Self { table, column, .. } = self;
        let sql = format!("SELECT substr({column}, 1, 9) AS header, count(*) FROM {table} GROUP BY 1");
        let rows = tx.query_all_raw(tx.statement(sql, [])).await?;
        rows.iter()
            .map(|row| {
                let header: Vec<u8> = row.try_get_by_index(0)?;
                let count: i64 = row.try_get_by_index(1)?;
                Ok((SealedBy::of(&header), u64::try_from(count).unwrap_or_default()))
            })
            .collect()
    }
}

/// Opens every sealed value that belongs to no tenant.
pub async fn examine_house(ring: &KeyRing, tx: &SystemTx) -> Result<Vec<ColumnReport>, DbError> {
    let mut reports = Vec::new();
    for column in HOUSE_COLUMNS {
        let mut report = ColumnReport::new((column.table, column.column));
        let mut after = None;
        loop {
            let rows = column.rows(tx, after, None).await?;
            for row in &rows {
                let name = row.key.to_string();
                let opened = ring.open_for_house(column.cell(&name), &row.sealed).map(|_| ());
                report.add(name, key_name(SealedBy::of(&row.sealed)), opened);
            }
            after = rows.last().map(|row| row.key);
            if after.is_none() {
                break;
            }
        }
        reports.push(report);
    }
    Ok(reports)
}

impl Secrets {
    /// Whether something is sealed with another master key of the ring than the active one.
    pub(super) async fn house_is_behind(&self) -> Result<bool, SecretsError> {
        let active = self.ring.active_id();
        let tx = self.database.system_read().await?;
        for column in HOUSE_COLUMNS {
            let counts = column.counts(&tx).await?;
            let behind = |by: &Option<SealedBy>| matches!(by, Some(SealedBy::MasterKey(id)) if *id != active && self.ring.ids().contains(id));
            if counts.iter().any(|(by, _)| behind(by)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Seals with the active master key what another one has sealed, in short transactions.
    pub(super) async fn reseal_house(&self, column: HouseColumn) -> Result<HouseRotation, SecretsError> {
        let mut done = HouseRotation { column, resealed: 0, closed: Vec::new() };
        let mut after = None;
        loop {
            let secrets = self.clone();
            let (resealed, closed, last) = self
                .house_write(move |tx| {
                    Box::pin(async move {
                        take_turn(tx, Turn::Seals).await?;
                        let active = SealedBy::MasterKey(secrets.ring.active_id());
                        let (mut resealed, mut closed) = (0, Vec::new());
                        let rows = column.rows(tx, after, Some(active)).await?;
                        for row in &rows {
                            let name = row.key.to_string();
                            match secrets.ring.open_for_house(column.cell(&name), &row.sealed) {
                                Ok(plain) => {
                                    secrets.replace_in_house(tx, column, row.key, &plain).await?;
                                    resealed += 1;
                                }
                                Err(error) => {
                                    tracing::warn!(
                                        table = column.table, row.key = name, %error,
                                        "a sealed value stays as it is"
                                    );
                                    closed.push(name);
                                }
                            }
                        }
                        Ok::<_, SecretsError>((resealed, closed, rows.last().map(|row| row.key)))
                    })
                })
                .await?;
            done.resealed += resealed;
            done.closed.extend(closed);
            after = last;
            if after.is_none() {
                return Ok(done);
            }
        }
    }

    async fn replace_in_house(
        &self,
        tx: &SystemTx,
        column: HouseColumn,
        key: Uuid,
        plain: &[u8],
    ) -> Result<(), SecretsError> {
        let sealed = self.ring.seal_for_house(column.cell(&key.to_string()), plain, &*self.random)?;
        let sql = format!("UPDATE {} SET {} = $2 WHERE {} = $1", column.table, column.column, column.key);
        tx.execute_raw(tx.statement(sql, [key.into(), sealed.into()])).await.map_err(DbError::from)?;
        Ok(())
    }

    async fn house_write<T, F>(&self, work: F) -> Result<T, SecretsError>
    where
        F: for<'tx> FnOnce(&'tx SystemTx) -> Work<'tx, T, SecretsError> + Send + 'static,
        T: Send + 'static,
    {
        self.database.system_write_as(WriteClass::Background, work).await
    }
}
