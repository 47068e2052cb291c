//! What of the ledgers is in no part yet: rows in SQL, the same for every ledger.

use std::collections::BTreeMap;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::error::ArrowError;
use portolan_analytics::Fact;
use portolan_db::entity::{cash_event, ledger_head, sale_event};
use portolan_db::sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use portolan_db::{DbError, TenantEntity, TenantTx};

use crate::{FactsError, schema};

/// A ledger's table in SQL, whose rows become columns.
trait LedgerTable: TenantEntity {
    const ID: Self::Column;
    const POSTING_VERSION: Self::Column;
    const EVENT_DATE: Self::Column;

    fn batch(rows: &[Self::Model]) -> Result<RecordBatch, ArrowError>;
}

impl LedgerTable for sale_event::Entity {
    const ID: Self::Column = sale_event::Column::Id;
    const POSTING_VERSION: Self::Column = sale_event::Column::PostingVersion;
    const EVENT_DATE: Self::Column = sale_event::Column::EventDate;

    fn batch(rows: &[Self::Model]) -> Result<RecordBatch, ArrowError> {
        schema::sales_batch(rows)
    }
}

impl LedgerTable for cash_event::Entity {
    const ID: Self::Column = cash_event::Column::Id;
    const POSTING_VERSION: Self::Column = cash_event::Column::PostingVersion;
    const EVENT_DATE: Self::Column = cash_event::Column::EventDate;

    fn batch(rows: &[Self::Model]) -> Result<RecordBatch, ArrowError> {
        schema::cash_batch(rows)
    }
}

/// The events of a ledger of the postings after `after`, up to and including `until`.
pub(crate) async fn events(
    tx: &TenantTx,
    fact: Fact,
    after: i64,
    until: i64,
) -> Result<RecordBatch, FactsError> {
    match fact {
        Fact::Sales => events_of::<sale_event::Entity>(tx, after, until).await,
        Fact::Cash => events_of::<cash_event::Entity>(tx, after, until).await,
    }
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

/// How many events of all ledgers each of the next postings has: at least of the first `limit` of them, and
/// of none beyond the last one that every ledger was asked about.
pub(crate) async fn sizes(
    tx: &TenantTx,
    head: &ledger_head::Model,
    limit: u64,
) -> Result<BTreeMap<i64, i64>, DbError> {
    let mut sizes = BTreeMap::new();
    let mut known_until = head.posting_version;
    let sold = sizes_of::<sale_event::Entity>(tx, head, limit).await?;
    let moved = sizes_of::<cash_event::Entity>(tx, head, limit).await?;
    for asked in [sold, moved] {
        if let Some((last, _)) = asked.last().filter(|_| asked.len() as u64 == limit) {
            known_until = known_until.min(*last);
        }
        for (posting_version, events) in asked {
            *sizes.entry(posting_version).or_default() += events;
        }
    }
    sizes.retain(|posting_version, _| *posting_version <= known_until);
    Ok(sizes)
}

/// The first and the last event date of all ledgers' events in no part.
pub(crate) async fn days(tx: &TenantTx, head: &ledger_head::Model) -> Result<Vec<(i32, i32)>, DbError> {
    let folded = head.folded_version;
    let sold = days_of::<sale_event::Entity>(tx, folded).await?;
    let moved = days_of::<cash_event::Entity>(tx, folded).await?;
    Ok(sold.into_iter().chain(moved).collect())
}

async fn events_of<E: LedgerTable>(tx: &TenantTx, after: i64, until: i64) -> Result<RecordBatch, FactsError> {
    let rows = tx
        .find::<E>()
        .filter(E::POSTING_VERSION.gt(after))
        .filter(E::POSTING_VERSION.lte(until))
        .all(tx)
        .await
        .map_err(DbError::from)?;
    Ok(E::batch(&rows)?)
}

async fn length_of<E: LedgerTable>(tx: &TenantTx, folded: i64) -> Result<u64, DbError>
where
    E::Model: Sync,
{
    Ok(tx.find::<E>().filter(E::POSTING_VERSION.gt(folded)).count(tx).await?)
}

async fn sizes_of<E: LedgerTable>(
    tx: &TenantTx,
    head: &ledger_head::Model,
    limit: u64,
) -> Result<Vec<(i64, i64)>, DbError> {
    Ok(tx
        .find::<E>()
        .select_only()
        .column(E::POSTING_VERSION)
        .column_as(E::ID.count(), "events")
        .filter(E::POSTING_VERSION.gt(head.folded_version))
        .filter(E::POSTING_VERSION.lte(head.posting_version))
        .group_by(E::POSTING_VERSION)
        .order_by_asc(E::POSTING_VERSION)
        .limit(limit)
        .into_tuple::<(i64, i64)>()
        .all(tx)
        .await?)
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
