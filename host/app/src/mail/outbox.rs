//! Mails that wait: written down with what causes them, sealed, and taken away once they are sent.

use std::sync::Arc;

use portolan_access::{MAIL, forget_mail_limits};
use portolan_core::{Duration, Instant, id};
use portolan_db::entity::mail;
use portolan_db::{DbError, SystemTx, TenantTx};
use portolan_jobs::{Lane, NewJob};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::json;
use uuid::Uuid;

use super::letter::Letter;
use crate::App;
use crate::web::error::{AppError, AppResult};

/// Kind of the job that sends a mail.
pub const SEND_MAIL: &str = "mail.send";
/// From half a minute to a quarter of an hour between them.
const ATTEMPTS: i32 = 6;
const AT_ONCE: i32 = 2;
/// What nobody has sent again by then is forgotten, with what it says.
const KEPT_FOR: Duration = Duration::from_hours(7 * 24);

/// A mail as it waits.
#[derive(Debug)]
pub struct Waiting {
    pub letter: Letter,
    pub created_at: Instant,
}

/// What an operator may know of a mail: not to whom, nor what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailState {
    pub id: Uuid,
    pub kind: String,
    pub created_at: Instant,
    pub failed_at: Option<Instant>,
    pub last_error: Option<String>,
}

/// Has a mail sent once this transaction of the house is committed; says whether it will be: without a mail server
/// nothing is written down.
pub async fn post(app: &App, tx: &SystemTx, letter: &Letter) -> AppResult<bool> {
    if app.mail.is_none() {
        return Ok(false);
    }
    let id = write_down(app, tx, letter).await?;
    app.queue.enqueue_system(tx, job(id, Lane::house("mail", AT_ONCE))).await?;
    Ok(true)
}

/// [`post`] from a transaction of a tenant.
pub async fn post_for_tenant(app: &App, tx: &TenantTx, letter: &Letter) -> AppResult<bool> {
    if app.mail.is_none() {
        return Ok(false);
    }
    let id = write_down(app, tx.host_wide(), letter).await?;
    app.queue.enqueue(tx, job(id, Lane::tenant(tx.tenant(), "mail", AT_ONCE))).await?;
    Ok(true)
}

fn job(id: Uuid, lane: Lane) -> NewJob {
    NewJob { max_attempts: ATTEMPTS, ..NewJob::new(SEND_MAIL, lane, json!({ "mail": id })) }
}

async fn write_down(app: &App, tx: &SystemTx, letter: &Letter) -> AppResult<Uuid> {
    let id = id::new_uuid(&*app.clock, &*app.random);
    let plain = serde_json::to_vec(letter).map_err(AppError::internal)?;
    let row = mail::Model {
        id,
        kind: letter.kind().to_owned(),
        sealed: MAIL.seal(&app.key_ring, tx, id, &plain, &*app.random).await?,
        created_at: app.clock.now().0,
        failed_at: None,
        last_error: None,
    };
    tx.insert(row.into_active_model()).await?;
    Ok(id)
}

/// How many mails of a kind wait.
pub async fn waiting_of(tx: &SystemTx, kind: &str) -> AppResult<u64> {
    let waiting = tx.find::<mail::Entity>().filter(mail::Column::Kind.eq(kind));
    Ok(waiting.filter(mail::Column::FailedAt.is_null()).count(tx).await.map_err(DbError::from)?)
}

/// A mail that waits; `None` once it is sent.
pub async fn open(app: &App, id: Uuid) -> AppResult<Option<Waiting>> {
    let tx = app.db.system_read().await?;
    let found = tx.find::<mail::Entity>().filter(mail::Column::Id.eq(id)).one(&tx).await;
    let Some(row) = found.map_err(DbError::from)? else { return Ok(None) };
    let plain = MAIL.open(&app.key_ring, id, &row.sealed)?;
    let letter = serde_json::from_slice(&plain).map_err(AppError::internal)?;
    Ok(Some(Waiting { letter, created_at: Instant(row.created_at) }))
}

/// It was sent, or there is nobody to send it to: nothing of it stays.
pub async fn remove(app: &App, id: Uuid) -> AppResult<()> {
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                let own = mail::Column::Id.eq(id);
                tx.delete_many::<mail::Entity>().filter(own).exec(tx).await.map_err(DbError::from)?;
                Ok(())
            })
        })
        .await
}

/// Says on the mail why it was not sent, and whether it is tried again.
pub async fn note_failure(app: &App, id: Uuid, why: &str, is_over: bool) -> AppResult<()> {
    let (why, failed_at) = (why.to_owned(), is_over.then_some(app.clock.now().0));
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                let noted = tx
                    .update_many::<mail::Entity>()
                    .col_expr(mail::Column::LastError, Expr::value(why))
                    .col_expr(mail::Column::FailedAt, Expr::value(failed_at))
                    .filter(mail::Column::Id.eq(id));
                noted.exec(tx).await.map_err(DbError::from)?;
                Ok(())
            })
        })
        .await
}

/// Every mail that is not sent yet, the oldest first.
pub async fn list(app: &App) -> AppResult<Vec<MailState>> {
    let tx = app.db.system_read().await?;
    let rows = tx.find::<mail::Entity>().order_by_asc(mail::Column::CreatedAt).all(&tx).await;
    let state = |row: mail::Model| MailState {
        id: row.id,
        kind: row.kind,
        created_at: Instant(row.created_at),
        failed_at: row.failed_at.map(Instant),
        last_error: row.last_error,
    };
    Ok(rows.map_err(DbError::from)?.into_iter().map(state).collect())
}

/// Has those sent again that nobody tries any more; says how many they are.
pub async fn send_again(app: &Arc<App>) -> AppResult<usize> {
    let in_task = Arc::clone(app);
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                let app = in_task;
                let failed = tx.find::<mail::Entity>().filter(mail::Column::FailedAt.is_not_null());
                let failed = failed.all(tx).await.map_err(DbError::from)?;
                for row in &failed {
                    let again = tx.update_many::<mail::Entity>();
                    let again = again.col_expr(mail::Column::FailedAt, Expr::value(None::<i64>));
                    let own = mail::Column::Id.eq(row.id);
                    again.filter(own).exec(tx).await.map_err(DbError::from)?;
                    app.queue.enqueue_system(tx, job(row.id, Lane::house("mail", AT_ONCE))).await?;
                }
                Ok(failed.len())
            })
        })
        .await
}

/// Forgets mails that nobody sent for a week, and when mails were asked for.
pub async fn forget_old(app: &App) -> AppResult<()> {
    let now = app.clock.now();
    app.db
        .system_write(move |tx| {
            Box::pin(async move {
                let old = mail::Column::CreatedAt.lt(now.0 - KEPT_FOR.0);
                tx.delete_many::<mail::Entity>().filter(old).exec(tx).await.map_err(DbError::from)?;
                Ok(forget_mail_limits(tx, now).await?)
            })
        })
        .await
}
