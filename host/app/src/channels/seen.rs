//! What somebody sees of the stored documents, as conditions: the same limits as questions to the ledgers are asked by,
//! over the same events. Whatever lists or finds orders, payouts, connections or syncs for somebody begins with these.
//!
//! An order is seen where every event of its is. One with an event that is not seen would tell it by its sums, so it is as if
//! it were not there; and one of which nothing is posted yet is not told by anything but its connection.

use std::collections::BTreeSet;

use portolan_analytics::policy::ColumnGroup;
use portolan_analytics::{Dimension, Fact, FilterOp, RowLimit, Visibility, split_key};
use portolan_commerce::cash::CashEvent;
use portolan_core::ConnectionId;
use portolan_db::TenantTx;
use portolan_db::entity::{cash_event, connection, document, sale_event};
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{ColumnTrait, Condition, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::channels::find_connection;
use crate::web::error::{AppError, AppResult};
use crate::web::seen::sees;

/// Ids of one lookup: both databases limit the number of bound values.
const IDS_PER_LOOKUP: usize = 500;

/// The connections that somebody sees; nothing where no policy is about connections.
pub async fn seen_connections(tx: &TenantTx, seen: &Visibility) -> AppResult<Option<BTreeSet<Uuid>>> {
    if !seen.limits_connections() {
        return Ok(None);
    }
    let all = tx.find::<connection::Entity>().all(tx).await?;
    Ok(Some(all.iter().filter(|row| sees(seen, row)).map(|row| row.id).collect()))
}

/// Fails where somebody does not see a connection, as if it were not there.
pub async fn check_seen(tx: &TenantTx, seen: &Visibility, id: ConnectionId) -> AppResult<()> {
    let row = find_connection(tx, id).await?;
    if sees(seen, &row) { Ok(()) } else { Err(AppError::not_found("connection")) }
}

/// Whether a column names one of the connections that somebody sees.
pub async fn of_seen_connections<C: ColumnTrait>(
    tx: &TenantTx,
    seen: &Visibility,
    column: C,
) -> AppResult<Condition> {
    Ok(match seen_connections(tx, seen).await? {
        None => Condition::all(),
        Some(ids) if ids.is_empty() => nothing(),
        Some(ids) => Condition::all().add(column.is_in(ids)),
    })
}

/// The condition on the document of an order that somebody sees it.
pub async fn seen_orders(tx: &TenantTx, seen: &Visibility) -> AppResult<Condition> {
    let condition = of_seen_connections(tx, seen, document::Column::ConnectionId).await?;
    let within: Vec<&RowLimit> = limits_within(seen).collect();
    if within.is_empty() {
        return Ok(condition);
    }
    let admitted = within.into_iter().fold(Condition::all(), |all, limit| all.add(on_sale(limit)));
    let tenant = tx.tenant().0;
    let of_order = || {
        Query::select()
            .expr(Expr::val(1))
            .from(sale_event::Entity)
            .and_where(sale_event::Column::TenantId.eq(tenant))
            .and_where(of_document(sale_event::Column::ConnectionId, document::Column::ConnectionId))
            .and_where(of_document(sale_event::Column::OrderKey, document::Column::Key))
            .take()
    };
    let kept_back = of_order().cond_where(admitted.not()).take();
    Ok(condition.add(Expr::exists(of_order())).add(Expr::exists(kept_back).not()))
}

/// The condition on the document of a payout that somebody sees it.
///
/// Errors: amounts of payments are closed to them.
pub async fn seen_payouts(tx: &TenantTx, seen: &Visibility) -> AppResult<Condition> {
    check_cash_is_open(seen)?;
    if !seen.sees_rows_of(Fact::Cash) {
        return Ok(nothing());
    }
    let mut condition = of_seen_connections(tx, seen, document::Column::ConnectionId).await?;
    let within: Vec<&RowLimit> = limits_within(seen).collect();
    if within.is_empty() {
        return Ok(condition);
    }
    let mut admitted = Condition::all();
    for limit in within.into_iter().filter(|limit| limit.dimension == Dimension::Currency) {
        condition = condition.add(meets(limit, document::Column::Currency));
        admitted = admitted.add(meets(limit, cash_event::Column::Currency));
    }
    let kept_back = Query::select()
        .expr(Expr::val(1))
        .from(cash_event::Entity)
        .and_where(cash_event::Column::TenantId.eq(tx.tenant().0))
        .and_where(of_document(cash_event::Column::ConnectionId, document::Column::ConnectionId))
        .and_where(of_document(cash_event::Column::PayoutKey, document::Column::Key))
        .cond_where(admitted.not())
        .take();
    Ok(condition.add(Expr::exists(kept_back).not()))
}

/// Of these orders, those that somebody sees.
pub async fn seen_among(
    tx: &TenantTx,
    seen: &Visibility,
    orders: impl IntoIterator<Item = Uuid>,
) -> AppResult<BTreeSet<Uuid>> {
    let ids: Vec<Uuid> = orders.into_iter().collect();
    if seen.sees_all_rows() {
        return Ok(ids.into_iter().collect());
    }
    let condition = seen_orders(tx, seen).await?;
    let mut found = BTreeSet::new();
    for ids in ids.chunks(IDS_PER_LOOKUP) {
        let some = tx.find::<document::Entity>().select_only().column(document::Column::Id);
        let some = some.filter(document::Column::Id.is_in(ids.iter().copied())).filter(condition.clone());
        found.extend(some.into_tuple::<Uuid>().all(tx).await?);
    }
    Ok(found)
}

/// Whether somebody sees a movement of a balance. `connections`: those that they see.
pub fn sees_entry(
    seen: &Visibility,
    connections: Option<&BTreeSet<Uuid>>,
    connection: Uuid,
    entry: &CashEvent,
) -> bool {
    let of_currency = |limit: &RowLimit| match limit.dimension {
        Dimension::Currency => limit.admits(Some(entry.currency.as_str())),
        _ => true,
    };
    seen.sees_rows_of(Fact::Cash)
        && connections.is_none_or(|seen| seen.contains(&connection))
        && seen.limits().all(of_currency)
}

/// Fails where a policy keeps an amount of payments from somebody: single ones tell all of them.
pub fn check_cash_is_open(seen: &Visibility) -> AppResult<()> {
    if !seen.closes(ColumnGroup::Cash) {
        return Ok(());
    }
    Err(AppError::closed(
        "Amounts of payments are kept from you, by your roles or by a policy of your company: ask an owner or admin.",
    ))
}

fn limits_within(seen: &Visibility) -> impl Iterator<Item = &RowLimit> {
    seen.limits().filter(|limit| !limit.is_of_connections())
}

fn of_document(column: impl ColumnTrait, of_document: document::Column) -> Expr {
    column.into_expr().equals((document::Entity, of_document))
}

/// The condition on a sale event that it meets a limit.
fn on_sale(limit: &RowLimit) -> Condition {
    use sale_event::Column::{Channel, Country, Currency, ProductKey, StoreKey};
    match limit.dimension {
        Dimension::SalesChannel => meets(limit, Channel),
        Dimension::Country => meets(limit, Country),
        Dimension::Currency => meets(limit, Currency),
        Dimension::Store => meets_key(limit, StoreKey),
        Dimension::Product => meets_key(limit, ProductKey),
        // No policy limits by anything else; one that did would be met by nothing.
        _ => nothing(),
    }
}

fn meets<C: ColumnTrait>(limit: &RowLimit, column: C) -> Condition {
    let known: Vec<&str> = limit.values.iter().flatten().map(String::as_str).collect();
    turned(limit, among(limit, column, known))
}

/// A key is unique within its connection: `<connection id>/<key>` names one, a bare key all of that name.
fn meets_key(limit: &RowLimit, column: sale_event::Column) -> Condition {
    let (mut bare, mut either) = (Vec::new(), Condition::any());
    for value in limit.values.iter().flatten() {
        match split_key(value) {
            (None, key) => bare.push(key),
            (Some(connection), key) => {
                let one = Condition::all().add(sale_event::Column::ConnectionId.eq(connection.0));
                either = either.add(one.add(column.is_not_null()).add(column.eq(key)));
            }
        }
    }
    turned(limit, either.add(among(limit, column, bare)))
}

/// True or false, never null, so that it can be turned round.
fn among<C: ColumnTrait>(limit: &RowLimit, column: C, known: Vec<&str>) -> Condition {
    let listed = match known.is_empty() {
        true => nothing(),
        false => Condition::all().add(column.is_not_null()).add(column.is_in(known)),
    };
    let mut either = Condition::any().add(listed);
    if limit.values.contains(&None) {
        either = either.add(column.is_null());
    }
    either
}

fn turned(limit: &RowLimit, matching: Condition) -> Condition {
    match limit.op {
        FilterOp::In => matching,
        FilterOp::NotIn => matching.not(),
    }
}

fn nothing() -> Condition {
    Condition::all().add(Expr::cust("1 = 0"))
}
