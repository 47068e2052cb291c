//! Opening everything that is sealed, to know that it opens.

use std::collections::BTreeMap;

use portolan_db::{DbError, TenantTx};

use super::columns::{SEALED_COLUMNS, SealedColumn, SealedRow, WRAPPED_KEYS};
use super::tenant_keys::TenantKeys;
use crate::key_ring::KeyRing;
use crate::sealed::{SealError, SealedBy};

const BATCH: usize = 500;

/// What a tenant has in one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnReport {
    pub table: &'static str,
    pub column: &'static str,
    pub total: u64,
    pub readable: u64,
    /// How many values each key has sealed, by the key's name.
    pub by_key: BTreeMap<String, u64>,
    /// Rows that do not open, with the reason.
    pub closed: Vec<(String, SealError)>,
}

impl ColumnReport {
    pub(super) fn new((table, column): (&'static str, &'static str)) -> Self {
        Self { table, column, total: 0, readable: 0, by_key: BTreeMap::new(), closed: Vec::new() }
    }

    pub(super) fn add(&mut self, row: String, key: String, opened: Result<(), SealError>) {
        self.total += 1;
        *self.by_key.entry(key).or_default() += 1;
        match opened {
            Ok(()) => self.readable += 1,
            Err(error) => self.closed.push((row, error)),
        }
    }
}

/// Opens every data key and every sealed value of a tenant.
pub async fn examine(ring: &KeyRing, tx: &TenantTx) -> Result<Vec<ColumnReport>, DbError> {
    let keys = TenantKeys::load(ring, tx).await?;
    let mut wrapped = ColumnReport::new(WRAPPED_KEYS);
    for stored in keys.stored() {
        let opened = stored.key.as_ref().map(|_| ()).map_err(Clone::clone);
        wrapped.add(format!("version {}", stored.row.version), name_of(stored.wrapped_by(), &keys), opened);
    }
    let mut reports = vec![wrapped];
    for column in SEALED_COLUMNS {
        reports.push(examine_column(&keys, tx, column).await?);
    }
    Ok(reports)
}

async fn examine_column(
    keys: &TenantKeys<'_>,
    tx: &TenantTx,
    column: &SealedColumn,
) -> Result<ColumnReport, DbError> {
    let mut report = ColumnReport::new((column.table, column.column));
    let mut after: Option<SealedRow> = None;
    loop {
        let rows = column.rows(tx, after.as_ref(), None, BATCH).await?;
        for row in &rows {
            let opened = keys.open(column.cell(tx.tenant(), &row.name), &row.sealed).map(|_| ());
            report.add(row.name.clone(), name_of(SealedBy::of(&row.sealed), keys), opened);
        }
        after = rows.into_iter().last();
        if after.is_none() {
            return Ok(report);
        }
    }
}

/// A key by its own name, whatever it is a version of.
pub(super) fn key_name(by: Option<SealedBy>) -> String {
    match by {
        None => "no key of ours".to_owned(),
        Some(SealedBy::MasterKey(id)) => format!("master key {id}"),
        Some(SealedBy::DataKey(id)) => format!("data key {id}"),
    }
}

fn name_of(by: Option<SealedBy>, keys: &TenantKeys<'_>) -> String {
    match by {
        None | Some(SealedBy::MasterKey(_)) => key_name(by),
        Some(SealedBy::DataKey(id)) => match keys.stored().iter().find(|key| key.id() == id) {
            Some(stored) => format!("data key {}", stored.row.version),
            None => "a data key that is gone".to_owned(),
        },
    }
}
