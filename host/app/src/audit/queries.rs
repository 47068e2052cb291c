//! Reads of the audit.

use std::collections::BTreeMap;

use portolan_core::Instant;
use portolan_db::TenantTx;
use portolan_db::entity::audit_event::{self, Column};
use portolan_db::entity::{membership, user};
use sea_orm::{ColumnTrait, Condition, Order, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::web::error::{AppError, AppResult};
use crate::web::page::{Beside, Way};

/// Which events are asked for; newest first.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// A person or a key.
    pub actor: Option<Uuid>,
    /// Only what the command line did.
    pub operator: bool,
    /// A whole action (`sync.start`), or what it was done to (`sync`).
    pub action: Option<String>,
    /// The id of what it was done to.
    pub subject: Option<String>,
    pub from: Option<Instant>,
    /// Before this moment.
    pub until: Option<Instant>,
    pub beside: Option<Beside>,
}

/// An event's number in the form of an id: cursors name ids.
pub fn place_of(event: &audit_event::Model) -> Uuid {
    Uuid::from_u128(u128::from(event.seq.unsigned_abs()))
}

/// The newest events that match, one more than `limit` where there are more.
pub async fn list_events(
    tx: &TenantTx,
    filter: &EventFilter,
    limit: u64,
) -> AppResult<Vec<audit_event::Model>> {
    let mut wanted = tx.find::<audit_event::Entity>();
    if let Some(actor) = filter.actor {
        wanted = wanted.filter(Column::ActorId.eq(actor));
    }
    if filter.operator {
        wanted = wanted.filter(Column::ActorKind.eq("operator"));
    }
    if let Some(action) = &filter.action {
        wanted = wanted.filter(named(action));
    }
    if let Some(subject) = &filter.subject {
        wanted = wanted.filter(Column::SubjectId.eq(subject.as_str()));
    }
    if let Some(from) = filter.from {
        wanted = wanted.filter(Column::At.gte(from.0));
    }
    if let Some(until) = filter.until {
        wanted = wanted.filter(Column::At.lt(until.0));
    }
    let back = filter.beside.is_some_and(Beside::is_back);
    if let Some(beside) = filter.beside {
        let seq = i64::try_from(beside.item.as_u128()).unwrap_or_default();
        wanted = wanted.filter(match beside.way {
            Way::Forth => Column::Seq.lt(seq),
            Way::Back => Column::Seq.gt(seq),
        });
    }
    let order = if back { Order::Asc } else { Order::Desc };
    let mut found = wanted.order_by(Column::Seq, order).limit(limit + 1).all(tx).await?;
    if back {
        found.reverse();
    }
    Ok(found)
}

/// A whole action, or everything that is done to one kind of thing.
fn named(action: &str) -> Condition {
    // What may stand in an action: none of it means anything in a pattern but the line below, which is any letter there.
    let plain: String =
        action.chars().filter(|letter| letter.is_ascii_lowercase() || *letter == '_').collect();
    let whole = Condition::any().add(Column::Action.eq(action));
    if plain == action { whole.add(Column::Action.starts_with(format!("{plain}."))) } else { whole }
}

/// The event with this number.
pub async fn find_event(tx: &TenantTx, seq: i64) -> AppResult<audit_event::Model> {
    let found = tx.find::<audit_event::Entity>().filter(Column::Seq.eq(seq)).one(tx).await?;
    found.ok_or_else(|| AppError::not_found("event"))
}

/// Whether anything was ever done.
pub async fn has_events(tx: &TenantTx) -> AppResult<bool> {
    Ok(tx.find::<audit_event::Entity>().limit(1).one(tx).await?.is_some())
}

/// Sign-in names of the people of this tenant, and of those who acted in these events and have left.
pub async fn names(tx: &TenantTx, events: &[audit_event::Model]) -> AppResult<BTreeMap<Uuid, String>> {
    let house = tx.host_wide();
    let members = house
        .find::<membership::Entity>()
        .filter(membership::Column::TenantId.eq(tx.tenant().0))
        .all(house)
        .await?;
    let mut ids: Vec<Uuid> = members.into_iter().map(|member| member.user_id).collect();
    ids.extend(events.iter().filter(|event| event.actor_kind == "person").filter_map(|event| event.actor_id));
    ids.sort_unstable();
    ids.dedup();
    let people = house.find::<user::Entity>().filter(user::Column::Id.is_in(ids)).all(house).await?;
    Ok(people.into_iter().map(|person| (person.id, person.sign_in_name)).collect())
}
