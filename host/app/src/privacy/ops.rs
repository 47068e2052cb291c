//! Taking back, beginning again, and reading what is handed out.

use std::sync::Arc;

use portolan_access::audit::{self, Who};
use portolan_access::{PRIVACY_EXPORT, TenantKeys};
use portolan_analytics::Visibility;
use portolan_core::{ConnectionId, Duration, Instant, TenantId};
use portolan_db::TenantTx;
use portolan_db::entity::privacy_request::{self, PrivacySource, PrivacyState};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::json;
use uuid::Uuid;

pub use super::ask::{Ask, ERASED, Found, GRACE, NOT_FOUND, ask, find};
pub use super::hooks::make_hook;
pub use super::queries::list_requests;
use super::store::begin_again;
use crate::App;
use crate::channels::seen::of_seen_connections;
use crate::web::error::{AppError, AppResult};

/// Nothing runs for so long: its worker has crashed again and again.
const GIVEN_UP_AFTER: Duration = Duration::from_hours(6);

/// A request of a connection that somebody sees.
pub async fn find_request(tx: &TenantTx, seen: &Visibility, id: Uuid) -> AppResult<privacy_request::Model> {
    let seen = of_seen_connections(tx, seen, privacy_request::Column::ConnectionId).await?;
    let found = tx.find::<privacy_request::Entity>().filter(privacy_request::Column::Id.eq(id)).filter(seen);
    found.one(tx).await?.ok_or_else(|| AppError::not_found("privacy request"))
}

/// Whether a request can be taken back.
pub fn can_be_cancelled(row: &privacy_request::Model) -> bool {
    row.state == PrivacyState::Received && row.source != PrivacySource::Shop
}

/// Whether a request can be begun again: it failed, or whoever ran it is gone.
pub fn can_be_retried(row: &privacy_request::Model, now: Instant) -> bool {
    match row.state {
        PrivacyState::Failed => true,
        PrivacyState::Running => now.since(Instant(row.starts_at)) > GIVEN_UP_AFTER,
        _ => false,
    }
}

/// Takes a request back that was not begun.
pub async fn cancel(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    seen: Visibility,
    id: Uuid,
) -> AppResult<privacy_request::Model> {
    let now = app.clock.now();
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let row = find_request(tx, &seen, id).await?;
                if row.source == PrivacySource::Shop {
                    return Err(AppError::conflict(
                        "The channel asked for this, and the company owes it: it cannot be taken back.",
                    ));
                }
                let taken_back = tx
                    .update_many::<privacy_request::Entity>()
                    .set(privacy_request::ActiveModel {
                        state: Set(PrivacyState::Cancelled),
                        done_at: Set(Some(now.0)),
                        subject: Set(None),
                        dedup_key: Set(None),
                        ..Default::default()
                    })
                    .filter(privacy_request::Column::Id.eq(id))
                    .filter(privacy_request::Column::State.eq(PrivacyState::Received));
                if taken_back.exec(tx).await?.rows_affected == 0 {
                    return Err(AppError::conflict(format!(
                        "The request is {}: there is nothing to take back any more.",
                        row.state.as_str()
                    )));
                }
                let entry = who.did("privacy_request.cancel", "privacy_request", id);
                audit::write(tx, now, entry.before(json!({ "state": row.state.as_str() })));
                find_request(tx, &seen, id).await
            })
        })
        .await
}

/// Begins a request again that failed.
pub async fn retry(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    seen: Visibility,
    id: Uuid,
) -> AppResult<privacy_request::Model> {
    let in_task = Arc::clone(app);
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let app = in_task;
                let row = find_request(tx, &seen, id).await?;
                if !can_be_retried(&row, app.clock.now()) {
                    return Err(AppError::conflict(format!(
                        "The request is {}: only one that failed is begun again.",
                        row.state.as_str()
                    )));
                }
                audit::write(
                    tx,
                    app.clock.now(),
                    who.did("privacy_request.retry", "privacy_request", id)
                        .before(json!({ "state": row.state.as_str() })),
                );
                begin_again(&app, tx, row).await
            })
        })
        .await
}

/// What is handed out, as JSON. That it was taken is told to the audit.
pub async fn take_export(
    app: &Arc<App>,
    tenant: TenantId,
    who: Who,
    seen: Visibility,
    id: Uuid,
) -> AppResult<Vec<u8>> {
    let in_task = Arc::clone(app);
    app.db
        .write(tenant, move |tx| {
            Box::pin(async move {
                let app = in_task;
                let row = find_request(tx, &seen, id).await?;
                let now = app.clock.now();
                if row.state.is_open() {
                    return Err(AppError::conflict("It is not ready yet: come back in some minutes."));
                }
                let sealed = row.export.filter(|_| row.export_until.is_some_and(|until| now.0 < until));
                // It was kept for its days, or the customer was erased.
                let sealed = sealed.ok_or_else(|| AppError::not_found("export"))?;
                let keys = TenantKeys::load(&app.key_ring, tx).await?;
                let name = id.to_string();
                let plain = keys.open(PRIVACY_EXPORT.cell(tx.tenant(), &name), &sealed);
                audit::write(tx, now, who.did("privacy_request.download", "privacy_request", id));
                plain.map_err(AppError::internal)
            })
        })
        .await
}

/// For whoever needs a connection as people name it.
pub fn connection_of(text: &str) -> AppResult<ConnectionId> {
    text.parse().map_err(|_| AppError::invalid("connection_id", "Choose a connection."))
}
