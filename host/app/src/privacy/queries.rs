//! Reads about requests, and about how many customers are kept.

use portolan_analytics::Visibility;
use portolan_core::{ConnectionId, Instant};
use portolan_db::TenantTx;
use portolan_db::entity::person;
use portolan_db::entity::privacy_request::{self, Column, Entity};
use sea_orm::{ColumnTrait, Condition, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::channels::seen::of_seen_connections;
use crate::web::error::AppResult;
use crate::web::page::Beside;

/// The requests beside one, newest first; one more than `limit` where there are more.
pub async fn list_requests(
    tx: &TenantTx,
    seen: &Visibility,
    beside: Option<Beside>,
    limit: u64,
) -> AppResult<Vec<privacy_request::Model>> {
    let back = beside.is_some_and(Beside::is_back);
    let mut wanted = tx.find::<Entity>().filter(of_seen_connections(tx, seen, Column::ConnectionId).await?);
    if let Some(beside) = beside
        && let Some(here) = tx.find_by_id::<Entity>(beside.item).await?
    {
        let same_moment = Condition::all().add(Column::ReceivedAt.eq(here.received_at));
        wanted = wanted.filter(match back {
            false => Condition::any()
                .add(Column::ReceivedAt.lt(here.received_at))
                .add(same_moment.add(Column::Id.lt(here.id))),
            true => Condition::any()
                .add(Column::ReceivedAt.gt(here.received_at))
                .add(same_moment.add(Column::Id.gt(here.id))),
        });
    }
    let order = if back { Order::Asc } else { Order::Desc };
    let wanted = wanted.order_by(Column::ReceivedAt, order.clone()).order_by(Column::Id, order);
    let mut found = wanted.limit(limit + 1).all(tx).await?;
    if back {
        found.reverse();
    }
    Ok(found)
}

/// How many customers of a connection are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    pub persons: u64,
    pub erased: u64,
    /// When the one who is known longest was seen for the first time.
    pub oldest: Option<Instant>,
}

pub async fn standing(tx: &TenantTx, connection: ConnectionId) -> AppResult<Standing> {
    let of = || tx.find::<person::Entity>().filter(person::Column::ConnectionId.eq(connection.0));
    let kept = || of().filter(person::Column::ErasedAt.is_null());
    let oldest = kept().order_by_asc(person::Column::FirstSeenAt).one(tx).await?;
    Ok(Standing {
        persons: kept().count(tx).await?,
        erased: of().filter(person::Column::ErasedAt.is_not_null()).count(tx).await?,
        oldest: oldest.map(|row| Instant(row.first_seen_at)),
    })
}
