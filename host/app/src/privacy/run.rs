//! One request from its beginning to its end. Whatever is done twice is the same the second time: a job may be interrupted
//! anywhere, and every piece of it is written in a transaction that checks whether it still is at work.

use std::sync::Arc;

use portolan_access::audit::{self, Who};
use portolan_access::{PRIVACY_EXPORT, TenantKeys};
use portolan_core::{ConnectionId, Duration, Instant};
use portolan_db::TenantTx;
use portolan_db::entity::connection;
use portolan_db::entity::privacy_request::{self, PrivacyKind, PrivacySource, PrivacyState};
use portolan_db::entity::sync::{self, RequestedAction, SyncState};
use portolan_jobs::{JobContext, JobError, NewJob};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use super::jobs::FORGET_EXPORT;
use super::queries::standing;
use super::store::{lane, subject_of};
use super::unknown::keep_out;
use crate::App;
use crate::subjects::{self, Subject};
use crate::syncs::ops::request_action;
use crate::web::error::{AppError, AppResult};

/// How long an export can be taken.
pub const EXPORT_KEPT: Duration = Duration::from_days(7);
/// Customers of one transaction: people wait behind it.
pub const ERASED_AT_ONCE: usize = 50;
/// A sync that was cancelled ends its page first.
const SYNC_ENDS_WITHIN: Duration = Duration::from_secs(10);
/// What people read when it did not work out; the cause is in the log alone.
const FAILURE: &str =
    "Portolan itself failed at this. Whoever runs the server finds the reason in its log; then try again.";

pub async fn run(app: &Arc<App>, job: &JobContext, id: Uuid) -> Result<(), JobError> {
    let Some(row) = begin(app, job, id).await? else { return Ok(()) };
    let outcome = match row.kind {
        PrivacyKind::Export => export(app, job, &row).await,
        PrivacyKind::Erase => erase(app, job, &row).await,
        PrivacyKind::EraseShop => erase_shop(app, job, &row).await,
    };
    let hopeless = match &outcome {
        Err(JobError::Fail(_)) => true,
        Err(JobError::Retry { .. }) => job.is_last_attempt(),
        _ => false,
    };
    if hopeless {
        tracing::error!(request.privacy = %id, error = ?outcome, "a privacy request failed");
        fail(job, id).await?;
    }
    outcome
}

/// Marks the request as running; nothing where it is closed.
async fn begin(app: &App, job: &JobContext, id: Uuid) -> Result<Option<privacy_request::Model>, JobError> {
    let now = app.clock.now();
    let row = job
        .write(move |tx| {
            Box::pin(async move {
                let due = tx
                    .update_many::<privacy_request::Entity>()
                    .col_expr(privacy_request::Column::State, Expr::value(PrivacyState::Running.as_str()))
                    .filter(privacy_request::Column::Id.eq(id))
                    .filter(privacy_request::Column::StartsAt.lte(now.0))
                    .filter(
                        privacy_request::Column::State.is_in([PrivacyState::Received, PrivacyState::Running]),
                    );
                due.exec(tx).await?;
                Ok::<_, JobError>(tx.find_by_id::<privacy_request::Entity>(id).await?)
            })
        })
        .await?;
    match row {
        Some(row) if row.state == PrivacyState::Running => Ok(Some(row)),
        Some(row) if row.state == PrivacyState::Received => {
            Err(JobError::snooze(Instant(row.starts_at).since(now).max(Duration::from_secs(1))))
        }
        _ => Ok(None),
    }
}

/// Whom a request is about, as the vault knows them by now.
async fn subjects_of(app: &App, tx: &TenantTx, row: &privacy_request::Model) -> AppResult<Vec<Subject>> {
    match subject_of(app, tx, row).await? {
        Some(key) => Ok(subjects::find(app, tx, Some(row.connection_id), &key).await?),
        None => Ok(Vec::new()),
    }
}

async fn export(app: &Arc<App>, job: &JobContext, row: &privacy_request::Model) -> Result<(), JobError> {
    let tx = job.read().await?;
    let gathered = gather(app, &tx, row).await.map_err(later)?;
    drop(tx);
    let persons = gathered["persons"].as_array().map_or(0, Vec::len);
    let plain = serde_json::to_vec_pretty(&gathered).map_err(JobError::fail)?;
    let (app, id) = (Arc::clone(app), row.id);
    let row = row.clone();
    job.write_progress(move |tx| {
        Box::pin(async move {
            let now = app.clock.now();
            let keys = TenantKeys::load_to_seal(&app.key_ring, tx, &*app.clock, &*app.random).await;
            let keys = keys.map_err(|error| later(error.into()))?;
            let name = id.to_string();
            let sealed = keys.seal(PRIVACY_EXPORT.cell(tx.tenant(), &name), &plain, &*app.random);
            let until = now + EXPORT_KEPT;
            let done = privacy_request::ActiveModel {
                export: Set(Some(sealed.map_err(JobError::fail)?)),
                export_until: Set(Some(until.0)),
                ..Default::default()
            };
            finish(&app, tx, &row, json!({ "persons": persons }), done).await?;
            let forget = NewJob::new(FORGET_EXPORT, lane(tx.tenant()), json!({ "request": id }));
            app.queue.enqueue(tx, forget.unique(format!("privacy:forget:{id}")).at(until)).await?;
            Ok::<_, JobError>(())
        })
    })
    .await
}

async fn gather(app: &App, tx: &TenantTx, row: &privacy_request::Model) -> AppResult<Value> {
    let mut persons = Vec::new();
    for subject in subjects_of(app, tx, row).await? {
        persons.push(subjects::export(app, tx, &subject).await?);
    }
    let connection = tx.find_by_id::<connection::Entity>(row.connection_id).await?;
    Ok(json!({
        "format": "portolan customer export 1",
        "request_id": row.id,
        "asked_at": Instant(row.received_at).to_rfc3339(),
        "made_at": app.clock.now().to_rfc3339(),
        "connection": connection.map(|row| json!({ "id": row.id, "label": row.label, "plugin_id": row.plugin_id })),
        "customer_id": subject_of(app, tx, row).await?,
        "persons": persons,
    }))
}

async fn erase(app: &Arc<App>, job: &JobContext, row: &privacy_request::Model) -> Result<(), JobError> {
    let (app, row) = (Arc::clone(app), row.clone());
    job.write_progress(move |tx| {
        Box::pin(async move {
            let subjects = subjects_of(&app, tx, &row).await.map_err(later)?;
            for subject in &subjects {
                erase_one(&app, tx, subject).await.map_err(later)?;
            }
            if let (true, Some(customer)) =
                (subjects.is_empty(), subject_of(&app, tx, &row).await.map_err(later)?)
            {
                let connection = ConnectionId(row.connection_id);
                keep_out(&app, tx, connection, &customer).await.map_err(later)?;
            }
            let done = privacy_request::ActiveModel { subject: Set(None), ..Default::default() };
            finish(&app, tx, &row, json!({ "persons": subjects.len() }), done).await
        })
    })
    .await
}

/// Erases a customer, and what was handed out of them or asked by their id.
pub async fn erase_one(app: &App, tx: &TenantTx, subject: &Subject) -> AppResult<()> {
    let now = app.clock.now();
    subjects::erase(app, tx, subject, now).await?;
    let handed_out = tx.update_many::<privacy_request::Entity>().set(privacy_request::ActiveModel {
        subject: Set(None),
        export: Set(None),
        export_until: Set(None),
        ..Default::default()
    });
    handed_out.filter(privacy_request::Column::PersonId.eq(subject.person_id)).exec(tx).await?;
    Ok(())
}

/// All customers of a connection, piece by piece, once nothing is fetched any more that would bring them back.
async fn erase_shop(app: &Arc<App>, job: &JobContext, row: &privacy_request::Model) -> Result<(), JobError> {
    let connection = ConnectionId(row.connection_id);
    if end_syncs(app, job, connection).await? {
        return Err(JobError::snooze(SYNC_ENDS_WITHIN));
    }
    // Each of them is seen before the end of time.
    erase_unseen(app, job, connection, Instant(i64::MAX), "the shop was left").await?;
    let (app, row) = (Arc::clone(app), row.clone());
    job.write_progress(move |tx| {
        Box::pin(async move {
            let of_shop = privacy_request::Column::ConnectionId.eq(row.connection_id);
            let handed_out = tx.update_many::<privacy_request::Entity>().set(privacy_request::ActiveModel {
                subject: Set(None),
                export: Set(None),
                export_until: Set(None),
                ..Default::default()
            });
            handed_out.filter(of_shop).exec(tx).await?;
            let persons = standing(tx, ConnectionId(row.connection_id)).await.map_err(later)?.erased;
            finish(&app, tx, &row, json!({ "persons": persons }), privacy_request::ActiveModel::default())
                .await
        })
    })
    .await
}

/// Erases everybody of a connection who was not seen since a moment, in pieces; says how many they were.
pub async fn erase_unseen(
    app: &Arc<App>,
    job: &JobContext,
    connection: ConnectionId,
    before: Instant,
    why: &'static str,
) -> Result<usize, JobError> {
    let tx = job.read().await?;
    let wanted = subjects::unseen_since(&tx, connection.0, before).await.map_err(later)?;
    drop(tx);
    let all = wanted.len();
    let mut rest = wanted.into_iter();
    loop {
        let some: Vec<Subject> = rest.by_ref().take(ERASED_AT_ONCE).collect();
        if some.is_empty() {
            return Ok(all);
        }
        let app = Arc::clone(app);
        job.write_progress(move |tx| {
            Box::pin(async move {
                for subject in &some {
                    erase_one(&app, tx, subject).await.map_err(later)?;
                }
                let entry = Who::server().did("customers.erase", "connection", connection);
                let told = json!({ "persons": some.len(), "why": why });
                audit::write(tx, app.clock.now(), entry.after(told));
                Ok::<_, JobError>(())
            })
        })
        .await?;
        if job.stopping().is_cancelled() {
            return Err(JobError::snooze(Duration::ZERO));
        }
    }
}

/// Cancels what is being fetched; says whether something still is.
async fn end_syncs(app: &Arc<App>, job: &JobContext, connection: ConnectionId) -> Result<bool, JobError> {
    let tx = job.read().await?;
    let open = tx
        .find::<sync::Entity>()
        .filter(sync::Column::ConnectionId.eq(connection.0))
        .filter(sync::Column::State.is_in([SyncState::Queued, SyncState::Running, SyncState::Paused]))
        .all(&tx)
        .await?;
    drop(tx);
    for row in &open {
        let asked = request_action(
            app,
            job.tenant()?,
            Who::server(),
            portolan_core::SyncId(row.id),
            RequestedAction::Cancel,
        );
        if let Err(error) = asked.await {
            // It ended meanwhile, or is asked already.
            tracing::info!(sync.id = %row.id, detail = error.detail, "a sync of a shop that has left was not cancelled");
        }
    }
    Ok(open.iter().any(|row| row.state == SyncState::Running))
}

/// Closes a request. A shop's keeps its name for a while: the same bytes are not done again.
async fn finish(
    app: &App,
    tx: &TenantTx,
    row: &privacy_request::Model,
    result: Value,
    mut done: privacy_request::ActiveModel,
) -> Result<(), JobError> {
    let now = app.clock.now();
    done.state = Set(PrivacyState::Done);
    done.done_at = Set(Some(now.0));
    done.result = Set(Some(result.to_string()));
    done.last_error = Set(None);
    if row.source != PrivacySource::Shop {
        done.dedup_key = Set(None);
    }
    let own = privacy_request::Column::Id.eq(row.id);
    tx.update_many::<privacy_request::Entity>().set(done).filter(own).exec(tx).await?;
    let entry = Who::server().did("privacy_request.finish", "privacy_request", row.id);
    let after = json!({ "kind": row.kind.as_str(), "connection_id": row.connection_id, "result": result });
    audit::write(tx, now, entry.after(after));
    Ok(())
}

async fn fail(job: &JobContext, id: Uuid) -> Result<(), JobError> {
    job.write(move |tx| {
        Box::pin(async move {
            let failed = tx.update_many::<privacy_request::Entity>().set(privacy_request::ActiveModel {
                state: Set(PrivacyState::Failed),
                last_error: Set(Some(FAILURE.to_owned())),
                ..Default::default()
            });
            failed.filter(privacy_request::Column::Id.eq(id)).exec(tx).await?;
            Ok::<_, JobError>(())
        })
    })
    .await
}

pub async fn forget_export(app: &App, job: &JobContext, id: Uuid) -> Result<(), JobError> {
    let now = app.clock.now();
    job.write(move |tx| {
        Box::pin(async move {
            let over = tx.update_many::<privacy_request::Entity>().set(privacy_request::ActiveModel {
                export: Set(None),
                export_until: Set(None),
                ..Default::default()
            });
            let over = over.filter(privacy_request::Column::Id.eq(id));
            over.filter(privacy_request::Column::ExportUntil.lte(now.0)).exec(tx).await?;
            Ok::<_, JobError>(())
        })
    })
    .await
}

/// What failed inside passes perhaps; what it says names nobody.
pub fn later(error: AppError) -> JobError {
    JobError::retry(error.full_detail())
}
