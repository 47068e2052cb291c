//! Reads about payouts and balances.

use std::collections::BTreeMap;

use portolan_analytics::Visibility;
use portolan_commerce::cash::CashEvent;
use portolan_commerce::document::{Entity, Payout};
use portolan_commerce::ledger::{PostedEvent, standing};
use portolan_core::ConnectionId;
use portolan_db::TenantTx;
use portolan_db::entity::{cash_event, document, document_version};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::channels::heads::page_of_heads;
use crate::channels::seen::seen_payouts;
use crate::ingest::entity_name;
use crate::web::error::{AppError, AppResult};
use crate::web::page::Beside;

/// Which payouts are asked for; newest first.
#[derive(Debug, Clone, Default)]
pub struct PayoutFilter {
    pub connection: Option<ConnectionId>,
    pub state: Option<String>,
    pub beside: Option<Beside>,
}

/// A payout beside what its entries add up to.
#[derive(Debug, Clone)]
pub struct PayoutRecord {
    pub head: document::Model,
    pub payout: Payout,
    /// Of its own currency.
    pub entries_net_minor: i64,
    pub entry_count: i64,
    /// Entries in another currency: they are never added.
    pub foreign_count: i64,
}

impl PayoutRecord {
    /// Stated − sum of the entries: zero where everything is there.
    pub fn difference_minor(&self) -> i128 {
        i128::from(self.payout.amount_minor) - i128::from(self.entries_net_minor)
    }

    /// Whether the provider has told what it pays out.
    pub fn has_entries(&self) -> bool {
        self.entry_count + self.foreign_count > 0
    }

    /// Whether the payout is explained to the last minor unit.
    pub fn holds(&self) -> bool {
        self.entry_count > 0 && self.foreign_count == 0 && self.difference_minor() == 0
    }
}

/// The newest payouts that match, one more than `limit` where there are more.
pub async fn list_payouts(
    tx: &TenantTx,
    seen: &Visibility,
    filter: &PayoutFilter,
    limit: u64,
) -> AppResult<Vec<PayoutRecord>> {
    let mut wanted = tx
        .find::<document::Entity>()
        .filter(document::Column::Entity.eq(entity_name(Entity::Payout)))
        .filter(document::Column::Deleted.eq(false))
        .filter(document::Column::OccurredAt.is_not_null())
        .filter(seen_payouts(tx, seen).await?);
    if let Some(connection) = filter.connection {
        wanted = wanted.filter(document::Column::ConnectionId.eq(connection.0));
    }
    if let Some(state) = &filter.state {
        wanted = wanted.filter(document::Column::State.eq(state.as_str()));
    }
    let heads = page_of_heads(tx, wanted, filter.beside, limit).await?;
    with_entries(tx, heads).await
}

/// The payout with this document id; one that is not seen is not there.
pub async fn find_payout(tx: &TenantTx, seen: &Visibility, id: Uuid) -> AppResult<PayoutRecord> {
    let head = tx
        .find::<document::Entity>()
        .filter(document::Column::Id.eq(id))
        .filter(document::Column::Entity.eq(entity_name(Entity::Payout)))
        .filter(seen_payouts(tx, seen).await?);
    let head = head.one(tx).await?.ok_or_else(|| AppError::not_found("payout"))?;
    let record = with_entries(tx, vec![head]).await?.pop();
    record.ok_or_else(|| AppError::internal("a payout without a version"))
}

/// States that payouts are in.
pub async fn known_states(tx: &TenantTx, seen: &Visibility) -> AppResult<Vec<String>> {
    let states: Vec<Option<String>> = tx
        .find::<document::Entity>()
        .select_only()
        .column(document::Column::State)
        .filter(document::Column::Entity.eq(entity_name(Entity::Payout)))
        .filter(seen_payouts(tx, seen).await?)
        .distinct()
        .order_by_asc(document::Column::State)
        .into_tuple()
        .all(tx)
        .await?;
    Ok(states.into_iter().flatten().collect())
}

/// The standing entries of a payout, oldest first, those that are the payout itself among them.
pub async fn entries_of_payout(tx: &TenantTx, record: &PayoutRecord) -> AppResult<Vec<CashEvent>> {
    let rows = tx
        .find::<cash_event::Entity>()
        .filter(cash_event::Column::ConnectionId.eq(record.head.connection_id))
        .filter(cash_event::Column::PayoutKey.eq(record.head.key.as_str()))
        .all(tx)
        .await?;
    let mut entries = standing_of(rows)?;
    entries.sort_by(|left, right| (left.event_at, &left.entry_key).cmp(&(right.event_at, &right.entry_key)));
    Ok(entries)
}

pub(super) fn standing_of(rows: Vec<cash_event::Model>) -> AppResult<Vec<CashEvent>> {
    let posted: Result<Vec<PostedEvent<CashEvent>>, _> =
        rows.into_iter().map(cash_event::Model::into_posted).collect();
    let posted = posted.map_err(AppError::internal)?;
    Ok(standing(&posted).into_iter().map(|posted| posted.event.clone()).collect())
}

/// What the entries of one payout add up to, in one currency.
struct EntrySum {
    currency: String,
    net_minor: i64,
    count: i64,
}

async fn with_entries(tx: &TenantTx, heads: Vec<document::Model>) -> AppResult<Vec<PayoutRecord>> {
    let ids: Vec<Uuid> = heads.iter().map(|head| head.version_id).collect();
    let versions =
        tx.find::<document_version::Entity>().filter(document_version::Column::Id.is_in(ids)).all(tx).await?;
    let mut payouts = BTreeMap::new();
    for version in versions {
        let payout: Payout = serde_json::from_str(&version.body).map_err(AppError::internal)?;
        payouts.insert(version.id, payout);
    }
    let sums = entry_sums(tx, &heads).await?;
    let mut records = Vec::with_capacity(heads.len());
    for head in heads {
        let payout = payouts.remove(&head.version_id);
        let payout = payout.ok_or_else(|| AppError::internal("a payout without a version"))?;
        let of_payout = sums.get(&(head.connection_id, head.key.clone())).map_or(&[][..], Vec::as_slice);
        let (own, foreign): (Vec<&EntrySum>, Vec<&EntrySum>) =
            of_payout.iter().partition(|sum| sum.currency == payout.currency.as_str());
        records.push(PayoutRecord {
            entries_net_minor: own.iter().map(|sum| sum.net_minor).sum(),
            entry_count: own.iter().map(|sum| sum.count).sum(),
            foreign_count: foreign.iter().map(|sum| sum.count).sum(),
            head,
            payout,
        });
    }
    Ok(records)
}

/// What a payout pays out: `portolan_commerce::cash::is_payout_itself`, turned round and in SQL.
fn is_part() -> Condition {
    let category = cash_event::Column::Category;
    let of_another = Condition::all()
        .add(category.eq("payout_reversal"))
        .add(Expr::col(cash_event::Column::SourceKey).ne(Expr::col(cash_event::Column::PayoutKey)));
    Condition::any().add(category.is_not_in(["payout", "payout_reversal"])).add(of_another)
}

/// Per payout and currency, the sum of its entries but those that are the payout itself. An entry that was taken back
/// and its negated copy cancel each other.
async fn entry_sums(
    tx: &TenantTx,
    heads: &[document::Model],
) -> AppResult<BTreeMap<(Uuid, String), Vec<EntrySum>>> {
    use cash_event::Column::{ConnectionId, Currency, PayoutKey};
    let keys = heads.iter().map(|head| head.key.as_str());
    let rows: Vec<(Uuid, String, String, i64, i64)> = tx
        .find::<cash_event::Entity>()
        .select_only()
        .columns([ConnectionId, PayoutKey, Currency])
        .column_as(Expr::cust("CAST(SUM(net_minor) AS BIGINT)"), "net_minor")
        .column_as(
            Expr::cust("CAST(SUM(CASE WHEN reverses IS NULL THEN 1 ELSE -1 END) AS BIGINT)"),
            "entries",
        )
        .filter(PayoutKey.is_in(keys))
        .filter(is_part())
        .group_by(ConnectionId)
        .group_by(PayoutKey)
        .group_by(Currency)
        .into_tuple()
        .all(tx)
        .await?;
    let mut sums: BTreeMap<(Uuid, String), Vec<EntrySum>> = BTreeMap::new();
    for (connection, payout, currency, net_minor, count) in rows {
        if count > 0 {
            sums.entry((connection, payout)).or_default().push(EntrySum { currency, net_minor, count });
        }
    }
    Ok(sums)
}
