//! One moment of a tenant's ledgers: which parts there are, and what plans and answers must know beside them.

use std::collections::{BTreeSet, HashMap};

use portolan_analytics::{ConnectionInfo, Fact, TenantCalendar, TenantContext};
use portolan_core::calendar::{StoreCalendar, Weekday};
use portolan_core::{ConnectionId, TenantId};
use portolan_db::entity::{connection, document, fact_part, product_label, tenant};
use portolan_db::sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use portolan_db::{DbError, TenantTx};

/// Keys of one lookup: both databases limit the number of bound values.
const TITLES_PER_LOOKUP: usize = 500;

/// The parts of these ledgers, listed by month.
pub(crate) async fn parts(tx: &TenantTx, facts: &[Fact]) -> Result<Vec<fact_part::Model>, DbError> {
    Ok(tx
        .find::<fact_part::Entity>()
        .filter(fact_part::Column::Fact.is_in(facts.iter().map(|fact| fact.table())))
        .order_by_asc(fact_part::Column::Month)
        .order_by_asc(fact_part::Column::Id)
        .all(tx)
        .await?)
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
        zone: StoreCalendar::new(&tenant.time_zone, 0).unwrap_or_else(|_| StoreCalendar::utc()),
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
