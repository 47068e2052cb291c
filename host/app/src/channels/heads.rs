//! Documents in the order of their moments, page by page.

use portolan_db::TenantTx;
use portolan_db::entity::document::{self, Column};
use sea_orm::{ColumnTrait, Condition, Order, QueryFilter, QueryOrder, QuerySelect, Select};

use crate::web::error::AppResult;
use crate::web::page::{Beside, Way};

/// The newest of the wanted heads beside one, newest first; one more than `limit` where there are more.
pub async fn page_of_heads(
    tx: &TenantTx,
    mut wanted: Select<document::Entity>,
    beside: Option<Beside>,
    limit: u64,
) -> AppResult<Vec<document::Model>> {
    let back = beside.is_some_and(Beside::is_back);
    if let Some(beside) = beside {
        wanted = wanted.filter(on_the_way(tx, beside).await?);
    }
    let order = if back { Order::Asc } else { Order::Desc };
    let mut found = wanted
        .order_by(Column::OccurredAt, order.clone())
        .order_by(Column::Id, order)
        .limit(limit + 1)
        .all(tx)
        .await?;
    if back {
        found.reverse();
    }
    Ok(found)
}

/// The places behind a document, or before it: by time, then by id, newest first. One that is gone is the beginning.
async fn on_the_way(tx: &TenantTx, beside: Beside) -> AppResult<Condition> {
    use Column::{Id, OccurredAt};
    let Some(here) = tx.find_by_id::<document::Entity>(beside.item).await? else {
        return Ok(Condition::all());
    };
    let same_moment = Condition::all().add(OccurredAt.eq(here.occurred_at));
    Ok(match beside.way {
        Way::Forth => {
            Condition::any().add(OccurredAt.lt(here.occurred_at)).add(same_moment.add(Id.lt(here.id)))
        }
        Way::Back => {
            Condition::any().add(OccurredAt.gt(here.occurred_at)).add(same_moment.add(Id.gt(here.id)))
        }
    })
}
