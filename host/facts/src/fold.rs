//! Folding: posted events move from the tail into parts; small parts of a month become one.
//!
//! One version says how far both ledgers are folded, so one step moves the events of both.
//!
//! A file is written and on disk before the row that lists it is committed, together with the new
//! `folded_version`. So a crash leaves at most a file that nothing lists, which [`sweep`](crate::sweep)
//! removes; it never leaves an event in both places or in none. Two folds at once are harmless: the
//! second finds the version moved and gives its files up. Within a process they take turns.

use std::collections::BTreeMap;

use datafusion::arrow::array::{AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::{Int32Type, Int64Type};
use portolan_analytics::Fact;
use portolan_core::{LocalDate, PartId, TenantId};
use portolan_db::entity::{fact_part, ledger_head};
use portolan_db::sea_orm::sea_query::Expr;
use portolan_db::sea_orm::{ActiveValue, ColumnTrait, QueryFilter};
use portolan_db::{DbError, TenantTx, WriteClass};

use crate::part::{self, WrittenPart, month_of};
use crate::{FactStore, FactsError, snapshot, tail};

/// Events of one step: bounds the memory of a fold.
const EVENTS_PER_STEP: i64 = 50_000;
/// A month with more parts than this is merged into one.
const MAX_PARTS_PER_MONTH: usize = 8;
/// Parts of this size stay as they are.
const FULL_PART_ROWS: i64 = 2_000_000;

/// What a fold did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FoldReport {
    pub events: u64,
    pub parts_written: usize,
    /// Parts that were merged into fewer.
    pub parts_merged: usize,
    /// Everything up to this posting is in parts.
    pub folded_version: i64,
}

impl FactStore {
    /// Moves every posted event into parts, then merges small parts. Running it again does nothing.
    pub async fn fold(&self, tenant: TenantId) -> Result<FoldReport, FactsError> {
        let _turn = self.folding.lock().await;
        let mut report = FoldReport::default();
        loop {
            let step = self.fold_step(tenant).await?;
            report.folded_version = step.folded_version;
            if step.events == 0 {
                break;
            }
            report.events += step.events;
            report.parts_written += step.parts_written;
        }
        let merged = self.compact(tenant).await?;
        report.parts_merged = merged;
        if report.events > 0 || merged > 0 {
            tracing::debug!(
                tenant.id = %tenant,
                events = report.events,
                parts_written = report.parts_written,
                parts_merged = merged,
                "ledger folded"
            );
        }
        Ok(report)
    }

    async fn fold_step(&self, tenant: TenantId) -> Result<FoldReport, FactsError> {
        let tx = self.database.read(tenant).await?;
        let head = tx.ledger_head().await?;
        let Some(until) = end_of_step(&tx, &head).await? else {
            return Ok(FoldReport { folded_version: head.folded_version, ..FoldReport::default() });
        };
        let mut ledgers = Vec::with_capacity(Fact::ALL.len());
        for fact in Fact::ALL {
            ledgers.push((fact, tail::events(&tx, fact, head.folded_version, until).await?));
        }
        drop(tx);

        let count = ledgers.iter().map(|(_, events)| events.num_rows() as u64).sum();
        let mut parts = Vec::new();
        for (fact, events) in ledgers {
            for (month, rows) in by_month(&events)? {
                let versions = versions(&rows).unwrap_or((until, until));
                let written = self.write_part(tenant, fact, month, rows).await?;
                parts.push(row(&written, versions, self.clock.now().0));
            }
        }
        let parts_written = parts.len();
        let folded = head.folded_version;
        let listed = self
            .database
            .write_as(WriteClass::Background, tenant, move |tx| {
                Box::pin(async move { list_parts(tx, parts, folded, until).await })
            })
            .await?;
        // Someone else folded the same postings meanwhile: their files count, ours are swept.
        let events = if listed { count } else { 0 };
        Ok(FoldReport { events, parts_written, parts_merged: 0, folded_version: until })
    }

    /// Merges the parts of months that have too many; says how many went into it.
    async fn compact(&self, tenant: TenantId) -> Result<usize, FactsError> {
        let mut merged = 0;
        for fact in Fact::ALL {
            let tx = self.database.read(tenant).await?;
            let mut months: BTreeMap<i32, Vec<fact_part::Model>> = BTreeMap::new();
            for part in snapshot::parts(&tx, &[fact]).await? {
                if part.row_count < FULL_PART_ROWS {
                    months.entry(part.month).or_default().push(part);
                }
            }
            drop(tx);
            for (month, parts) in months {
                if parts.len() > MAX_PARTS_PER_MONTH {
                    merged += self.merge(tenant, fact, month, parts).await?;
                }
            }
        }
        Ok(merged)
    }

    async fn merge(
        &self,
        tenant: TenantId,
        fact: Fact,
        month: i32,
        old: Vec<fact_part::Model>,
    ) -> Result<usize, FactsError> {
        let paths: Vec<String> = old.iter().map(|part| part.path.clone()).collect();
        let _open = self.readers.open(&paths);
        let folder = self.folder.clone();
        let rows = tokio::task::spawn_blocking(move || part::read(&folder, fact, &paths))
            .await
            .map_err(|_| FactsError::Stopped)??;
        let versions = (
            old.iter().map(|part| part.min_version).min().unwrap_or_default(),
            old.iter().map(|part| part.max_version).max().unwrap_or_default(),
        );
        let written = self.write_part(tenant, fact, month, rows).await?;
        let new = row(&written, versions, self.clock.now().0);
        let count = old.len();
        let replaced = self
            .database
            .write_as(WriteClass::Background, tenant, move |tx| {
                Box::pin(async move { replace_parts(tx, old, new).await })
            })
            .await;
        match replaced {
            Ok(()) => Ok(count),
            // Merged by someone else meanwhile.
            Err(DbError::Missing(_)) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    async fn write_part(
        &self,
        tenant: TenantId,
        fact: Fact,
        month: i32,
        rows: RecordBatch,
    ) -> Result<WrittenPart, FactsError> {
        let folder = self.folder.clone();
        let id = PartId::generate(self.clock.as_ref(), self.random.as_ref());
        tokio::task::spawn_blocking(move || part::write(&folder, tenant, fact, id, month, &rows))
            .await
            .map_err(|_| FactsError::Stopped)?
    }
}

/// The posting up to which the next step goes: as many as fit, but at least one.
async fn end_of_step(tx: &TenantTx, head: &ledger_head::Model) -> Result<Option<i64>, DbError> {
    if head.folded_version >= head.posting_version {
        return Ok(None);
    }
    let sizes = tail::sizes(tx, head, EVENTS_PER_STEP as u64).await?;
    let mut total = 0;
    let mut until = None;
    for (posting_version, events) in sizes {
        total += events;
        if until.is_some() && total > EVENTS_PER_STEP {
            return Ok(until);
        }
        until = Some(posting_version);
    }
    Ok(until)
}

/// Lists new parts and moves the fold's end, if it still is where it was.
async fn list_parts(
    tx: &TenantTx,
    parts: Vec<fact_part::ActiveModel>,
    folded: i64,
    until: i64,
) -> Result<bool, DbError> {
    let moved = tx
        .update_many::<ledger_head::Entity>()
        .col_expr(ledger_head::Column::FoldedVersion, Expr::value(until))
        .filter(ledger_head::Column::FoldedVersion.eq(folded))
        .exec(tx)
        .await?;
    if moved.rows_affected == 0 {
        return Ok(false);
    }
    tx.insert_many(parts).await?;
    Ok(true)
}

async fn replace_parts(
    tx: &TenantTx,
    old: Vec<fact_part::Model>,
    new: fact_part::ActiveModel,
) -> Result<(), DbError> {
    let ids: Vec<uuid::Uuid> = old.iter().map(|part| part.id).collect();
    let deleted =
        tx.delete_many::<fact_part::Entity>().filter(fact_part::Column::Id.is_in(ids)).exec(tx).await?;
    if deleted.rows_affected != old.len() as u64 {
        return Err(DbError::Missing(portolan_db::sea_orm::DbErr::RecordNotUpdated));
    }
    tx.insert(new).await?;
    Ok(())
}

pub(crate) fn row(written: &WrittenPart, versions: (i64, i64), created_at: i64) -> fact_part::ActiveModel {
    fact_part::ActiveModel {
        tenant_id: ActiveValue::NotSet,
        id: ActiveValue::Set(written.id.0),
        fact: ActiveValue::Set(written.fact.table().to_owned()),
        month: ActiveValue::Set(written.month),
        path: ActiveValue::Set(written.path.clone()),
        row_count: ActiveValue::Set(written.row_count),
        size_bytes: ActiveValue::Set(written.size_bytes),
        min_version: ActiveValue::Set(versions.0),
        max_version: ActiveValue::Set(versions.1),
        sha256: ActiveValue::Set(written.sha256.clone()),
        created_at: ActiveValue::Set(created_at),
    }
}

/// The lowest and highest posting among some events.
fn versions(rows: &RecordBatch) -> Option<(i64, i64)> {
    let versions = rows.column_by_name("posting_version")?.as_primitive::<Int64Type>();
    let lowest = versions.values().iter().min()?;
    let highest = versions.values().iter().max()?;
    Some((*lowest, *highest))
}

fn by_month(events: &RecordBatch) -> Result<BTreeMap<i32, RecordBatch>, FactsError> {
    let mut indices: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
    if let Some(dates) = events.column_by_name("event_date") {
        for (index, date) in dates.as_primitive::<Int32Type>().values().iter().enumerate() {
            indices.entry(month_of(LocalDate(*date))).or_default().push(index as u32);
        }
    }
    let mut months = BTreeMap::new();
    for (month, indices) in indices {
        months.insert(month, take_record_batch(events, &UInt32Array::from(indices))?);
    }
    Ok(months)
}
