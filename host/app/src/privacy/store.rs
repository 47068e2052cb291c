//! How requests are written down: with their job, once each, and told to the audit without saying of whom.

use portolan_access::audit::{self, Who};
use portolan_access::{PRIVACY_SUBJECT, TenantKeys};
use portolan_core::{Duration, Instant, TenantId, id};
use portolan_db::TenantTx;
use portolan_db::entity::privacy_request::{self, PrivacyKind, PrivacySource, PrivacyState};
use portolan_jobs::{Lane, NewJob};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, IntoActiveModel, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use super::jobs::RUN_REQUEST;
use crate::App;
use crate::web::error::{AppError, AppResult};

/// Article 12 of the GDPR: a month; Shopify says thirty days.
const DUE_AFTER: Duration = Duration::from_days(30);
/// The same bytes again within this are the same request sent again; later they are another one: whoever leaves a shop twice
/// says so in the same words.
const SENT_AGAIN_WITHIN: Duration = Duration::from_days(3);

/// A request as somebody asks for it.
pub struct NewRequest {
    pub kind: PrivacyKind,
    pub source: PrivacySource,
    pub connection: Uuid,
    /// The customer's key.
    pub subject: Option<String>,
    pub person: Option<Uuid>,
    /// What it is named by: [`super::names`].
    pub names: Vec<String>,
    /// How long it can be taken back.
    pub grace: Duration,
}

/// What became of asking.
pub struct Stored {
    pub row: privacy_request::Model,
    /// False where the same was asked before: that request stands.
    pub fresh: bool,
}

/// Stores a request and its job; gives the one that stands already where there is one of this name. One that failed is begun
/// again.
pub async fn store(app: &App, tx: &TenantTx, who: &Who, new: NewRequest) -> AppResult<Stored> {
    let now = app.clock.now();
    if let Some(row) = find_named(tx, &new.names).await? {
        let recent = now.since(Instant(row.received_at)) <= SENT_AGAIN_WITHIN;
        match row.state {
            PrivacyState::Failed => {
                return Ok(Stored { row: begin_again(app, tx, row).await?, fresh: false });
            }
            state if state.is_open() || (recent && state == PrivacyState::Done) => {
                return Ok(Stored { row, fresh: false });
            }
            _ => free_name(tx, row).await?,
        }
    }
    let row = row_of(app, tx, who, &new, now).await?;
    let id = row.id;
    if tx.insert_many_on_conflict_do_nothing(vec![row.clone().into_active_model()]).await? == 0 {
        // Another one of this name was stored at the same moment.
        let row = find_named(tx, &new.names).await?;
        let row =
            row.ok_or_else(|| AppError::conflict("The same was asked at the same moment. Try again."))?;
        return Ok(Stored { row, fresh: false });
    }
    app.queue.enqueue(tx, job_of(tx.tenant(), id, Instant(row.starts_at))).await?;
    let entry = who.did("privacy_request.create", "privacy_request", id);
    audit::write(
        tx,
        now,
        entry.after(json!({
            "kind": row.kind.as_str(), "source": row.source.as_str(), "connection_id": row.connection_id,
            "starts_at": Instant(row.starts_at).to_rfc3339(),
        })),
    );
    Ok(Stored { row, fresh: true })
}

async fn row_of(
    app: &App,
    tx: &TenantTx,
    who: &Who,
    new: &NewRequest,
    now: Instant,
) -> AppResult<privacy_request::Model> {
    let id = id::new_uuid(&*app.clock, &*app.random);
    let subject = match &new.subject {
        Some(subject) => {
            let keys = TenantKeys::load_to_seal(&app.key_ring, tx, &*app.clock, &*app.random).await?;
            let row = id.to_string();
            let cell = PRIVACY_SUBJECT.cell(tx.tenant(), &row);
            let sealed = keys.seal(cell, subject.as_bytes(), &*app.random);
            Some(sealed.map_err(AppError::internal)?)
        }
        None => None,
    };
    Ok(privacy_request::Model {
        tenant_id: tx.tenant().0,
        id,
        kind: new.kind,
        state: PrivacyState::Received,
        source: new.source,
        connection_id: new.connection,
        subject,
        person_id: new.person,
        asked_by: who.user().map(|user| user.0),
        dedup_key: new.names.first().cloned(),
        received_at: now.0,
        starts_at: (now + new.grace).0,
        due_at: (now + DUE_AFTER).0,
        done_at: None,
        result: None,
        last_error: None,
        export: None,
        export_until: None,
    })
}

async fn find_named(tx: &TenantTx, names: &[String]) -> AppResult<Option<privacy_request::Model>> {
    let named = tx.find::<privacy_request::Entity>();
    let named = named.filter(privacy_request::Column::DedupKey.is_in(names.iter().map(String::as_str)));
    Ok(named.one(tx).await?)
}

async fn free_name(tx: &TenantTx, row: privacy_request::Model) -> AppResult<()> {
    let mut row = row.into_active_model();
    row.dedup_key = Set(None);
    tx.update(row).await?;
    Ok(())
}

/// A request that failed, or whose worker is gone, once more.
pub async fn begin_again(
    app: &App,
    tx: &TenantTx,
    row: privacy_request::Model,
) -> AppResult<privacy_request::Model> {
    let (id, now) = (row.id, app.clock.now());
    let mut row = row.into_active_model();
    row.state = Set(PrivacyState::Received);
    row.starts_at = Set(now.0);
    row.last_error = Set(None);
    let row = tx.update(row).await?;
    app.queue.enqueue(tx, job_of(tx.tenant(), id, now)).await?;
    Ok(row)
}

/// Whom a request is about; nothing where it is about nobody whom we know, or they are erased.
pub async fn subject_of(app: &App, tx: &TenantTx, row: &privacy_request::Model) -> AppResult<Option<String>> {
    let Some(sealed) = &row.subject else { return Ok(None) };
    let keys = TenantKeys::load(&app.key_ring, tx).await?;
    Ok(Some(open_subject(&keys, tx.tenant(), row.id, sealed)?))
}

/// The same with keys that were loaded before.
pub fn open_subject(keys: &TenantKeys<'_>, tenant: TenantId, id: Uuid, sealed: &[u8]) -> AppResult<String> {
    let row = id.to_string();
    let plain = keys.open(PRIVACY_SUBJECT.cell(tenant, &row), sealed).map_err(AppError::internal)?;
    String::from_utf8(plain).map_err(AppError::internal)
}

pub fn lane(tenant: TenantId) -> Lane {
    Lane::tenant(tenant, "privacy", 1)
}

fn job_of(tenant: TenantId, id: Uuid, at: Instant) -> NewJob {
    NewJob::new(RUN_REQUEST, lane(tenant), json!({ "request": id })).unique(format!("privacy:{id}")).at(at)
}
