//! The people whom a page tells of are noted in the transaction that stores the page.

use std::collections::BTreeSet;

use portolan_access::{PersonKey, SealError, SealedPerson, SecretsError, TenantKeys};
use portolan_core::id::uuids_in_order;
use portolan_core::{ConnectionId, Duration, Instant};
use portolan_db::entity::person;
use portolan_db::{DbError, TenantTx};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter, Value};

use super::pseudonyms::People;
use crate::App;

/// Keys of one lookup: both databases limit the number of bound values.
const KEYS_PER_LOOKUP: usize = 500;
/// How far `last_seen_at` may be behind: it is written once a day instead of with each page.
const SEEN_AGAIN_AFTER: Duration = Duration::from_hours(24);

/// Notes who is new, each with a key of their own, and that the others were seen again. Whoever was erased stays so.
pub async fn note_people(
    app: &App,
    tx: &TenantTx,
    connection: ConnectionId,
    people: &People,
    now: Instant,
) -> Result<(), SecretsError> {
    let pseudonyms: Vec<&str> = people.keys().map(String::as_str).collect();
    let of_connection = [(person::Column::ConnectionId, Value::from(connection.0))];
    let mut new: BTreeSet<&str> = pseudonyms.iter().copied().collect();
    for pseudonyms in pseudonyms.chunks(KEYS_PER_LOOKUP) {
        let known =
            tx.find_by_keys::<person::Entity>(&of_connection, person::Column::Pseudonym, pseudonyms).await?;
        for row in &known {
            new.remove(row.pseudonym.as_str());
        }
        let behind =
            |row: &&person::Model| row.erased_at.is_none() && row.last_seen_at < (now - SEEN_AGAIN_AFTER).0;
        let seen_again: Vec<_> = known.iter().filter(behind).map(|row| row.id).collect();
        if !seen_again.is_empty() {
            tx.update_many::<person::Entity>()
                .col_expr(person::Column::LastSeenAt, Expr::value(now.0))
                .filter(person::Column::Id.is_in(seen_again))
                .exec(tx)
                .await
                .map_err(DbError::from)?;
        }
    }
    if new.is_empty() {
        return Ok(());
    }
    let keys = TenantKeys::load_to_seal(&app.key_ring, tx, &*app.clock, &*app.random).await?;
    let mut id = uuids_in_order(&*app.clock, &*app.random);
    let rows = new.into_iter().map(|pseudonym| {
        let (id, random) = (id(), &*app.random);
        let name = id.to_string();
        let place = SealedPerson { tenant: tx.tenant(), row: &name };
        let key = PersonKey::generate(random);
        Ok::<_, SealError>(person::ActiveModel {
            tenant_id: Set(tx.tenant().0),
            id: Set(id),
            connection_id: Set(connection.0),
            pseudonym: Set(pseudonym.to_owned()),
            key_sealed: Set(Some(key.seal_self(&keys, place, random)?)),
            identity_sealed: Set(Some(key.seal_identity(place, &people[pseudonym], random)?)),
            first_seen_at: Set(now.0),
            last_seen_at: Set(now.0),
            erased_at: Set(None),
        })
    });
    // Another sync of the connection may have noted them a moment ago: those stand.
    tx.insert_many_on_conflict_do_nothing(rows.collect::<Result<Vec<_>, _>>()?).await?;
    Ok(())
}
