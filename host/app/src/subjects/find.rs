//! Finding people: by what the channel calls them, by their pseudonym, by how long nothing was heard of them.

use portolan_access::PseudonymKey;
use portolan_core::{ConnectionId, Instant};
use portolan_db::TenantTx;
use portolan_db::entity::{connection, person};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::Subject;
use crate::App;
use crate::channels::build_of_connection;
use crate::ingest::pseudonyms::canonical_forms;
use crate::web::error::AppResult;

/// The people whom a channel calls by this id, in any way of writing that its plugin knows: in one connection, or in all.
/// Whoever was erased is found, too. Connections of before pseudonyms know nobody.
pub async fn find(
    app: &App,
    tx: &TenantTx,
    connection_id: Option<Uuid>,
    channel_customer_id: &str,
) -> AppResult<Vec<Subject>> {
    let Some(key) = PseudonymKey::load(&app.key_ring, tx).await? else {
        return Ok(Vec::new());
    };
    let mut connections = tx.find::<connection::Entity>().filter(connection::Column::Pseudonyms.eq(true));
    if let Some(id) = connection_id {
        connections = connections.filter(connection::Column::Id.eq(id));
    }
    let mut found = Vec::new();
    for row in connections.order_by_asc(connection::Column::Id).all(tx).await? {
        let plugin = build_of_connection(app, &row);
        let forms = canonical_forms(plugin.as_ref().map(|plugin| &*plugin.manifest), channel_customer_id);
        let pseudonyms = forms.iter().map(|form| key.pseudonym(ConnectionId(row.id), form));
        let people = tx
            .find::<person::Entity>()
            .filter(person::Column::ConnectionId.eq(row.id))
            .filter(person::Column::Pseudonym.is_in(pseudonyms))
            .order_by_asc(person::Column::Id)
            .all(tx)
            .await?;
        found.extend(people.into_iter().map(Subject::from));
    }
    Ok(found)
}

/// The person behind a pseudonym; none in connections of before pseudonyms.
pub async fn of_pseudonym(tx: &TenantTx, connection_id: Uuid, pseudonym: &str) -> AppResult<Option<Subject>> {
    let row = tx
        .find::<person::Entity>()
        .filter(person::Column::ConnectionId.eq(connection_id))
        .filter(person::Column::Pseudonym.eq(pseudonym))
        .one(tx)
        .await?;
    Ok(row.map(Subject::from))
}

/// The people of a connection of whom the channel has told nothing since a moment, and who are not erased yet. To the
/// day: `last_seen_at` moves once a day at most.
pub async fn unseen_since(tx: &TenantTx, connection_id: Uuid, before: Instant) -> AppResult<Vec<Subject>> {
    let rows = tx
        .find::<person::Entity>()
        .filter(person::Column::ConnectionId.eq(connection_id))
        .filter(person::Column::LastSeenAt.lt(before.0))
        .filter(person::Column::ErasedAt.is_null())
        .order_by_asc(person::Column::Id)
        .all(tx)
        .await?;
    Ok(rows.into_iter().map(Subject::from).collect())
}
