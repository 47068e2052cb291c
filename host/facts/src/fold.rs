//! Folding: posted events move from the tail into parts.
//!
//! One version says how far both ledgers are folded, so one step moves the events of both.
//!
//! A file is written and on disk before the row that lists it is committed, together with the new
//! `folded_version`. So a crash leaves at most a file that nothing lists, which [`sweep`](crate::sweep)
//! removes; it never leaves an event in both places or in none. Two folds at once are harmless: the
//! second finds the version moved and gives its files up. Within a process they take turns.
//!
//! While the parts of one step are written, the events of the next are read.

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Int32Type, Int64Type};
use portolan_analytics::Fact;
use portolan_core::{LocalDate, PartId, TenantId};
use portolan_db::entity::{fact_part, ledger_head};
use portolan_db::sea_orm::sea_query::Expr;
use portolan_db::sea_orm::{ActiveValue, ColumnTrait, QueryFilter};
use portolan_db::{DbError, TenantTx, WriteClass};

use crate::part::{self, WrittenPart, month_of, order};
use crate::{FactStore, FactsError, tail};

/// Events of one step; of a fold two steps are in memory at a time.
pub(crate) const EVENTS_PER_STEP: i64 = 40_000;
/// Parts that are written at once: more than there are cores, as they wait for the disk.
const WRITERS: usize = 4;

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

/// The events of some postings, read and not yet written.
struct Step {
    /// Everything up to this posting was folded before.
    after: i64,
    until: i64,
    ledgers: Vec<(Fact, RecordBatch)>,
}

impl FactStore {
    /// Moves every posted event into parts, then merges small parts. Running it again does nothing.
    pub async fn fold(&self, tenant: TenantId) -> Result<FoldReport, FactsError> {
        let _turn = self.folding.lock().await;
        let mut report = FoldReport::default();
        let (mut step, folded_version) = self.read_step(tenant, None).await?;
        report.folded_version = folded_version;
        while let Some(current) = step {
            let until = current.until;
            let (written, next) =
                tokio::join!(self.write_step(tenant, current), self.read_step(tenant, Some(until)));
            let Some((events, parts)) = written? else {
                // Someone else folded the same postings meanwhile: their files count, ours are swept.
                (step, report.folded_version) = self.read_step(tenant, None).await?;
                continue;
            };
            report.folded_version = until;
            report.events += events;
            report.parts_written += parts;
            (step, _) = next?;
        }
        report.parts_merged = self.compact(tenant).await?;
        if report.events > 0 || report.parts_merged > 0 {
            tracing::debug!(
                tenant.id = %tenant,
                events = report.events,
                parts_written = report.parts_written,
                parts_merged = report.parts_merged,
                "ledger folded"
            );
        }
        Ok(report)
    }

    /// The next events after a posting, or after what is folded; nothing where there are none. With it goes how far the
    /// ledger is folded.
    async fn read_step(
        &self,
        tenant: TenantId,
        after: Option<i64>,
    ) -> Result<(Option<Step>, i64), FactsError> {
        let tx = self.database.read(tenant).await?;
        let head = tx.ledger_head().await?;
        let after = after.unwrap_or(head.folded_version);
        if after >= head.posting_version {
            return Ok((None, head.folded_version));
        }
        let postings = tail::sizes(&tx, after, head.posting_version, self.events_per_step + 1).await?;
        let postings = postings.first(self.events_per_step);
        let Some(until) = postings.last_posting() else { return Ok((None, head.folded_version)) };
        let other = self.database.read(tenant).await?;
        let mut ledgers = Vec::with_capacity(Fact::ALL.len());
        for fact in Fact::ALL {
            ledgers.push((fact, tail::events_by_two([&tx, &other], fact, &postings).await?));
        }
        Ok((Some(Step { after, until, ledgers }), head.folded_version))
    }

    /// Writes and lists the parts of a step; says how many events and parts they were, or nothing if the fold's end was
    /// not where the step begins.
    async fn write_step(&self, tenant: TenantId, step: Step) -> Result<Option<(u64, usize)>, FactsError> {
        let Step { after, until, ledgers } = step;
        let events = ledgers.iter().map(|(_, events)| events.num_rows() as u64).sum();
        let months = tokio::task::spawn_blocking(move || by_month(ledgers)).await;
        let mut lanes: [Vec<(Fact, i32, PartId, RecordBatch)>; WRITERS] = std::array::from_fn(|_| Vec::new());
        for (turn, (fact, month, rows)) in months.map_err(|_| FactsError::Stopped)??.into_iter().enumerate() {
            let id = PartId::generate(self.clock.as_ref(), self.random.as_ref());
            lanes[turn % WRITERS].push((fact, month, id, rows));
        }
        let writing = lanes.map(|lane| {
            let folder = self.folder.clone();
            tokio::task::spawn_blocking(move || {
                let write = |(fact, month, id, rows): (Fact, i32, PartId, RecordBatch)| {
                    let versions = versions(&rows).unwrap_or((until, until));
                    Ok((part::write(&folder, tenant, fact, id, month, &rows)?, versions))
                };
                let written = lane.into_iter().map(write).collect::<Result<Vec<_>, FactsError>>()?;
                part::settle(&folder, written.iter().map(|(part, _)| part))?;
                Ok::<_, FactsError>(written)
            })
        });
        let now = self.clock.now().0;
        let mut parts = Vec::new();
        for lane in writing {
            let written = lane.await.map_err(|_| FactsError::Stopped)??;
            parts.extend(written.iter().map(|(part, versions)| row(part, *versions, now)));
        }
        let count = parts.len();
        let listed = self
            .database
            .write_as(WriteClass::Background, tenant, move |tx| {
                Box::pin(async move { list_parts(tx, parts, after, until).await })
            })
            .await?;
        Ok(listed.then_some((events, count)))
    }
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

/// The events of each ledger and month, in the order of parts. That begins with the date, so months are slices.
fn by_month(ledgers: Vec<(Fact, RecordBatch)>) -> Result<Vec<(Fact, i32, RecordBatch)>, FactsError> {
    let mut months = Vec::new();
    for (fact, events) in ledgers {
        let sorted = order::sorted(fact, &events)?;
        let Some(dates) = sorted.column_by_name("event_date") else { continue };
        let mut from = 0;
        for days in dates.as_primitive::<Int32Type>().values().chunk_by(|one, next| month(one) == month(next))
        {
            months.push((fact, month(&days[0]), sorted.slice(from, days.len())));
            from += days.len();
        }
    }
    Ok(months)
}

fn month(days: &i32) -> i32 {
    month_of(LocalDate(*days))
}
