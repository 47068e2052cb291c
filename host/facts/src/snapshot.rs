//! One moment of a tenant's ledger: which parts there are, and what is not in them yet.

use std::collections::{BTreeSet, HashMap};

use datafusion::arrow::array::RecordBatch;
use portolan_analytics::{ConnectionInfo, TenantCalendar, TenantContext};
use portolan_core::calendar::Weekday;
use portolan_core::{ConnectionId, TenantId};
use portolan_db::entity::{connection, document, fact_part, ledger_head, product_label, sale_event, tenant};
use portolan_db::sea_orm::{ColumnTrait, PaginatorTrait, QueryFilter, QueryOrder};
use portolan_db::{DbError, TenantTx};

use crate::part::FACT;
use crate::{FactsError, schema};

/// Keys of one lookup: both databases limit the number of bound values.
const TITLES_PER_LOOKUP: usize = 500;

/// The parts of the ledger, listed.
pub(crate) async fn parts(tx: &TenantTx) -> Result<Vec<fact_part::Model>, DbError> {
    Ok(tx
        .find::<fact_part::Entity>()
        .filter(fact_part::Column::Fact.eq(FACT))
        .order_by_asc(fact_part::Column::Month)
        .order_by_asc(fact_part::Column::Id)
        .all(tx)
        .await?)
}

/// How many events are in no part yet.
pub(crate) async fn tail_length(tx: &TenantTx, head: &ledger_head::Model) -> Result<u64, DbError> {
    if head.posting_version == head.folded_version {
        return Ok(0);
    }
    Ok(tx
        .find::<sale_event::Entity>()
        .filter(sale_event::Column::PostingVersion.gt(head.folded_version))
        .count(tx)
        .await?)
}

/// The events of the postings after `after`, up to and including `until`.
pub(crate) async fn events(tx: &TenantTx, after: i64, until: i64) -> Result<RecordBatch, FactsError> {
    let rows = tx
        .find::<sale_event::Entity>()
        .filter(sale_event::Column::PostingVersion.gt(after))
        .filter(sale_event::Column::PostingVersion.lte(until))
        .all(tx)
        .await
        .map_err(DbError::from)?;
    Ok(schema::batch(&rows)?)
}

/// What plans must know: the tenant's calendar, its connections and their channels.
pub(crate) async fn context(tx: &TenantTx, id: TenantId) -> Result<Option<TenantContext>, DbError> {
    let house = tx.host_wide();
    let Some(tenant) = house.find::<tenant::Entity>().filter(tenant::Column::Id.eq(id.0)).one(house).await?
    else {
        return Ok(None);
    };
    let connections = tx.find::<connection::Entity>().all(tx).await?;
    Ok(Some(TenantContext {
        connections: connections
            .into_iter()
            .map(|connection| ConnectionInfo {
                id: ConnectionId(connection.id),
                label: connection.label,
                channel: connection.plugin_id,
            })
            .collect(),
        calendar: calendar(&tenant),
    }))
}

/// A setting that no calendar knows counts as the default.
fn calendar(tenant: &tenant::Model) -> TenantCalendar {
    let weekday = usize::try_from(tenant.week_start - 1).ok().and_then(|index| Weekday::ALL.get(index));
    let weekday = weekday.copied().unwrap_or_default();
    TenantCalendar::new(weekday, i64::from(tenant.fiscal_start_month)).unwrap_or_default()
}

/// What products are called: by their documents, or by their newest sales.
pub(crate) async fn titles(
    tx: &TenantTx,
    products: BTreeSet<(ConnectionId, String)>,
) -> Result<HashMap<(ConnectionId, String), String>, DbError> {
    let keys: Vec<&String> = products.iter().map(|(_, key)| key).collect();
    let mut titles = HashMap::with_capacity(keys.len());
    for keys in keys.chunks(TITLES_PER_LOOKUP) {
        let documents = tx
            .find::<document::Entity>()
            .filter(document::Column::Entity.eq("product"))
            .filter(document::Column::Key.is_in(keys.iter().map(|key| key.as_str())))
            .all(tx)
            .await?;
        for document in documents {
            if let Some(title) = document.title {
                titles.insert((ConnectionId(document.connection_id), document.key), title);
            }
        }
        // What no document names, order lines do; the code stays beside it.
        let labels = tx
            .find::<product_label::Entity>()
            .filter(product_label::Column::ProductKey.is_in(keys.iter().map(|key| key.as_str())))
            .all(tx)
            .await?;
        for label in labels {
            let title = format!("{} ({})", label.title, label.product_key);
            titles.entry((ConnectionId(label.connection_id), label.product_key)).or_insert(title);
        }
    }
    Ok(titles)
}
