//! What of the ledgers is in no part yet: rows in SQL, the same for every ledger.

use std::collections::BTreeMap;
use std::ops::Range;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use portolan_analytics::Fact;
use portolan_db::entity::{cash_event, ledger_head, sale_event};
use portolan_db::sea_orm::{
    ColumnTrait, ConnectionTrait, PaginatorTrait, QueryFilter, QueryResult, QuerySelect, Value,
};
use portolan_db::{DbError, TenantEntity, TenantTx};
use tokio::task::JoinHandle;

use crate::{FactsError, schema};

/// Events of one read: rows of the database are several times larger than what becomes of them.
const EVENTS_PER_READ: i64 = 4_096;

/// A ledger's table in SQL.
trait LedgerTable: TenantEntity {
    const POSTING_VERSION: Self::Column;
    const EVENT_DATE: Self::Column;
}

impl LedgerTable for sale_event::Entity {
    const POSTING_VERSION: Self::Column = sale_event::Column::PostingVersion;
    const EVENT_DATE: Self::Column = sale_event::Column::EventDate;
}

impl LedgerTable for cash_event::Entity {
    const POSTING_VERSION: Self::Column = cash_event::Column::PostingVersion;
    const EVENT_DATE: Self::Column = cash_event::Column::EventDate;
}

const fn table(fact: Fact) -> &'static str {
    match fact {
        Fact::Sales => "sale_event",
        Fact::Cash => "cash_event",
    }
}

/// How many events of all ledgers each of some postings has, in the order of the postings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sizes(Vec<(i64, i64)>);

impl Sizes {
    /// The first postings: as many as have no more events than that together, but at least one.
    pub(crate) fn first(mut self, most_events: i64) -> Self {
        let mut total = 0;
        let fitting = self.0.iter().take_while(|(_, events)| {
            total += events;
            total <= most_events
        });
        let fitting = fitting.count().max(1);
        self.0.truncate(fitting);
        self
    }

    pub(crate) fn last_posting(&self) -> Option<i64> {
        self.0.last().map(|(posting, _)| *posting)
    }

    /// Ranges of postings that are read at once.
    fn reads(&self) -> Vec<Range<i64>> {
        let mut reads: Vec<(Range<i64>, i64)> = Vec::new();
        for (posting, events) in &self.0 {
            match reads.last_mut() {
                Some((read, total)) if *total + events <= EVENTS_PER_READ => {
                    read.end = posting + 1;
                    *total += events;
                }
                _ => reads.push((*posting..posting + 1, *events)),
            }
        }
        reads.into_iter().map(|(read, _)| read).collect()
    }
}

/// The events of a ledger of these postings. While rows become columns, the next rows are read.
pub(crate) async fn events(tx: &TenantTx, fact: Fact, postings: &Sizes) -> Result<RecordBatch, FactsError> {
    joined(fact, &batches(tx, fact, &postings.reads()).await?)
}

/// The same through two transactions at a time, for folding: what is posted doesn't change, so any snapshot that has it
/// will do.
pub(crate) async fn events_by_two(
    both: [&TenantTx; 2],
    fact: Fact,
    postings: &Sizes,
) -> Result<RecordBatch, FactsError> {
    let reads = postings.reads();
    let (first, second) = reads.split_at(reads.len() / 2);
    let (first, second) = tokio::join!(batches(both[0], fact, first), batches(both[1], fact, second));
    let mut batches = first?;
    batches.append(&mut second?);
    joined(fact, &batches)
}

fn joined(fact: Fact, batches: &[RecordBatch]) -> Result<RecordBatch, FactsError> {
    match batches {
        [only] => Ok(only.clone()),
        several => Ok(concat_batches(schema::columns(fact), several)?),
    }
}

async fn batches(tx: &TenantTx, fact: Fact, reads: &[Range<i64>]) -> Result<Vec<RecordBatch>, FactsError> {
    let mut batches = Vec::new();
    let mut building: Option<JoinHandle<Result<RecordBatch, FactsError>>> = None;
    for read in reads {
        let rows = rows(tx, fact, read).await?;
        let dialect = tx.dialect();
        let next = tokio::task::spawn_blocking(move || schema::batch(fact, dialect, &rows));
        if let Some(built) = building.replace(next) {
            batches.push(built.await.map_err(|_| FactsError::Stopped)??);
        }
    }
    if let Some(built) = building {
        batches.push(built.await.map_err(|_| FactsError::Stopped)??);
    }
    Ok(batches)
}

async fn rows(tx: &TenantTx, fact: Fact, postings: &Range<i64>) -> Result<Vec<QueryResult>, DbError> {
    let sql = format!(
        "SELECT {} FROM \"{}\" WHERE \"tenant_id\" = $1 AND \"posting_version\" >= $2 AND \"posting_version\" < $3",
        schema::selection(fact, tx.dialect()),
        table(fact)
    );
    let values = [Value::from(tx.tenant().0), postings.start.into(), postings.end.into()];
    Ok(tx.query_all_raw(tx.statement(sql, values)).await?)
}

/// How many events of all ledgers are in no part yet.
pub(crate) async fn length(tx: &TenantTx, head: &ledger_head::Model) -> Result<u64, DbError> {
    if head.posting_version == head.folded_version {
        return Ok(0);
    }
    let folded = head.folded_version;
    Ok(length_of::<sale_event::Entity>(tx, folded).await?
        + length_of::<cash_event::Entity>(tx, folded).await?)
}

/// The next postings after `after`, up to and including `until`: those with the first events of each ledger, `limit` of
/// them, but for postings that are not known whole. However long the tail is, no more than that is looked at.
pub(crate) async fn sizes(tx: &TenantTx, after: i64, until: i64, limit: i64) -> Result<Sizes, DbError> {
    let mut sizes: BTreeMap<i64, i64> = BTreeMap::new();
    let mut known_until = until;
    for fact in Fact::ALL {
        let asked = sizes_of(tx, fact, after, until, limit).await?;
        let events: i64 = asked.iter().map(|(_, events)| events).sum();
        // The last one may go on beyond the limit. If it is the only one, it is taken as it is.
        match asked.as_slice() {
            [(only, _)] if events >= limit => known_until = known_until.min(*only),
            [.., (last, _)] if events >= limit => known_until = known_until.min(last - 1),
            _ => {}
        }
        for (posting, events) in asked {
            *sizes.entry(posting).or_default() += events;
        }
    }
    Ok(Sizes(sizes.into_iter().filter(|(posting, _)| *posting <= known_until).collect()))
}

async fn sizes_of(
    tx: &TenantTx,
    fact: Fact,
    after: i64,
    until: i64,
    limit: i64,
) -> Result<Vec<(i64, i64)>, DbError> {
    let sql = format!(
        "SELECT posting_version, COUNT(*) AS events FROM (SELECT posting_version FROM \"{}\" WHERE tenant_id = $1 \
         AND posting_version > $2 AND posting_version <= $3 ORDER BY posting_version LIMIT $4) AS next \
         GROUP BY posting_version ORDER BY posting_version",
        table(fact)
    );
    let values = [Value::from(tx.tenant().0), after.into(), until.into(), limit.into()];
    let rows = tx.query_all_raw(tx.statement(sql, values)).await?;
    let read = |row: &QueryResult| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?));
    rows.iter().map(read).collect()
}

/// The first and the last event date of all ledgers' events in no part.
pub(crate) async fn days(tx: &TenantTx, head: &ledger_head::Model) -> Result<Vec<(i32, i32)>, DbError> {
    let folded = head.folded_version;
    let sold = days_of::<sale_event::Entity>(tx, folded).await?;
    let moved = days_of::<cash_event::Entity>(tx, folded).await?;
    Ok(sold.into_iter().chain(moved).collect())
}

async fn length_of<E: LedgerTable>(tx: &TenantTx, folded: i64) -> Result<u64, DbError>
where
    E::Model: Sync,
{
    Ok(tx.find::<E>().filter(E::POSTING_VERSION.gt(folded)).count(tx).await?)
}

async fn days_of<E: LedgerTable>(tx: &TenantTx, folded: i64) -> Result<Option<(i32, i32)>, DbError> {
    let ends: Option<(Option<i32>, Option<i32>)> = tx
        .find::<E>()
        .select_only()
        .column_as(E::EVENT_DATE.min(), "first")
        .column_as(E::EVENT_DATE.max(), "last")
        .filter(E::POSTING_VERSION.gt(folded))
        .into_tuple()
        .one(tx)
        .await?;
    Ok(ends.and_then(|(first, last)| first.zip(last)))
}

#[cfg(test)]
mod tests {
    use super::Sizes;

    #[test]
    fn a_step_takes_what_fits_and_at_least_one_posting() {
        let sizes = |list: &[(i64, i64)]| Sizes(list.to_vec());
        let all = sizes(&[(4, 10), (5, 20), (9, 30)]);
        assert_eq!(all.clone().first(30), sizes(&[(4, 10), (5, 20)]));
        assert_eq!(all.clone().first(29), sizes(&[(4, 10)]));
        assert_eq!(all.clone().first(3), sizes(&[(4, 10)]), "a posting is folded whole");
        assert_eq!(all.first(60).last_posting(), Some(9));
        assert_eq!(Sizes::default().first(5).last_posting(), None);
    }

    #[test]
    fn reads_cover_every_posting_once() {
        let sizes = Sizes(vec![(1, 4_000), (2, 96), (3, 1), (7, 20_000), (8, 5)]);
        assert_eq!(sizes.reads(), [1..3, 3..4, 7..8, 8..9]);
    }
}
