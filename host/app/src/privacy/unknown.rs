//! Somebody who is to be forgotten before anything was heard of them: a tombstone, so that what comes later is kept under a pseudonym
//! whom nobody turns back. A shop may ask for that while its first sync is still under way.

use portolan_access::PseudonymKey;
use portolan_core::{ConnectionId, id};
use portolan_db::TenantTx;
use portolan_db::entity::{connection, person};
use sea_orm::ActiveValue::Set;

use crate::App;
use crate::channels::build_of_connection;
use crate::ingest::pseudonyms::canonical_forms;
use crate::web::error::AppResult;

pub async fn keep_out(app: &App, tx: &TenantTx, id: ConnectionId, customer_id: &str) -> AppResult<()> {
    let connection = tx.find_by_id::<connection::Entity>(id.0).await?;
    let Some(connection) = connection.filter(|row| row.pseudonyms) else { return Ok(()) };
    let plugin = build_of_connection(app, &connection);
    let forms = canonical_forms(plugin.as_ref().map(|plugin| &*plugin.manifest), customer_id);
    // The one without what surrounds it in some places.
    let Some(canonical) = forms.into_iter().min_by_key(String::len) else { return Ok(()) };
    let key = PseudonymKey::load_or_make(&app.key_ring, tx, &*app.clock, &*app.random).await?;
    let now = app.clock.now();
    let tombstone = person::ActiveModel {
        tenant_id: Set(tx.tenant().0),
        id: Set(id::new_uuid(&*app.clock, &*app.random)),
        connection_id: Set(id.0),
        pseudonym: Set(key.pseudonym(id, &canonical)),
        key_sealed: Set(None),
        identity_sealed: Set(None),
        first_seen_at: Set(now.0),
        last_seen_at: Set(now.0),
        erased_at: Set(Some(now.0)),
    };
    tx.insert_many_on_conflict_do_nothing(vec![tombstone]).await?;
    Ok(())
}
